package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// retries are the reconnection times that were sent on the connections of a check.
type retries struct {
	mu          sync.Mutex
	connections int // that sent one
	values      map[time.Duration]*retry
}

// retry is one reconnection time.
type retry struct {
	connections, resumed int // that sent it, and of these those that had come back with a position
	first                *Tap
}

// mostRetries are told apart, and as many of one connection; a subject that sends more is wrong in one of them.
const mostRetries = 1000

// note adds what has come on a connection. The caller holds p.mu.
func (s *retries) note(p *Tap, values []time.Duration) {
	for _, value := range values {
		if p.retries[value] || len(p.retries) == mostRetries {
			continue
		}
		s.add(p, value)
		if p.retries == nil {
			p.retries = map[time.Duration]bool{}
		}
		p.retries[value] = true
	}
}

func (s *retries) add(p *Tap, value time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p.retries) == 0 {
		s.connections++
	}
	r := s.values[value]
	switch {
	case r == nil && len(s.values) == mostRetries:
		return
	case r == nil:
		if s.values == nil {
			s.values = map[time.Duration]*retry{}
		}
		r = &retry{first: p}
		s.values[value] = r
	}
	r.connections++
	if p.resumed {
		r.resumed++
	}
}

// each hands on every value, the smallest first, and on which connections it came, in words.
func (s *retries) each(judge func(value time.Duration, where string, first *Tap)) (connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range slices.Sorted(maps.Keys(s.values)) {
		r := s.values[value]
		where := fmt.Sprintf("on %d of %s", r.connections, conformance.Plural(s.connections, "connection"))
		if r.resumed == r.connections {
			where += ", each of which had come back with a position"
		}
		judge(value, where, r.first)
	}
	return s.connections
}

// "The server sends a retry value or documents its reconnect expectation; if sent it lies in 500 ms..60 s."
//
// It looks at two streams of its own, and at those of all other cases.
func retryIsSensible(t *Trial) {
	least, most := t.Duration("least"), t.Duration("most")
	captures(t)
	t.awaitOthers()
	var sent []string
	connections := t.suite.retries.each(func(value time.Duration, where string, first *Tap) {
		if sent = append(sent, value.String()); value < least || value > most {
			t.Deviation(fmt.Sprintf("a retry value from %v to %v", least, most), value.String()+" "+where, append([]string{first.Curl()}, first.Head()...))
		}
	})
	if connections == 0 {
		t.Info("no retry value was sent")
	}
	t.Count(connections)
	t.Conclude(fmt.Sprintf("retry is %s on %s", strings.Join(sent[:min(len(sent), mostSpans)], ", "), conformance.Plural(connections, "connection")))
}
