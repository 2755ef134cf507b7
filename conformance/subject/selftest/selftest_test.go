package selftest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/selftest"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheAdapterOfTheReferenceClientIsRight(t *testing.T) {
	t.Parallel()
	results, err := selftest.Run(t.Context(), subject.Local(new(embedded.Client)), nil)
	if err != nil {
		t.Fatal(err)
	}
	const least = 18
	if len(results) < least {
		t.Errorf("only %d checks", len(results))
	}
	for _, r := range results {
		if r.Problem != "" {
			t.Errorf("%s: %s", r.Name, r.Problem)
		}
	}
}

// line is a line of the protocol.
type line map[string]any

func (l line) is(ev string) bool { return l["ev"] == ev }

// data changes an event's data.
func data(change func(string) string) func(line) []line {
	return func(l line) []line {
		if text, ok := l["data"].(string); ok {
			l["data"] = change(text)
		}
		return []line{l}
	}
}

// swaps holds each event named greeting back until the line behind it.
func swaps() func(line) []line {
	var held line
	return func(l line) []line {
		if held == nil && l["type"] == "greeting" {
			held = l
			return nil
		}
		all := []line{l}
		if held != nil {
			all = append(all, held)
			held = nil
		}
		return all
	}
}

func without(key string) func(line) []line {
	return func(l line) []line {
		delete(l, key)
		return []line{l}
	}
}

func drops(ev string) func(line) []line {
	return func(l line) []line {
		if l.is(ev) {
			return nil
		}
		return []line{l}
	}
}

// declaring adds a capability to the hello.
func declaring(capability string) func(line) []line {
	return func(l line) []line {
		if l.is("hello") {
			l["caps"] = append(l["caps"].([]any), capability)
		}
		return []line{l}
	}
}

