package run

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/history"
)

const (
	partWithin = 10 * time.Second // what subscribers get to end in
	shutWithin = time.Second      // and what one that did not gets to learn that it is not waited for
	partAtOnce = 256              // a connection that is being read is closed only once its reader looks
	mostNamed  = 5
)

// shutOut stands in place of the marks of a subscriber whose observations count no more.
var shutOut = new(mark)

// part ends the subscribers and waits for them, but not for ever: those that are held up, in a flood or for whatever reason, are shut
// out, and the rest is judged without what they see from then on.
func (e *engine) part(following *sync.WaitGroup) {
	parted := make(chan struct{})
	go func() {
		defer crash.Catch()
		places := make(chan struct{}, partAtOnce)
		for _, s := range e.subscribers {
			places <- struct{}{}
			go func() {
				defer func() { <-places }()
				defer crash.Catch()
				s.client.Stop()
				s.line.Lift()
			}()
		}
		following.Wait()
		close(parted)
	}()
	e.awaitParted(parted)
	for _, s := range e.subscribers {
		if s.shut == nil {
			s.flush()
		}
	}
}

func (e *engine) awaitParted(parted <-chan struct{}) {
	late := time.NewTimer(e.partWithin)
	defer late.Stop()
	select {
	case <-parted:
		return
	case <-late.C:
	}
	left := map[*subscriber]*mark{}
	for _, s := range e.subscribers {
		if s.works.Load() {
			e.stragglers = append(e.stragglers, s.index)
			left[s] = s.shutOut()
		}
	}
	learning, over := context.WithTimeout(context.Background(), shutWithin)
	defer over()
	for s, marks := range left {
		select {
		case <-s.shut:
			s.handOn(marks)
			e.observe(&history.Observation{At: e.clock.now(), Kind: history.Closed, Subscriber: s.index, Connection: s.connection, Cause: history.CauseEnd})
		case <-learning.Done(): // it observes nothing: it is held up elsewhere
		}
	}
}

// straggled adds who did not end with the run.
func (e *engine) straggled(h conformance.Health) conformance.Health {
	if len(e.stragglers) == 0 {
		return h
	}
	named := make([]string, 0, mostNamed)
	for _, index := range e.stragglers[:min(len(e.stragglers), mostNamed)] {
		named = append(named, strconv.Itoa(int(index)))
	}
	if more := len(e.stragglers) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	h.OK = false
	h.Problems = append(h.Problems, fmt.Sprintf("%s did not end within %v of the run's end, and what came to them from then on was not judged: %s",
		conformance.Plural(len(e.stragglers), "subscriber"), e.partWithin, strings.Join(named, ", ")))
	return h
}

// shutOut has what the subscriber observes dropped from now on, and returns what was marked before.
func (s *subscriber) shutOut() *mark {
	s.shut = make(chan struct{})
	return s.marks.Swap(shutOut)
}

// isOut hands the marks on, or says that the subscriber is shut out.
func (s *subscriber) isOut() bool {
	newest := s.marks.Swap(nil)
	if newest != shutOut {
		s.handOn(newest)
		return false
	}
	s.marks.Store(shutOut)
	select {
	case <-s.shut:
	default:
		close(s.shut)
	}
	return true
}
