package broker

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestPublishNumbersEachStreamFromOne(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{})
	for i := 1; i <= 3; i++ {
		for _, stream := range []string{"a", "b"} {
			p, err := b.Publish(stream, "", nil)
			if err != nil || p.Number != uint64(i) {
				t.Fatalf("publish %d to %s is %+v, %v", i, stream, p, err)
			}
		}
	}
}

func TestPublishRefusesWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{MaxEventBytes: 8})
	for name, c := range map[string]struct{ stream, eventType, data string }{
		"no stream":          {"", "", ""},
		"line break in type": {"a", "x\ny", ""},
		"CR in type":         {"a", "x\ry", ""},
		"NUL in type":        {"a", "x\x00", ""},
		"line break in name": {"a\nb", "", ""},
		"long name":          {strings.Repeat("a", 257), "", ""},
		"not UTF-8":          {"a", "", "\xff"},
		"too large":          {"a", "", "123456789"},
	} {
		if p, err := b.Publish(c.stream, c.eventType, []byte(c.data)); err == nil {
			t.Errorf("%s: published as %+v", name, p)
		}
	}
	if got := b.Stats().Published; got != 0 {
		t.Errorf("%d events counted, want 0", got)
	}
}

func TestMaxStreamsIsALimitOnWhatExists(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{MaxStreams: 1})
	publish(t, b, "a", "x", "y")
	if _, err := b.Publish("b", "", nil); err == nil {
		t.Fatal("a second stream was made")
	}
	if r, _ := do(t, "GET", url+"/events?stream=b", ""); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("following a second stream: %s, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
	}
}

func TestStreamNobodyPublishedToIsForgotten(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{MaxStreams: 1})
	for i := range 3 {
		e := get(t, url+"/events?stream=s"+strconv.Itoa(i))
		e.close()
		eventually(t, "the stream is gone", func() bool { return b.history().streams == 0 })
	}
}

func TestConfigNamesEveryWrongField(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Queue: -1, SlowPolicy: "wait", SessionMaxAge: -1, Greeting: Signal{Type: "a\nb"}, PublishRate: math.NaN()})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"queue is -1", `slow policy is "wait"`, "session max age", "line break", "publish rate is NaN"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config Config
		events int
	}{
		"by events": {Config{HistoryEvents: 10, Queue: 5}, 15},
		"by bytes":  {Config{HistoryBytes: 1000}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t, c.config)
			for range 1000 {
				publish(t, b, "a", strings.Repeat("x", 600))
			}
			if got := b.history(); got.events != c.events {
				t.Errorf("holds %+v, want %d events", got, c.events)
			}
		})
	}
}
