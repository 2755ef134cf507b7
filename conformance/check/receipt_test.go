package check_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestAHistoryWithoutDeliveriesShowsWhatWentWrong: each anomaly stands between the receipts that it is to be seen beside, and what was lost
// is among them.
func TestAHistoryWithoutDeliveriesShowsWhatWentWrong(t *testing.T) {
	t.Parallel()
	cfg := check.Config{
		Scenario: "lossy", Streams: []string{"a"}, Publishers: []int32{1}, Subscribers: []check.Subscriber{{Streams: []int32{0}}},
		Expect: check.Expect{Delivery: []string{"complete", "unique", "ordered", "intact"}},
	}
	var file bytes.Buffer
	recorder := history.NewRecorder(&file, history.Anomalies)
	if err := recorder.Begin(history.Header{Config: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	j := check.New(cfg)
	j.Sink(recorder)
	observe := func(o history.Observation) {
		j.Observe(&o)
		recorder.Observe(&o)
	}
	observe(history.Observation{At: 1, Kind: history.Phase, Subscriber: -1, Text: "steady"})
	observe(history.Observation{At: 2, Kind: history.Open, Connection: 1, Status: 200})
	observe(history.Observation{At: 3, Kind: history.Ready, Connection: 1, Number: 1})
	for n := uint64(1); n <= 9; n++ {
		at := time.Duration(n) * time.Millisecond
		observe(history.Observation{At: at, Kind: history.Publish, Number: n, Due: at})
		observe(history.Observation{At: at + 1, Kind: history.Ack, Number: n, Acked: history.Acknowledged})
	}
	for i, n := range []uint64{1, 2, 4, 4, 6, 5, 7} { // 3 is lost, 4 comes twice, 5 after 6, 7 is damaged, and 8 and 9 are outstanding
		o := history.Observation{At: time.Second + time.Duration(i), Kind: history.Deliver, Connection: 1, Number: n, Due: time.Duration(n) * time.Millisecond}
		if n == 7 {
			o.Mark = history.Corrupted
		}
		observe(o)
	}
	end := 60 * time.Second
	observe(history.Observation{At: end, Kind: history.Phase, Subscriber: -1, Text: "end"})
	j.Tally(end)
	if err := recorder.End(history.End{At: end}); err != nil {
		t.Fatal(err)
	}
	type line struct {
		Kind    string `json:"k"`
		At      int64  `json:"t"`
		Number  uint64 `json:"n"`
		Anomaly string `json:"x"`
	}
	var got []line
	for text := range strings.Lines(file.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if l.Kind == "anomaly" || l.Kind == "receipt" {
			got = append(got, l)
		}
		if l.Kind == "deliver" {
			t.Errorf("a delivery was kept: %s", text)
		}
	}
	const s = int64(time.Second)
	want := []line{
		{"receipt", s + 2, 4, ""}, {"anomaly", s + 3, 4, "duplicated"}, {"receipt", s + 3, 4, ""},
		{"receipt", s + 4, 6, ""}, {"anomaly", s + 5, 5, "reordered"}, {"receipt", s + 5, 5, ""},
		{"anomaly", s + 6, 7, "corrupted"}, {"receipt", s + 6, 7, ""},
		{"receipt", s + 1, 2, ""}, {"anomaly", int64(end), 3, "lost"}, {"receipt", s + 2, 4, ""},
	}
	if diff := cmp.Diff(want, got[:min(len(got), len(want))]); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	rest := got[min(len(got), len(want)):]
	if i := len(rest) - 1; i < 0 || !strings.Contains(file.String(), `"x":"outstanding"`) {
		t.Errorf("what is outstanding is not told: %v", rest)
	}
}