func TestAWrongAdapterIsCaught(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mistake string
		reports func() func(line) []line // what becomes of a report
		command func() func(line) []line // and of a command
		failing string                   // the checks that fail
	}{
		{"declares what there is not", always(declaring("lastEventId")), nil, "hello"},
		{"declares what it does not do", always(declaring("post")), nil, "post"},
		{"declares a policy in words of its own", always(func(l line) []line {
			if l.is("hello") {
				l["policy"] = line{"backoff": line{"base_ms": 1000, "jitter": 0.5, "spread": "downward"}}
			}
			return []line{l}
		}), nil, "hello"},
		{"has a cause of its own", always(func(l line) []line {
			if l.is("error") {
				l["cause"] = "connection"
			}
			return []line{l}
		}), nil, "loss is reported"},
		{"forgets the idle timeout", nil, always(without("idle_timeout_ms")), "idle-timeout"},
		{"has no name", always(without("name")), nil, "hello"},
		{"drops NUL", always(data(func(s string) string { return strings.ReplaceAll(s, "\x00", "") })), nil, "echo of NUL"},
		{"has a limit", always(data(func(s string) string { return s[:min(len(s), 64<<10)] })), nil, "echo of 1 MiB"},
		{"joins lines", always(data(func(s string) string { return strings.ReplaceAll(s, "\n", "") })), nil, "echo of several lines"},
		{"trims", always(data(strings.TrimSpace)), nil, "echo of several lines"},
		{"speaks ASCII", always(data(func(s string) string {
			return strings.Map(func(r rune) rune { return min(r, 0x7f) }, s)
		})), nil, "echo of Unicode"},
		{"swallows empty data", always(func(l line) []line {
			if l["data"] == "" {
				return nil
			}
			return []line{l}
		}), nil, "echo of empty data"},
		{"forgets types", always(without("type")), nil, "echo of a named event, order"},
		{"forgets ids", always(without("last_event_id")), nil, "echo of an id"},
		{"has a queue for each type", swaps, nil, "echo of a named event, order"},
		{"reports after the close", always(func(l line) []line {
			if l.is("closed") {
				return []line{l, {"ev": "event", "conn": l["conn"], "type": "message", "data": "a"}}
			}
			return []line{l}
		}), nil, "close silences"},
		{"takes each loss for the end", always(func(l line) []line {
			if l.is("error") {
				l["fatal"] = true
			}
			return []line{l}
		}), nil, "loss is reported"},
		{"reports no open", always(drops("open")), nil, "open"},
		{"reports no comments", always(drops("comment")), nil, "comments"},
		{"forgets headers", nil, always(without("headers")), "headers"},
		{"forgets the position", nil, always(without("last_event_id")), "last-event-id"},
	} {
		t.Run(test.mistake, func(t *testing.T) {
			t.Parallel()
			var failing []string
			_, err := selftest.Run(t.Context(), altered(test.reports, test.command), func(r selftest.Result) {
				if r.Problem != "" {
					failing = append(failing, r.Name)
					t.Logf("%s: %s", r.Name, r.Problem)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(failing, ", "); got != test.failing {
				t.Errorf("these checks fail: %q, want %q", got, test.failing)
			}
		})
	}
}

func TestWhatBreaksTheProtocolIsTheAdaptersFault(t *testing.T) {
	t.Parallel()
	noise := func(l line) []line {
		if l.is("event") {
			return []line{{"ev": make(chan int)}} // what cannot be encoded is printed as it is
		}
		return []line{l}
	}
	results, err := selftest.Run(t.Context(), altered(always(noise), nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Name == "clean output" && (r.Ambiguous || !strings.Contains(r.Problem, "something else than the protocol")) {
			t.Errorf("%+v", r)
		}
	}
}

func TestAnAdapterThatDoesNotStartIsNotTriedAnyFurther(t *testing.T) {
	t.Parallel()
	results, err := selftest.Run(t.Context(), subject.Program("/no/such/adapter"), nil)
	if err != nil || len(results) != 1 || results[0].Problem == "" || results[0].Ambiguous {
		t.Errorf("%+v, %v", results, err)
	}
}

// TestAnAdapterThatSaysNothingMoreIsNotTriedAnyFurther: it is waited for twice, and not once more in each check.
func TestAnAdapterThatSaysNothingMoreIsNotTriedAnyFurther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		onlyHello := func(l line) []line {
			if l.is("hello") {
				return []line{l}
			}
			return nil
		}
		results, err := selftest.Adapter(t.Context(), altered(always(onlyHello), nil))
		if err != nil || len(results) != 2 || results[1].Problem == "" || results[1].Ambiguous {
			t.Errorf("%+v, %v", results, err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func always(change func(line) []line) func() func(line) []line {
	return func() func(line) []line { return change }
}

// altered is the adapter of the reference client with the lines on their way changed.
func altered(reports, commands func() func(line) []line) subject.Starter {
	return func(ctx context.Context) (*subject.Link, error) {
		link, err := subject.Local(new(embedded.Client))(ctx)
		if err != nil {
			return nil, err
		}
		var copying sync.WaitGroup
		if reports != nil {
			r, w := io.Pipe()
			out := link.Out
			copying.Go(func() { alter(w, out, reports()); _ = w.Close() })
			link.Out = r
			kill := link.Kill
			link.Kill = func() { kill(); _ = r.Close() }
		}
		if commands != nil {
			r, w := io.Pipe()
			in := link.In
			copying.Go(func() { alter(in, r, commands()); _ = in.Close(); _ = r.Close() })
			link.In = w
		}
		wait := link.Wait
		link.Wait = func() error {
			err := wait()
			_ = link.In.Close()
			copying.Wait()
			return err
		}
		return link, nil
	}
}

func alter(to io.Writer, from io.Reader, change func(line) []line) {
	lines := bufio.NewReader(from)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		l := line{}
		if err := json.Unmarshal(text, &l); err != nil {
			panic(err)
		}
		for _, l := range change(l) {
			text, err := json.Marshal(l)
			if err != nil {
				text = []byte(fmt.Sprint(l))
			}
			if _, err := to.Write(append(text, '\n')); err != nil {
				return
			}
		}
	}
}

// TestAClientsFaultIsNotItsAdapters: no client, however wrong, keeps an adapter from being trusted. One that ends its process is no exception.
func TestAClientsFaultIsNotItsAdapters(t *testing.T) {
	t.Parallel()
	trusted := func(t *testing.T, name string, start subject.Starter) {
		t.Helper()
		results, err := selftest.Adapter(t.Context(), start)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Problem != "" && !r.Ambiguous {
				t.Errorf("%s: %s: %s", name, r.Name, r.Problem)
			}
		}
	}
	for _, m := range mutant.Clients {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			trusted(t, m.Name, subject.Local(&embedded.Client{Mutate: m.Client, Browser: m.Browser}))
		})
	}
	for _, one := range []struct {
		fault           string
		reports, orders func() func(line) []line
	}{
		{"reports nothing", always(func(l line) []line {
			if l.is("hello") || l.is("sync") {
				return []line{l}
			}
			return nil
		}), nil},
		{"goes on after close", always(func(l line) []line {
			if l.is("closed") {
				return []line{l, {"ev": "event", "conn": l["conn"], "type": "message", "data": "a"}}
			}
			return []line{l}
		}), nil},
		{"never closes", always(drops("closed")), nil},
		{"opens nothing", nil, always(func(l line) []line {
			if l["cmd"] == "open" {
				return nil
			}
			return []line{l}
		})},
	} {
		t.Run(one.fault, func(t *testing.T) {
			t.Parallel()
			trusted(t, one.fault, altered(one.reports, one.orders))
		})
	}
	t.Run("ends its process at an event", func(t *testing.T) {
		t.Parallel()
		trusted(t, "crash", subject.Program("sh", "-c", `echo '{"ev":"hello","proto":1,"name":"crash"}'
			while read -r line; do case $line in
			*'"cmd":"open"'*) exit 1;;
			*'"cmd":"sync"'*) seq=${line#*'"seq":'}; echo "{\"ev\":\"sync\",\"seq\":${seq%%,*}}";;
			*) exit 0;;
			esac; done`))
	})
}
