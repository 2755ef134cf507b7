// Package client holds the cases that judge a client of event streams: one file per area of the catalogue. A scripted server sends
// exact bytes in exact segments, the client's adapter reports what an application would see, and both sides are compared.
package client

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// Case decides one requirement of a client.
type Case struct {
	Requirement string
	Alone       bool                 // it must have the client or the machine for itself
	Waits       bool                 // it hardly does anything but wait
	Needs       []subject.Capability // without which it cannot be judged
	Run         func(t *Trial)
}

// Options are how the cases are run.
type Options struct {
	Profile   conformance.Profile // "" means what the client says, or else sdk-client
	Only      []string            // ids and areas
	Parallel  int                 // cases at once, of a client that can follow several streams; 0 means 16
	Seed      uint64
	Backoff   *subject.Delay      // that the client must follow, whatever its adapter declares; nil: what it declares
	TimeScale float64             // what the client's times are multiplied by, where it lets them be set; 0 means 1
	Foreign   bool                // its adapter is somebody else's, and can be to blame as well
	Greeted   func(subject.Hello) // called before the first case
	Parameter func(requirement, name string) (value string, ok bool)
	Next      func(r *conformance.Requirement) string
	Report    func(v conformance.Verdict)
}

// suite is one check of one client.
type suite struct {
	start subject.Starter
	seed  uint64
	scale float64
	plain subject.Hello // what holds in real time, whatever the scale
	echo  *echo
	first first

	returns returns

	mu       sync.Mutex
	shared   *subject.Session // that the cases use together; replaced when it has ended
	attempts map[string]int   // of each requirement

	starts  sync.Mutex
	failed  int   // starts in a row
	failure error // of the last of them
}

// ProfileOf is the profile that an adapter's hello names; sdk-client when it names none.
func ProfileOf(h subject.Hello) (conformance.Profile, error) {
	switch p := conformance.Profile(h.Profile); p {
	case "":
		return conformance.ProfileSDK, nil
	case conformance.ProfileSDK, conformance.ProfileBrowser:
		return p, nil
	}
	return "", fmt.Errorf("the adapter's profile is %q, want %s or %s", h.Profile, conformance.ProfileSDK, conformance.ProfileBrowser)
}

// Check starts the client and judges it by all cases that apply, in the order of the catalogue. It also says how the harness
// fared. The error is the adapter's or the harness's, never the client's.
func Check(ctx context.Context, start subject.Starter, cases []Case, o Options) ([]conformance.Verdict, subject.Hello, conformance.Health, error) {
	s := &suite{start: start, seed: o.Seed, scale: o.TimeScale, attempts: map[string]int{}}
	first, err := subject.Begin(ctx, start)
	if err != nil && ctx.Err() != nil {
		return o.interrupted(ctx, cases)
	}
	if err != nil {
		return nil, subject.Hello{}, conformance.Health{}, err
	}
	s.shared = first
	defer s.end()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	s.echo = newEcho(watching)
	hello := o.agree(first.Hello())
	unscaled := o
	unscaled.TimeScale = 0
	s.plain = unscaled.agree(first.Hello())
	if o.Greeted != nil {
		o.Greeted(hello)
	}
	report := o.Report
	if o.Foreign && report != nil {
		report = func(v conformance.Verdict) { o.Report(ofEither(v)) }
	}
	joined := conformance.Suite{
		Profile: o.Profile, Only: o.Only, Parameter: o.Parameter, Next: o.Next, Parallel: o.Parallel, Report: report,
		Holds:      declares(hello),
		Contention: conformance.NewContention(nil), // an adapter is a child of this process, or in it
	}
	if joined.Profile == "" {
		if joined.Profile, err = ProfileOf(hello); err != nil {
			return nil, hello, conformance.Health{}, err
		}
	}
	if !first.Can(subject.Multi) {
		joined.Parallel = 1
	}
	s.first = s.follows(ctx)
	own := ownOf(hello)
	for _, c := range cases {
		turn := conformance.Beside
		switch {
		case c.Alone:
			turn = conformance.Demanding
		case c.Waits && first.Can(subject.Multi):
			turn = conformance.Waiting
		}
		joined.Cases = append(joined.Cases, conformance.Case{
			Requirement: c.Requirement, Turn: turn, Takes: own.takes(c.Requirement),
			Run: func(t *conformance.Trial) {
				if why := s.first.skips(c.Requirement); why != "" {
					t.Skip("%s", why)
				}
				if s.first.lacks != "" && c.Requirement == s.first.gate() {
					t.Fail("a request, and that the event is reported with which it is answered", s.first.lacks)
				}
				for _, need := range c.Needs {
					if !first.Can(need) {
						t.Skip("the adapter does not declare %s", need)
					}
				}
				if field := restsOn[c.Requirement]; slices.Contains(hello.Unsaid, field) {
					t.Skip("the adapter cannot tell what is %s", field)
				}
				c.Run(&Trial{Trial: t, suite: s, hello: hello, profile: joined.Profile, own: s.again(c.Requirement), began: time.Now(), load: conformance.LoadFromNow()})
			},
		})
	}
	verdicts, health, err := joined.Run(ctx)
	for i := range verdicts {
		if o.Foreign {
			verdicts[i] = ofEither(verdicts[i])
		}
	}
	return verdicts, hello, health, err
}

