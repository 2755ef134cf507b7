// Package client holds the cases that judge a client of event streams: one file per area of the catalogue. A scripted server sends
// exact bytes in exact segments, the client's adapter reports what an application would see, and both sides are compared.
package client

import (
	"context"
	"fmt"
	"sync"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// Case decides one requirement of a client.
type Case struct {
	Requirement string
	Alone       bool                 // it must have the client or the machine for itself
	Needs       []subject.Capability // without which it cannot be judged
	Run         func(t *Trial)
}

// Options are how the cases are run.
type Options struct {
	Profile   conformance.Profile // "" means what the client says, or else sdk-client
	Only      []string            // ids and areas
	Parallel  int                 // cases at once, of a client that can follow several streams; 0 means 16
	Seed      uint64
	Parameter func(requirement, name string) (value string, ok bool)
	Next      func(r *conformance.Requirement) string
	Report    func(v conformance.Verdict)
}

// suite is one check of one client.
type suite struct {
	start subject.Starter
	seed  uint64

	mu       sync.Mutex
	shared   *subject.Session // that the cases use together; replaced when it has ended
	attempts map[string]int   // of each requirement
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
	s := &suite{start: start, seed: o.Seed, attempts: map[string]int{}}
	first, err := subject.Begin(ctx, start)
	if err != nil {
		return nil, subject.Hello{}, conformance.Health{}, err
	}
	s.shared = first
	defer s.end()
	hello := first.Hello()
	joined := conformance.Suite{
		Profile: o.Profile, Only: o.Only, Parameter: o.Parameter, Next: o.Next, Parallel: o.Parallel, Report: o.Report,
		Holds: func(capability string) bool { return first.Can(subject.Capability(capability)) },
	}
	if joined.Profile == "" {
		if joined.Profile, err = ProfileOf(hello); err != nil {
			return nil, hello, conformance.Health{}, err
		}
	}
	if !first.Can(subject.Multi) {
		joined.Parallel = 1
	}
	for _, c := range cases {
		joined.Cases = append(joined.Cases, conformance.Case{
			Requirement: c.Requirement, Alone: c.Alone,
			Run: func(t *conformance.Trial) {
				for _, need := range c.Needs {
					if !first.Can(need) {
						t.Skip("the adapter does not declare %s", need)
					}
				}
				c.Run(&Trial{Trial: t, suite: s, hello: hello, profile: joined.Profile, own: s.again(c.Requirement)})
			},
		})
	}
	verdicts, health, err := joined.Run(ctx)
	return verdicts, hello, health, err
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
	fresh, err := subject.Begin(ctx, s.start)
	s.shared = fresh
	return fresh, err
}

func (s *suite) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared != nil {
		_ = s.shared.End() // the cases are over
	}
}
