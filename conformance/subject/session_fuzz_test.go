package subject_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

// speaker is an adapter that says what it has been given to say: its first line at once, the rest once it is told to open something.
type speaker struct {
	told chan struct{}
	once sync.Once
}

func (s *speaker) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.told) })
	return len(p), nil
}
func (s *speaker) Close() error             { s.once.Do(func() { close(s.told) }); return nil }
func (s *speaker) Read([]byte) (int, error) { <-s.told; return 0, io.EOF }

func speak(text []byte, slowly bool) subject.Starter {
	return func(context.Context) (*subject.Link, error) {
		s := &speaker{told: make(chan struct{})}
		out := io.Reader(bytes.NewReader(text))
		if end := bytes.IndexByte(text, '\n') + 1; end > 0 {
			out = io.MultiReader(bytes.NewReader(text[:end]), s, bytes.NewReader(text[end:]))
		}
		if slowly {
			out = iotest.OneByteReader(out)
		}
		return &subject.Link{In: s, Out: out, Wait: func() error { return nil }, Kill: func() { _ = s.Close() }}, nil
	}
}

// FuzzSession: whatever an adapter writes, the conversation goes on as the protocol says or ends with a reason, and only reports of what was
// opened are kept.
func FuzzSession(f *testing.F) {
	const event = `{"ev":"event","conn":"c1","type":"message","data":"x","last_event_id":"7"}` + "\n"
	for _, text := range []string{
		helloLine + "\n" + event + `{"ev":"sync","seq":2}` + "\n" + `{"ev":"closed","conn":"c1"}` + "\n",
		helloLine + "\n" + strings.Replace(event, "c1", "c9", 1) + `{"ev":"error","conn":"c1","fatal":true,"cause":"status","status":503}` + "\n",
		helloLine + "\n" + `{"ev":"event","conn":"c1","data_b64":"/w=="}` + "\n" + `{"ev":"sync","seq":-1}` + "\n" + event[:20],
		helloLine + "\r\n\n" + event, helloLine, "", "\n", event, `{"ev":"hello","proto":2}` + "\n", helloLine + "\n" + helloLine + "\n",
		helloLine + "\n\xff\n", helloLine + "\n[]\n", helloLine + "\nnull\n" + event,
		`{"ev":"hello","proto":1,"policy":{"backoff":{"base_ms":1e300,"jitter":-1}},"caps":null}` + "\n" + event,
		`{"ev":"hello","proto":1,"name":"x","policy":{"backoff":{"base_ms":1,"factor":1e308,"cap_ms":-1,"jitter":99}}}` + "\n",
		`{"ev":"hello","proto":1,"name":"\u001b[31m\u001b]0;x\u0007<script>","version":"\u009b\u202e","caps":["multi"]}` + "\n" + event,
		`{"ev":"hello","proto":1,"name":` + strings.Repeat("[", 20_000) + "\n", helloLine + "\n" + strings.Repeat(event, 300),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := subject.Begin(context.Background(), speak(text, len(text)%2 == 0))
		if err != nil {
			requireReason(t, err)
			return
		}
		if s.Hello().Proto != subject.Version {
			t.Fatalf("greeted with %+v", s.Hello())
		}
		c, err := s.Open(subject.Open{URL: "http://a.test/"})
		if err != nil {
			requireReason(t, err)
		}
		if err := s.Sync(context.Background()); err != nil {
			requireReason(t, err)
		}
		<-s.Over()
		requireReason(t, s.Err())
		for _, r := range c.Reports() {
			if r.Conn != "c1" || r.Ev == subject.EvSync || r.At.IsZero() {
				t.Fatalf("kept as a report of c1: %+v", r)
			}
			_ = r.Bytes()
		}
		c.Forget()
		_ = s.End() // of one that has ended
	})
}

// requireReason wants one of the ways in which a conversation with such an adapter can end.
func requireReason(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, subject.ErrEnded) && !errors.Is(err, subject.ErrGarbled) {
		t.Fatalf("err = %v, want that it ended or wrote something else than the protocol", err)
	}
}

// FuzzServe: whatever commands an adapter is given, it ends, and writes lines of the protocol alone.
func FuzzServe(f *testing.F) {
	for _, text := range []string{
		`{"cmd":"open","conn":"c1","url":"http://a.test/"}` + "\n" + `{"cmd":"restart","conn":"c1"}` + "\n" + `{"cmd":"close","conn":"c1"}` + "\n" + `{"cmd":"exit"}` + "\n",
		`{"cmd":"close","conn":"c9"}` + "\n" + `{"cmd":"sync","seq":-1}` + "\n{}\nnull\n", `{"cmd":"open"}` + "\n" + `{"cmd":"open"}` + "\n", "x\n", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		open := 0
		client := &scripted{func(_ context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
			if o.URL == "" {
				return nil, errors.New("no URL")
			}
			open++
			to.Opened()
			to.Event(o.Method, []byte(o.Body), o.LastEventID)
			return subscription{closing: func() { open-- }}, nil
		}}
		var out bytes.Buffer
		_ = subject.Serve(context.Background(), bytes.NewReader(text), &out, client) // of commands that are none
		s, err := subject.Begin(context.Background(), speak(out.Bytes(), false))
		if err != nil {
			t.Fatalf("it wrote %q: %v", out.Bytes(), err)
		}
		if _, err := s.Open(subject.Open{}); err != nil {
			requireReason(t, err)
		}
		<-s.Over()
		if errors.Is(s.Err(), subject.ErrGarbled) {
			t.Fatalf("it wrote %q: %v", out.Bytes(), s.Err())
		}
	})
}