// interrupted has a verdict for each case although the client never began.
func (o *Options) interrupted(ctx context.Context, cases []Case) ([]conformance.Verdict, subject.Hello, conformance.Health, error) {
	none := conformance.Suite{
		Profile: cmp.Or(o.Profile, conformance.ProfileSDK), Only: o.Only, Parameter: o.Parameter, Next: o.Next, Report: o.Report,
		Holds: declares(subject.Hello{}), Contention: conformance.NewContention(nil),
	}
	for _, c := range cases {
		none.Cases = append(none.Cases, conformance.Case{Requirement: c.Requirement}) // none is begun
	}
	verdicts, health, err := none.Run(ctx)
	return verdicts, subject.Hello{Name: "client"}, health, err
}

// restsOn is what an adapter must be able to tell for a requirement to be judged.
var restsOn = map[string]string{"SSE-API-003": "fatal", "SSE-API-008": "fatal", "SSE-API-010": "cause", "SSE-RECON-025": "fatal", "SSE-API-004": "closed"}

// agree is what the client says of itself, with the policy and the times that are asked of it.
func (o *Options) agree(h subject.Hello) subject.Hello {
	p := subject.Policy{}
	if h.Policy != nil {
		p = *h.Policy
	}
	if o.Backoff != nil {
		p.Backoff = o.Backoff
	}
	if p.Backoff != nil && o.TimeScale > 0 {
		d := *p.Backoff
		switch {
		case slices.Contains(h.Caps, string(subject.TimeScale)):
			d.BaseMS, d.CapMS, d.ResetAfterMS, d.SilenceMS = d.BaseMS*o.TimeScale, d.CapMS*o.TimeScale, d.ResetAfterMS*o.TimeScale, d.SilenceMS*o.TimeScale
		case slices.Contains(h.Caps, string(subject.Retry)):
			d.BaseMS *= o.TimeScale // the only time that it can be told
		}
		p.Backoff = &d
	}
	if h.Policy != nil || p.Backoff != nil {
		h.Policy = &p
	}
	return h
}

// Levels are those that the requirements have for a client that says this of itself, checked with these options.
func Levels(h subject.Hello, o Options) func(r *conformance.Requirement) conformance.Level {
	return (&conformance.Suite{Profile: o.Profile, Parameter: o.Parameter, Holds: declares(o.agree(h))}).LevelOf
}

// declares says what an adapter's hello promises, in the words of the catalogue's declarations.
func declares(h subject.Hello) func(word string) bool {
	return func(word string) bool {
		switch word {
		case "request-headers":
			word = string(subject.Headers)
		case "silence":
			return h.Policy != nil && h.Policy.Backoff != nil && h.Policy.Backoff.SilenceMS > 0
		}
		return slices.Contains(h.Caps, word)
	}
}

// again counts the attempts at a requirement; true from the second on.
func (s *suite) again(requirement string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[requirement]++
	return s.attempts[requirement] > 1
}

// session is the one that cases share. One that has ended is replaced.
func (s *suite) session(ctx context.Context) (*subject.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared != nil && s.shared.Err() == nil {
		return s.shared, nil
	}
	if s.shared != nil {
		_ = s.shared.End() // its end has been reported to those who used it
		s.shared = nil
	}
	fresh, err := s.begin(ctx)
	s.shared = fresh
	return fresh, err
}

// mostFailures is how often in a row the client may fail to start; then it is not started any more.
const mostFailures = 3

// begin starts the client anew.
func (s *suite) begin(ctx context.Context) (*subject.Session, error) {
	s.starts.Lock()
	failed, failure := s.failed, s.failure
	s.starts.Unlock()
	if failed >= mostFailures {
		return nil, fmt.Errorf("the client failed to start %s in a row, so it was not started again: %w", conformance.Plural(failed, "time"), failure)
	}
	fresh, err := subject.Begin(ctx, s.start)
	s.starts.Lock()
	defer s.starts.Unlock()
	switch {
	case err == nil:
		s.failed = 0
	case ctx.Err() == nil:
		s.failed, s.failure = s.failed+1, err
	}
	return fresh, err
}

// discard ends a session that must not be used any more.
func (s *suite) discard(used *subject.Session) {
	s.mu.Lock()
	if s.shared != used {
		s.mu.Unlock()
		return // it is a case's own, which ends with it
	}
	s.shared = nil
	s.mu.Unlock()
	_ = used.End() // what it did is told by the case
}

func (s *suite) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared != nil {
		_ = s.shared.End() // the cases are over
	}
}
