package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// follower is a subscriber that comes back with the position it committed whenever its stream ends, as an EventSource does. One
// goroutine uses it.
type follower struct {
	t       *Trial
	streams []string
	options []Option

	asked    string  // the position of the first connection
	position string  // committed so far
	taps     []*Tap  // all its connections, the last one being current
	taken    int     // events of the current connection that are in seen
	seen     []Event // over all connections, without what the subject sends on its own
	at       []int   // for each seen event, which connection brought it
	kept     int64   // what seen takes beside what the connections keep
	idle     int     // connections in a row that brought nothing
	refused  string  // why it could not come back
}

// follow subscribes, to come back whenever that is needed, always as the same client. A token is made once and used on all connections.
func (t *Trial) follow(streams []string, options ...Option) *follower {
	f := t.follower(streams, options...)
	if !f.open() {
		t.interrupted()
		t.Unknown("no stream could be opened: %s", f.refused)
	}
	return f
}

func (t *Trial) follower(streams []string, options ...Option) *follower {
	f := &follower{t: t, streams: streams, options: append([]Option{t.oneClient(streams...)}, options...)}
	t.Cleanup(func() { _ = t.suite.stock.keep(-f.kept) }) // less is allowed
	return f
}

// open connects at the position; more options are for this connection alone.
func (f *follower) open(more ...Option) bool {
	options := slices.Clone(f.options)
	if f.position != "" {
		options = append(options, From(f.position))
	}
	if len(f.taps) == 0 {
		f.asked = f.position
	}
	p, err := f.t.Open(f.streams, append(options, more...)...)
	switch {
	case err != nil:
		f.t.interrupted()
		f.refused = err.Error()
		return false
	case p.Status() != http.StatusOK || !p.Response.EventStream():
		f.taps, f.taken = append(f.taps, p), 0
		f.refused = fmt.Sprintf("the answer was status %d with content type %q", p.Status(), p.Header("Content-Type"))
		return false
	}
	f.refused = ""
	f.taps, f.taken = append(f.taps, p), 0
	if coding := p.unasked(); coding != "" {
		f.t.Unknown("the stream came with the content coding %s, which was not asked for: see SSE-HTTPS-009", coding)
	}
	if !f.t.ready(p) {
		f.refused = fmt.Sprintf("the stream was not ready within %v", f.t.arrival)
	}
	return f.refused == ""
}

func (f *follower) tap() *Tap { return f.taps[len(f.taps)-1] }

// take moves what has come into seen, and commits the position.
func (f *follower) take() {
	p := f.tap()
	p.mu.Lock() // events and position belong together
	defer p.mu.Unlock()
	before := len(f.seen)
	for _, e := range p.record.Events[f.taken:] {
		if !f.t.signal(e) {
			f.seen, f.at = append(f.seen, e), append(f.at, len(f.taps))
		}
	}
	if len(p.record.Events) > f.taken {
		f.idle = 0
	}
	f.taken, f.position = len(p.record.Events), p.id
	more := int64(len(f.seen)-before) * eventCost
	f.kept += more
	if full := f.t.suite.stock.keep(more); full != nil {
		f.t.GiveUp(full.Error())
	}
}

// leave ends the connection and takes what came before that.
func (f *follower) leave() {
	f.tap().Close()
	f.take()
}

// mostIdle is how many connections in a row may end without an event before a follower gives up.
const mostIdle = 5

// comeBack connects again after the stream ended. Who is told to try later does, a few times.
func (f *follower) comeBack() bool {
	for {
		if f.idle++; f.idle > mostIdle {
			if f.refused == "" {
				f.refused = fmt.Sprintf("%s in a row ended without an event", conformance.Plural(mostIdle, "connection"))
			}
			return false
		}
		if !pause(f.t, time.Duration(f.idle-1)*50*time.Millisecond) {
			return false
		}
		if f.open() {
			return true
		}
		if !turnsAway(f.status()) {
			return false
		}
	}
}

