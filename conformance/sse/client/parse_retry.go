package client

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// retryCases are about what counts as a reconnection time. Whether a client keeps to one is the matter of the area RECON.
var retryCases = []Case{
	{Requirement: "SSE-PARSE-035", Run: func(t *Trial) { retryCounts(t, 3*time.Second, func(in string) string { return in }) }},
	{Requirement: "SSE-PARSE-037", Run: absurdRetry},
	{Requirement: "SSE-PARSE-038", Run: func(t *Trial) {
		// So long that it cannot be the client's own first delay.
		retryCounts(t, 1500*time.Millisecond, func(in string) string { return strings.ReplaceAll(in, "retry: 2", "retry: 1500") })
	}},
}

// retryCounts serves the vectors and measures how long the client stays away. It is compared with how long it does after a plain retry:
// clients have a backoff and a jitter of their own.
func retryCounts(t *Trial, want time.Duration, vary func(string) string) {
	const early = 50 * time.Millisecond
	t.Allow(sequenceTime + returnWithin)
	streams := []string{fmt.Sprintf("retry: %d\ndata: x\n\n", want.Milliseconds())}
	for _, v := range vectorsOf(t.Requirement.ID) {
		streams = append(streams, vary(v.In))
	}
	gaps := t.gaps(streams, 5*want)
	slices.Sort(gaps[0])
	plain := gaps[0][len(gaps[0])/2]
	if plain == never || plain < want/3 {
		t.Skip("a plain retry: %d is not followed either, which is the matter of SSE-RECON-004", want.Milliseconds())
	}
	if lag := t.Lag(); lag > want/10 {
		t.Unknown("this machine was too busy to tell how long the client stays away: the harness was %v late", lag.Round(time.Millisecond))
	}
	low, high := min(want-early, gaps[0][0]*3/4), max(want, plain)*3/2
	for i, in := range streams[1:] {
		slices.Sort(gaps[i+1])
		median := gaps[i+1][len(gaps[i+1])/2]
		t.Count(len(gaps[i+1]))
		text := fmt.Sprintf("%v", median.Round(time.Millisecond))
		if median == never {
			text = fmt.Sprintf("none within %v", 5*want)
		}
		if median < low || median > high {
			if median > high {
				t.sure(min(median, 5*want)-high, text)
			}
			t.Deviation(fmt.Sprintf("a new request after %v to %v", low.Round(time.Millisecond), high.Round(time.Millisecond)), text,
				[]string{"sent: " + sse.Escape([]byte(in))})
		}
	}
	t.Conclude(fmt.Sprintf("each as a plain retry, after which it stays away for %v", plain.Round(time.Millisecond)))
}

// never is the gap of a client that did not come back in time.
const never = time.Duration(1<<63 - 1)

// gaps serves each stream a few times, side by side where the client can, and measures the time from its end to the next request.
func (t *Trial) gaps(streams []string, most time.Duration) [][]time.Duration {
	t.meet()
	times := 5
	if !t.Can(subject.Multi) {
		times = 1
	}
	all := make([][]time.Duration, len(streams))
	var mu sync.Mutex
	var running sync.WaitGroup
	for i, in := range streams {
		for range times {
			one := func() {
				gap := t.gap(in, most)
				mu.Lock()
				defer mu.Unlock()
				all[i] = append(all[i], gap)
			}
			if times == 1 {
				one()
				continue
			}
			running.Add(1)
			t.Go(func() {
				defer running.Done()
				one()
			})
		}
	}
	running.Wait()
	if slices.ContainsFunc(all, func(gaps []time.Duration) bool { return len(gaps) == 0 }) {
		t.Give() // the case was ended there
	}
	return all
}

func (t *Trial) gap(in string, most time.Duration) time.Duration {
	lost := make(chan time.Time, 1)
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if c.Number > 0 {
			c.AwaitGone()
			return nil
		}
		err := c.Send(in)
		lost <- time.Now()
		return err
	})
	f := t.Follow(subject.Open{URL: s.URL("/"), Listen: []string{"message"}})
	t.begun(s)
	at := <-lost
	r, ok := t.AwaitRequest(s, 2, most)
	if !ok {
		return never
	}
	f.closed()
	if r.Accepted.After(at) {
		return r.Accepted.Sub(at)
	}
	return r.At.Sub(at)
}

// SSE-PARSE-037: A retry value beyond any sane range neither crashes the client nor wraps around to an immediate reconnection.
func absurdRetry(t *Trial) {
	const watch = 5 * time.Second
	t.meet()
	var running sync.WaitGroup
	for _, v := range vectorsOf(t.Requirement.ID) {
		one := func() { t.absurd(v.Name, v.In, watch) }
		if !t.Can(subject.Multi) {
			one()
			continue
		}
		running.Add(1)
		t.Go(func() {
			defer running.Done()
			one()
		})
	}
	running.Wait()
	t.Conclude(fmt.Sprintf("the event was delivered, and at most one reconnection followed in %v", watch))
}

func (t *Trial) absurd(name, in string, watch time.Duration) {
	_, name, _ = strings.Cut(name, "/")
	ended := make(chan struct{})
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if c.Number == 0 {
			defer close(ended)
		}
		return c.Send(in)
	})
	f := t.Follow(subject.Open{URL: s.URL("/")})
	t.begun(s)
	t.until(ended, patience)
	_, delivered := f.awaitEvents(1, patience)
	t.pass(watch)
	t.settle() // the client still answers
	requests := s.Requests()
	f.closed()
	t.Count(1)
	evidence := []string{"sent: " + sse.Escape([]byte(in))}
	if shown := 60; len(in) > shown {
		evidence = []string{fmt.Sprintf("sent: %s … %s in all", sse.Escape([]byte(in[:shown])), conformance.Plural(len(in), "byte"))}
	}
	want := fmt.Sprintf("the event, and at most one reconnection in %v", watch)
	if !delivered {
		t.sure(patience, "the event was not delivered")
		t.Deviation(want, name+": the event was not delivered", evidence)
	}
	shortest := never
	for i := 1; i < len(requests); i++ {
		shortest = min(shortest, requests[i].At.Sub(requests[i-1].At))
	}
	actual := fmt.Sprintf("%s: %s in %v, the shortest wait was %v", name, conformance.Plural(len(requests)-1, "reconnection"), watch, shortest.Round(time.Millisecond))
	switch {
	case len(requests) <= 2 && shortest >= wrapped:
	case shortest >= wrapped:
		if len(requests) > 7 && shortest < 3*wrapped {
			t.sure(0, actual) // a busy machine makes an immediate reconnection look like one with a short delay
		}
		t.Tolerated(want, actual+": the value is ignored", evidence)
	default:
		if len(requests) < 10 { // so many are no matter of this machine
			t.sure(0, actual)
		}
		t.Deviation(want, actual, evidence)
	}
}

// wrapped is a wait so short that the value must have wrapped around.
const wrapped = 80 * time.Millisecond
