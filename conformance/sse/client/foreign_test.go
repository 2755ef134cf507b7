package client_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// foreign judges a client behind somebody else's adapter.
func foreign(t *testing.T, start subject.Starter, only ...string) map[string]conformance.Verdict {
	t.Helper()
	verdicts, _, _, err := client.Check(t.Context(), start, client.Cases, client.Options{Foreign: true, Only: only, Parameter: quickly})
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]conformance.Verdict{}
	for _, v := range verdicts {
		if undecided(v) {
			t.Skip(describe(v))
		}
		byID[v.ID] = v
	}
	return byID
}

// TestWhatWasReportedIsOfClientOrAdapter: a failure that rests on reports names both, one that rests on requests does not.
func TestWhatWasReportedIsOfClientOrAdapter(t *testing.T) {
	t.Parallel()
	m, known := mutant.ByName("close-leaves-the-connection")
	if !known {
		t.Fatal("there is no such mutant")
	}
	v := foreign(t, subject.Local(&embedded.Client{Mutate: m.Client}), "SSE-API-005")["SSE-API-005"]
	if v.Outcome != conformance.Fail || strings.Contains(v.Reason, "client or adapter") {
		t.Error(describe(v))
	}
	trims := relayed(func(l map[string]any) []map[string]any {
		if data, ok := l["data"].(string); ok {
			l["data"] = strings.TrimSpace(data)
		}
		return []map[string]any{l}
	})
	v = foreign(t, trims, "SSE-PARSE-004")["SSE-PARSE-004"]
	if v.Outcome != conformance.Fail || !strings.Contains(v.Reason, "client or adapter") {
		t.Error(describe(v))
	}
}

// TestAClientThatFollowsNothingIsToldAtOnce: one finding says it, and what stands on it is skipped.
func TestAClientThatFollowsNothingIsToldAtOnce(t *testing.T) {
	t.Parallel()
	mute := relayed(func(l map[string]any) []map[string]any {
		if l["ev"] == "hello" || l["ev"] == "sync" {
			return []map[string]any{l}
		}
		return nil
	})
	all := foreign(t, mute, "SSE-PARSE-001", "SSE-PARSE-002", "SSE-PARSE-025", "SSE-API-004", "SSE-API-005", "SSE-HTTPC-001")
	for id, v := range all {
		want := conformance.Skip
		switch id {
		case "SSE-PARSE-001":
			want = conformance.Fail
			if !strings.Contains(v.Actual, "no event was reported") {
				t.Error(describe(v))
			}
		case "SSE-HTTPC-001": // it is judged by what the server sees
			want = conformance.Pass
		}
		if v.Outcome != want {
			t.Errorf("want %v: %s", want, describe(v))
		}
	}
}

// TestTheInputThatEndsAClientIsNamed: the requirement that ran is told, and the others are judged with a fresh process.
func TestTheInputThatEndsAClientIsNamed(t *testing.T) {
	t.Parallel()
	all := foreign(t, crashing("event: error"), "SSE-PARSE-001", "SSE-PARSE-005", "SSE-PARSE-009", "SSE-PARSE-039")
	for id, v := range all {
		switch id {
		case "SSE-PARSE-039":
			if want := "the client's process ended with status 3 while SSE-PARSE-039 ran; its standard error ends with: bad input"; v.Outcome != conformance.Fail || v.Actual != want {
				t.Errorf("want %q: %s", want, describe(v))
			}
		default:
			if strings.Contains(v.Actual, "process ended") || v.Outcome == conformance.Unknown {
				t.Error(describe(v))
			}
		}
	}
}

// relayed is the reference client with the lines of its adapter changed on their way.
func relayed(change func(l map[string]any) []map[string]any) subject.Starter {
	return func(ctx context.Context) (*subject.Link, error) {
		link, err := subject.Local(new(embedded.Client))(ctx)
		if err != nil {
			return nil, err
		}
		r, w := io.Pipe()
		out, kill, wait := link.Out, link.Kill, link.Wait
		var copying sync.WaitGroup
		copying.Go(func() {
			defer w.Close()
			for lines := bufio.NewReader(out); ; {
				text, err := lines.ReadBytes('\n')
				var l map[string]any
				if err != nil || json.Unmarshal(text, &l) != nil {
					return
				}
				for _, l := range change(l) {
					if text, err = json.Marshal(l); err == nil {
						_, err = fmt.Fprintf(w, "%s\n", text)
					}
					if err != nil {
						return
					}
				}
			}
		})
		link.Out = r
		link.Kill = func() { kill(); _ = r.Close() }
		link.Wait = func() error { err := wait(); copying.Wait(); return err }
		return link, nil
	}
}

// crashing is the reference client in a process of its own, which ends at these bytes.
func crashing(at string) subject.Starter {
	return subject.Program("env", crashVariable+"="+at, os.Args[0])
}
