package server

import (
	"fmt"
	"slices"
	"time"
)

// flow is a stream of small pieces, each sent only when the one before it has come.
type flow struct {
	head  string // of the origin's response, with the blank line
	count int
	gap   time.Duration // between a piece's arrival and the next one
	word  string        // what a piece is called; "" for event
	piece func(i int) string

	together bool // the first piece is sent in one write with the head; else it waits until the client has the head
}

// heldBack is what was seen of a flow that did not pass at once.
type heldBack struct {
	text     string
	expected string
	evidence []string
	doubt    string // why it may be this machine's doing; "" when it is not
}

// report notes the deviation for what was sent. One in doubt ends the case as unknown.
func (h *heldBack) report(t *Trial, what string) {
	if h.doubt != "" {
		t.Unknown("%s: %s, but %s", what, h.text, h.doubt)
	}
	t.Deviation(h.expected, what+": "+h.text, h.evidence)
}

// attempts is how often what came late is tried again: a gateway that holds back does so each time, a busy machine does not.
const attempts = 3

// flows sends pieces through the gateway and returns nil when they came within the bound: all but one in twenty, which may have been
// late on the way.
func (t *Trial) flows(f flow, bound time.Duration) (late *heldBack) {
	if f.word == "" {
		f.word = "event"
		f.piece = func(i int) string { return fmt.Sprintf("id: %06d\ndata: %022d\n\n", i, i) }
	}
	for range attempts {
		if late = t.flowOnce(f, bound); late == nil || late.doubt == "" {
			return late
		}
	}
	return late
}

func (t *Trial) flowOnce(f flow, bound time.Duration) *heldBack {
	p := t.Through()
	u := p.Upstream()
	defer p.End(u)
	began := time.Now()
	if !f.together {
		t.originSent(u.Head(f.head))
		p.Tap(headFirst)
	}
	late := &heldBack{expected: fmt.Sprintf("each %s at the client within %v of the origin's sending it", f.word, bound)}
	var times []time.Duration
	for i := range f.count {
		t.Allow(stuck)
		took, came := p.relay(u, f.piece(i), f.head, f.together && i == 0)
		if !came {
			late.doubt = t.doubt(began, stuck)
			late.text = fmt.Sprintf("%s %d of %d had not come %v after the origin sent it; %s", f.word, i+1, f.count, stuck, p.finally(u))
			late.evidence = p.Evidence()
			return late
		}
		times = append(times, took)
		t.idle(f.gap)
	}
	t.Count(f.count)
	slices.Sort(times)
	if times[len(times)-1-len(times)/20] <= bound {
		return nil
	}
	median := times[len(times)/2]
	switch fastest := times[0]; {
	case fastest > bound: // a busy machine is not late each time
		late.doubt = t.doubt(began, 4*(fastest-bound))
	case median > bound:
		late.doubt = t.doubt(began, median-bound)
	default:
		late.doubt = "that is too few to tell a gateway's delay from the machine's: a timer of the harness was " + t.LagSince(began).Round(time.Millisecond).String() + " late"
	}
	n := len(times) - slices.IndexFunc(times, func(d time.Duration) bool { return d > bound })
	late.text = fmt.Sprintf("%d of %d %ss took longer, the longest %v, half of them at least %v", n, f.count, f.word, round(times[len(times)-1]), round(median))
	late.evidence = p.Evidence()
	return late
}

// headFirst is how long the first piece waits for the head to come: a gateway that holds it back may do so until there is a body.
const headFirst = 300 * time.Millisecond

// relay is Relay, of a piece that may be sent in one write with the head before it.
func (p *Passage) relay(u *Upstream, piece, head string, together bool) (took time.Duration, came bool) {
	if !together {
		return p.Relay(u, piece, stuck)
	}
	began := time.Now()
	p.t.originSent(u.HeadWith(head, piece))
	p.sent += len(piece)
	return p.transit(began, stuck)
}

// doubt says why something that came too late by this much may have been delayed by this machine; "" when it was not. Timers of the
// harness are late when the machine is busy, and each of the hops of a piece can be as late as they.
func (t *Trial) doubt(began time.Time, excess time.Duration) string {
	if lag := t.LagSince(began); 4*lag > excess {
		return fmt.Sprintf("this machine was too busy to tell: a timer of the harness was %v late", lag.Round(time.Millisecond))
	}
	return ""
}

// finally ends the response and says whether that brings what was held back.
func (p *Passage) finally(u *Upstream) string {
	began := time.Now()
	u.Finish()
	if _, came := p.transit(began, stuck); came {
		return "it came when the origin ended the response"
	}
	return fmt.Sprintf("nor within %v of the end of the response", stuck)
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// deviate notes a deviation in time, of something that began then and was late by so much. When it is in doubt, the case ends as
// unknown.
func (t *Trial) deviate(began time.Time, excess time.Duration, expected, actual string, evidence ...[]string) {
	if doubt := t.doubt(began, excess); doubt != "" {
		t.Unknown("%s, but %s", actual, doubt)
	}
	t.Absence(expected, actual, evidence...)
}
