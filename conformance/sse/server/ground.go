package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// What a case takes for granted, each with those before it.
const (
	somebody   = "somebody"                     // takes connections
	anAnswer   = "an answer"                    // comes, whatever it is
	okAnswer   = "an answer with status 200"    // to a plain subscription
	openStream = "a stream of events"           // as the answer to it
	delivery   = "a plain message that arrives" // on that stream, when there is a publisher
)

// grounds are those in their order.
func (s *suite) grounds() []conformance.Ground {
	return []conformance.Ground{
		{Name: somebody, Try: s.meet},
		{Name: anAnswer, Try: func(context.Context) string { return s.unless(s.silent()) }, Told: "SSE-HTTPS-001"},
		{Name: okAnswer, Try: func(context.Context) string { return s.unless(s.obstacle != nil && !s.isStatus(http.StatusOK)) }},
		{Name: openStream, Try: func(context.Context) string { return s.unless(s.obstacle != nil) }},
		{Name: delivery, Try: s.tryDelivery},
	}
}

func (s *suite) unless(missing bool) string {
	if !missing {
		return ""
	}
	return "no stream could be opened: " + s.obstacle.Error()
}

// silent says whether no response came that could be read. Behind a gateway that is for cases to judge.
func (s *suite) silent() bool {
	return s.obstacle != nil && s.subject.Origin == nil && !errors.As(s.obstacle, new(*noStreamError))
}

func (s *suite) isStatus(status int) bool {
	no := new(noStreamError)
	return errors.As(s.obstacle, &no) && no.status == status
}

// tryDelivery sees whether messages arrive. One that is lost, or late, is for cases to judge: the ground is missing where none arrives, where
// each waits for the next, since then nobody can tell what is still to come, and where many subscribers get nothing at all.
func (s *suite) tryDelivery(ctx context.Context) (missing string) {
	if s.subject.Publish == nil || s.subject.Origin != nil {
		return ""
	}
	for range 2 {
		p, err := s.glance(ctx, s.arrival/2)
		if err != nil {
			missing = "no stream could be opened: " + err.Error()
			continue
		}
		began := time.Now()
		missing = p.delivers(ctx, s.arrival/2)
		if missing == "" {
			s.delivers = true
			s.joined.Delay = time.Since(began)
			s.bear(p.pace(ctx, &s.joined.Delay))
			p.Close()
			return s.someMute(ctx)
		}
		p.Close()
	}
	return "no plain message arrives: " + missing
}

// pace is what a message takes the subject where one was delivered after a delay: less than that where it was the first of all, which
// corrects the delay, or several are on their way at once.
func (p *glance) pace(ctx context.Context, delay *time.Duration) time.Duration {
	const first, last = 11, 14 // behind those that were published so far
	began, alone := time.Now(), *delay
	var newest time.Time
	at := func(n int) (at time.Time) {
		p.Look(func(r *Record) {
			for _, e := range r.Events {
				if strings.Contains(e.Data, p.text(n)) {
					at = e.At
				}
			}
		})
		return at
	}
	for n := first; n <= last; n++ {
		receipt := p.publish(ctx, n)
		if receipt.Acceptance != Acknowledged {
			return *delay
		}
		newest = receipt.Began
	}
	each := time.Since(began) / (last - first + 1)
	if p.Await(ctx, max(2**delay, time.Second), func(r *Record) bool { return r.contains(p.text(last)) }) {
		each = max(each, at(last).Sub(at(first))/(last-first))
		*delay = min(*delay, at(last).Sub(newest))
	}
	return min(each, alone)
}

// inTurn is how long who asks for a message may wait for the others, and quickEnough where nobody does.
const (
	inTurn      = time.Second
	quickEnough = inTurn / conformance.UsualParallel
)

// bear has fewer cases run at once with a subject that is slow: else each would wait for the others, longer than for anything that comes.
func (s *suite) bear(each time.Duration) {
	s.joined.Pace = each
	if each > quickEnough {
		s.joined.Parallel = max(1, min(cmp.Or(s.joined.Parallel, conformance.UsualParallel), int(inTurn/each)))
	}
}