// goesOn publishes a message and says whether it comes. One that was published while the stream was away is owed only with resume, so
// there is a second one.
func (f *follower) goesOn() bool {
	for range 2 {
		marker := f.t.Unique()
		f.t.Send(f.streams[0], marker)
		if f.hears(marker) {
			return true
		}
		if len(f.taps) == 1 {
			return false
		}
	}
	return false
}

// hears waits until an event that contains the text has come, over as many connections as that takes and as long as messages keep
// coming. Whether it comes is unknown when they do so for a minute.
func (f *follower) hears(text string) bool {
	for round := 0; ; round++ {
		f.t.Allow(f.t.arrival)
		seen, began := len(f.seen), time.Now()
		if f.hearsWithin(text, f.t.arrival) {
			f.t.suite.patience.came(time.Since(began))
			return true
		}
		if f.refused != "" || !slices.ContainsFunc(f.seen[seen:], f.t.ours) {
			f.t.inVain()
			return false
		}
		f.t.atMost(round)
	}
}

func (f *follower) hearsWithin(text string, within time.Duration) bool {
	return f.hearsBehind(0, text, within)
}

// hearsBehind is hearsWithin for a text that is not among the first events.
func (f *follower) hearsBehind(known int, text string, within time.Duration) bool {
	f.t.Doing("a message is awaited")
	for end := time.Now().Add(within); ; {
		f.take()
		for ; known < len(f.seen); known++ {
			if strings.Contains(f.seen[known].Data, text) {
				return true
			}
		}
		f.t.interrupted()
		ended, _ := f.tap().Ended()
		switch more := f.more(); {
		case more:
		case ended && !f.comeBack(), !time.Now().Before(end):
			return false
		default:
			f.tap().Await(f.t.Context(), time.Until(end), func(r *Record) bool { return len(r.Events) > f.taken })
		}
	}
}

// more says whether events have come that were not taken yet.
func (f *follower) more() (more bool) {
	f.tap().Look(func(r *Record) { more = len(r.Events) > f.taken })
	return more
}

// mustOwe ends the case when the subscriber did not stay connected to a subject that does not claim resuming: then nothing is owed to it.
func (f *follower) mustOwe() {
	if ended, err := f.tap().Ended(); !f.t.claimsResume() && (ended || len(f.taps) > 1) {
		f.t.Unknown("a stream did not stay open: %s", endText(err))
	}
}

// evidence is how one connection, from 1, began, and what came over it.
func (f *follower) evidence(connection int) []string {
	if connection < 1 || connection > len(f.taps) {
		return nil
	}
	p := f.taps[connection-1]
	lines := []string{p.Curl()}
	lines = append(lines, p.Head()...)
	return append(lines, p.Evidence()...)
}

// evidenceOf is what came over its connection with a seen event, and behind it.
func (f *follower) evidenceOf(at int) []string {
	p, e := f.taps[f.at[at]-1], f.seen[at]
	return append([]string{p.Curl()}, p.EvidenceFrom(max(0, e.End-2*len(e.Data)))...)
}

// status is that of the newest answer; 0 when there was none.
func (f *follower) status() int {
	if len(f.taps) == 0 {
		return 0
	}
	return f.tap().Status()
}

// connectionOf is the connection, from 1, that brought the seen event at an index, or the newest.
func (f *follower) connectionOf(at int) int {
	if at < len(f.at) {
		return f.at[at]
	}
	return len(f.taps)
}

// saw says whether a message was seen.
func (f *follower) saw(s series, lane, number int) bool {
	return slices.ContainsFunc(f.seen, func(e Event) bool {
		l, n, ok := s.find(e.Data)
		return ok && l == lane && n == number
	})
}

// arrival is when a message was seen for the first time.
func (f *follower) arrival(s series, lane, number int) (at time.Time, came bool) {
	for _, e := range f.seen {
		if l, n, ok := s.find(e.Data); ok && l == lane && n == number {
			return e.At, true
		}
	}
	return time.Time{}, false
}

// wait lets time pass.
func (t *Trial) wait(d time.Duration) {
	if !pause(t, d) {
		t.interrupted()
	}
}

// pause lets time pass, also in a goroutine that must not end the case, and says whether the case goes on.
func pause(t *Trial, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.Context().Done():
		return false
	}
}
