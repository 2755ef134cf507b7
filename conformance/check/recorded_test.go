package check_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

var update = flag.Bool("update", false, "record the histories in testdata and their verdicts again")

// record writes a world's log as a history.
func (w *world) record(t interface{ Fatal(...any) }) []byte {
	config, err := json.Marshal(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r := history.NewRecorder(&out, history.Full)
	if err := r.Begin(history.Header{Started: time.Unix(1700000000, 0).UTC(), Config: config}); err != nil {
		t.Fatal(err)
	}
	for i := range w.log {
		r.Observe(&w.log[i])
	}
	if err := r.End(history.End{At: w.now, Health: json.RawMessage(`{"ok":true}`)}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// judgeFile judges a history line by line, as it is read.
func judgeFile(t interface{ Fatal(...any) }, in io.Reader) (*check.Tally, check.Report) {
	r := history.NewReader(in)
	h, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var cfg check.Config
	if err := json.Unmarshal(h.Config, &cfg); err != nil {
		t.Fatal(err)
	}
	j := check.New(cfg)
	var o history.Observation
	for err = r.Read(&o); err == nil; err = r.Read(&o) {
		j.Observe(&o)
	}
	if !errors.Is(err, io.EOF) || r.Truncated() {
		t.Fatal("the history ends with", err)
	}
	var health conformance.Health
	if err := json.Unmarshal(r.End().Health, &health); err != nil {
		t.Fatal(err)
	}
	tally := j.Tally(r.End().At)
	return tally, tally.Report(&cfg, health)
}

// TestJudgedAgainIsJudgedTheSame judges random worlds while they go on, and from their files.
func TestJudgedAgainIsJudgedTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(t, everyDefect, rapid.Bool().Draw(t, "resume"))
		_, live := w.judge()
		_, again := judgeFile(t, bytes.NewReader(w.record(t)))
		if diff := cmp.Diff(live, again, sameSamples); diff != "" {
			t.Fatalf("(−live +again):\n%s", diff)
		}
	})
}

// recordings are the histories in testdata: right ones, right ones that look wrong, and one for each defect.
func recordings() map[string]func() *world {
	normal := func(change func(*check.Config), script func(*world, *worldSubscriber)) func() *world {
		return func() *world {
			cfg := config(3, 2, 1, 1)
			cfg.Expect.Schemas = map[string]bool{"": true}
			if change != nil {
				change(&cfg)
			}
			w := newWorld(cfg)
			w.connectAll()
			for range 3 {
				w.publish(0, 0)
				w.publish(1, 0)
			}
			script(w, w.subs[0])
			w.flush()
			w.publish(0, 0)
			w.finish()
			return w
		}
	}
	all := map[string]func() *world{
		"ok": normal(nil, func(*world, *worldSubscriber) {}),
		"ok-resumed": normal(nil, func(w *world, s *worldSubscriber) {
			for range 3 {
				w.hear(s, 1)
				w.disconnect(s, history.CauseReset)
				w.publish(0, 0)
				w.connect(s)
			}
		}),
		"ok-without-resume": normal(func(c *check.Config) { c.Target.Resume = false }, func(w *world, s *worldSubscriber) {
			w.hear(s, 1)
			w.disconnect(s, history.CauseEOF)
			w.publish(0, 0)
			w.connect(s)
		}),
		"ok-indeterminate": normal(nil, func(w *world, s *worldSubscriber) {
			m := w.begin(0, 0)
			w.accept(m)
			w.end(m, history.Indeterminate)
			w.end(w.begin(0, 0), history.Indeterminate)
			w.end(w.begin(0, 0), history.Rejected)
		}),
		"ok-gap-announced": normal(func(c *check.Config) { c.Target.Events = 2 }, func(w *world, s *worldSubscriber) {
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			for range 5 {
				w.publish(0, 0)
			}
			w.connect(s)
			w.sub(s, history.Observation{Kind: history.Gap, Text: "gap"})
			s.queue = s.queue[len(s.queue)-2:]
		}),
		"unknown-interrupted": normal(nil, func(w *world, s *worldSubscriber) {
			s.next()
			w.phase("interrupted")
		}),
	}
	for _, d := range defects {
		all["bad-"+strings.ReplaceAll(d.name, " ", "-")] = normal(nil, func(w *world, s *worldSubscriber) {
			w.cfg.Streams = append(w.cfg.Streams[:2:2], "room-2")
			w.cfg.Publishers = append(w.cfg.Publishers[:2:2], 1)
			d.do(w, s)
		})
	}
	return all
}

// verdicts are a report in lines.
func verdicts(r check.Report) string {
	var text strings.Builder
	for _, v := range r.Verdicts {
		fmt.Fprintf(&text, "%-22s %-8s %s", v.ID, v.Outcome, v.Actual)
		if v.Reason != "" {
			fmt.Fprintf(&text, " (%s)", v.Reason)
		}
		text.WriteByte('\n')
		for _, f := range v.Findings {
			fmt.Fprintf(&text, "    %d %s: subscriber %s, connection %d, %s: %s; expected %s, was %s\n",
				f.Count, f.Name, f.Subscriber, f.Connection, f.Stream, f.Text, f.Expected, f.Actual)
			for _, line := range f.Evidence {
				fmt.Fprintf(&text, "        %s\n", line)
			}
		}
	}
	return text.String()
}

// TestRecordedHistories judges what was recorded once, against the verdicts of then.
func TestRecordedHistories(t *testing.T) {
	t.Parallel()
	for name, build := range recordings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", name+".jsonl")
			if *update {
				if err := os.WriteFile(file, build().record(t), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			in, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.Close() }()
			_, report := judgeFile(t, in)
			got := verdicts(report)
			golden := filepath.Join("testdata", name+".verdicts")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("verdicts (−recorded +now):\n%s", diff)
			}
			failed := false
			for _, v := range report.Verdicts {
				failed = failed || v.Outcome == conformance.Fail
			}
			if failed != strings.HasPrefix(name, "bad-") {
				t.Errorf("failed: %v", failed)
			}
		})
	}
}