// delivers publishes until a message arrives, and returns why it gave up.
func (p *glance) delivers(ctx context.Context, within time.Duration) (missing string) {
	const messages = 3 // some may be lost
	came := func(n int) func(*Record) bool {
		return func(r *Record) bool { return r.contains(p.text(n)) }
	}
	var refused string
	for n := 1; n <= messages; n++ {
		receipt := p.publish(ctx, n)
		if receipt.Acceptance != Acknowledged {
			refused = "its publish was not acknowledged: " + receipt.String()
		}
		if p.Await(ctx, within/messages, came(n)) {
			return ""
		}
		if n > 1 && p.has(came(n-1)) && !p.Await(ctx, within, came(n)) {
			return "a message arrived only when the next one was published"
		}
	}
	if p.Await(ctx, within, func(r *Record) bool { return len(r.Events) > 0 }) {
		return "" // in an envelope of its own, or late
	}
	if ended, err := p.Ended(); ended {
		return "the stream did not stay open: " + endText(err)
	}
	if refused != "" {
		return refused
	}
	return fmt.Sprintf("none of %s arrived within %v", conformance.Plural(messages, "message"), 2*within)
}

// glance is one subscription that is looked at outside of a case.
type glance struct {
	*Tap

	suite *suite
	name  string
}

// glance opens a stream. An answer that is none is a [noStreamError].
func (s *suite) glance(ctx context.Context, patience time.Duration) (*glance, error) {
	stream := s.name("s")
	opened, req, _, err := s.open(ctx, stream, patience)
	if err != nil {
		return nil, err
	}
	p := &glance{Tap: newTap(s.subject, []string{stream}, req, opened, ""), suite: s, name: s.name("m")}
	p.stock = &s.stock
	go func() {
		defer crash.Catch()
		p.read()
	}()
	return p, nil
}

func (p *glance) text(n int) string { return fmt.Sprintf("%s.%d.", p.name, n) }

func (p *glance) publish(ctx context.Context, n int) Receipt {
	ctx, cancel := context.WithTimeout(ctx, p.suite.arrival)
	defer cancel()
	return p.suite.subject.Publish(ctx, Message{Stream: p.Streams[0], Data: p.text(n)})
}

// answers asks for a stream, and for a message where messages arrive: nil when there is an answer of any kind, of a subject that is too
// busy or limits who comes, too. One that is gone ends connections, or takes none.
func (s *suite) answers(ctx context.Context) (why error, gone bool) {
	const queue = 20 // messages of others, before it is its turn
	const messages = 3
	patience := max(s.arrival/2, queue*s.joined.Pace, messages*2*s.joined.Delay)
	p, err := s.glance(ctx, patience)
	if no := new(noStreamError); errors.As(err, &no) {
		return nil, false
	}
	switch {
	case err != nil && !s.known(err):
		return nil, false
	case err != nil:
		return err, s.gone(err)
	}
	defer p.Close()
	if !s.delivers {
		return nil, false
	}
	for n := 1; n <= messages; n++ {
		bounded, cancel := context.WithTimeout(ctx, patience)
		receipt := s.subject.Publish(bounded, Message{Stream: p.Streams[0], Data: p.text(n)})
		cancel()
		switch {
		case receipt.Err != nil:
			return errors.New(receipt.String()), s.gone(receipt.Err)
		case receipt.Acceptance != Acknowledged:
			return nil, false
		}
		p.Await(ctx, patience/messages, func(r *Record) bool { return len(r.Events) > 0 })
		if ended, _ := p.Ended(); ended || p.count() > 0 {
			return nil, false
		}
	}
	return fmt.Errorf("a stream opened, and no message that was published arrived within %v", patience), false
}

// gone says whether an error is that of a process that is not there. One that keeps streams open is, and takes no more connections.
func (s *suite) gone(err error) bool {
	return s.streams.Load() == 0 && slices.Contains(endings, sse.CauseOf(err))
}

// endings are what becomes of a connection to a process that is gone.
var endings = []sse.Cause{sse.CauseRefused, sse.CauseReset, sse.CauseNoResponse}

// known says whether an error of opening tells of the subject, and not of this machine, or of what no subject has seen. Of one that never
// opened a stream nothing is known but that it is there.
func (s *suite) known(err error) bool {
	switch cause := sse.CauseOf(err); {
	case s.obstacle != nil:
		return cause == sse.CauseRefused
	case cause.Own(), cause == sse.CauseDNS, cause == sse.CauseTLS, cause == sse.CauseCanceled, cause == sse.CauseUnknown:
		return false
	}
	return true
}
