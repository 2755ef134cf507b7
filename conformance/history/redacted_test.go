package history_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

func TestAHistoryHoldsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	var out bytes.Buffer
	r := history.NewRecorder(&out, history.Full)
	r.Redact = func(text string) string { return strings.ReplaceAll(text, secret, "***") }
	if err := r.Begin(history.Header{Config: json.RawMessage(`{"number":12345678901234567890,"list":["a s3cr3t"],"s3cr3t":1}`)}); err != nil {
		t.Fatal(err)
	}
	first, last := history.Ack, history.Receipt
	for kind := first; kind <= last; kind++ {
		if kind == history.Phase {
			continue
		}
		o := history.Observation{Kind: kind, Text: "a " + secret, Event: secret, Data: secret + "."}
		r.Observe(&o)
		if o.Data != secret+"." {
			t.Error("the observation itself was changed")
		}
	}
	if err := r.End(history.End{At: time.Second, Health: json.RawMessage(`{"problems":["s3cr3t"]}`)}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if strings.Contains(text, secret) || !strings.Contains(text, "12345678901234567890") {
		t.Errorf("got %s", text)
	}
	if _, err := history.Read(&out); err != nil {
		t.Error(err)
	}
}
