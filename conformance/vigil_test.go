package conformance

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// patient is a subject that cases can kill, and that may come back.
type patient struct {
	dead atomic.Bool
	back time.Duration // it comes back by itself; 0: it does not
	slow bool          // asking it takes long once it is dead, as it does of one that still listens
}

func (p *patient) kill() {
	p.dead.Store(true)
	if p.back > 0 {
		time.AfterFunc(p.back, func() { p.dead.Store(false) })
	}
}

func (p *patient) answers(ctx context.Context) (why error, gone bool) {
	if !p.dead.Load() {
		return nil, false
	}
	if p.slow {
		rest(ctx, 5*time.Second)
	}
	return errors.New("connection refused"), !p.slow
}

// asks is a case that is nothing but one request, with its answer or without.
func (p *patient) asks(kills bool) func(*Trial) {
	return func(c *Trial) {
		over := c.Ask()
		if time.Sleep(time.Second); kills && !p.dead.Load() {
			p.kill()
		}
		time.Sleep(20 * time.Millisecond) // whoever runs beside it has no answer by then
		for p.dead.Load() && p.slow && c.Context().Err() == nil {
			rest(c.Context(), 30*time.Second)
		}
		over(!p.dead.Load())
		if p.dead.Load() || c.Context().Err() != nil {
			c.Unknown("no answer")
		}
		c.Pass("")
	}
}

// treated runs cases with a patient.
func treated(t *testing.T, p *patient, cases ...Case) []Verdict {
	t.Helper()
	s := Suite{Profile: ProfileBroker, Cases: cases, Answers: p.answers}
	verdicts, _, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

func TestWhoeverStopsTheTargetFailsAtOnceAndTheRestIsSkipped(t *testing.T) {
	t.Parallel()
	for slow, at := range map[bool]string{false: "+2", true: "+1"} {
		synctest.Test(t, func(t *testing.T) {
			p := &patient{slow: slow}
			began := time.Now()
			verdicts := treated(t, p,
				Case{Requirement: "SSE-FORM-001", Run: p.asks(false)},
				Case{Requirement: "SSE-FORM-002", Turn: Waiting, Run: func(c *Trial) { <-c.Context().Done(); c.Give() }},
				Case{Requirement: "SSE-FORM-003", Turn: Provoking, Run: p.asks(true)},
				Case{Requirement: "SSE-FORM-004", Turn: Demanding, Run: p.asks(false)},
			)
			if v := verdicts[2]; v.Outcome != Fail || !strings.Contains(v.Actual, "stopped answering at "+at) || !strings.HasSuffix(v.Actual, ", while SSE-FORM-003 ran") {
				t.Errorf("%+v", v)
			}
			for i, want := range []Outcome{Pass, Skip, Fail, Skip} {
				if verdicts[i].Outcome != want || want == Skip && !strings.Contains(verdicts[i].Reason, "while SSE-FORM-003 ran") {
					t.Errorf("%+v", verdicts[i])
				}
			}
			if took := time.Since(began); took > 35*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestAmongSeveralTheOneIsFoundThatStopsItAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{back: 2 * time.Second}
		verdicts := treated(t, p,
			Case{Requirement: "SSE-FORM-001", Run: p.asks(false)},
			Case{Requirement: "SSE-FORM-002", Run: p.asks(true)},
			Case{Requirement: "SSE-FORM-003", Run: p.asks(false)},
			Case{Requirement: "SSE-FORM-004", Turn: Demanding, Run: p.asks(false)},
		)
		for i, want := range []Outcome{Pass, Fail, Pass, Pass} {
			if verdicts[i].Outcome != want {
				t.Errorf("%+v", verdicts[i])
			}
		}
		if v := verdicts[1]; !strings.HasSuffix(v.Actual, "while SSE-FORM-002 ran") {
			t.Errorf("%+v", v)
		}
	})
}

func TestAmongSeveralAllAreNamedWhenItDoesNotComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{}
		verdicts := treated(t, p,
			Case{Requirement: "SSE-FORM-001", Run: p.asks(false)},
			Case{Requirement: "SSE-FORM-002", Run: p.asks(true)},
			Case{Requirement: "SSE-FORM-003", Turn: Waiting, Run: func(c *Trial) { <-c.Context().Done(); c.Give() }},
		)
		failed := 0
		for _, v := range verdicts {
			if v.Outcome == Fail {
				failed++
				if !strings.HasSuffix(v.Actual, "while SSE-FORM-001, SSE-FORM-002 ran") || !strings.Contains(v.Reason, "not known") {
					t.Errorf("%+v", v)
				}
			}
		}
		if failed != 1 {
			t.Errorf("%d failures for one cause: %+v", failed, verdicts)
		}
	})
}

func TestATargetThatAnswersOthersIsBusyAndNotGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{slow: true}
		verdicts := treated(t, p,
			Case{Requirement: "SSE-FORM-001", Run: func(c *Trial) {
				over := c.Ask()
				p.dead.Store(true) // for whoever asks for a stream
				time.Sleep(20 * time.Second)
				p.dead.Store(false)
				over(true)
				c.Pass("")
			}},
			Case{Requirement: "SSE-FORM-002", Run: func(c *Trial) {
				for range 25 {
					time.Sleep(time.Second)
					c.Sign()
				}
				c.Pass("")
			}},
		)
		for _, v := range verdicts {
			if v.Outcome != Pass {
				t.Errorf("%+v", v)
			}
		}
	})
}

func TestARestartOnPurposeIsNoHalt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{back: 2 * time.Second}
		verdicts := treated(t, p,
			Case{Requirement: "SSE-FORM-001", Turn: Disturbing, Run: func(c *Trial) {
				p.kill()
				time.Sleep(time.Second)
				c.Fail("a", "b")
			}},
			Case{Requirement: "SSE-FORM-002", Turn: Disturbing, Run: func(c *Trial) { c.Pass("") }},
		)
		if verdicts[0].Actual != "b" || verdicts[1].Outcome != Pass {
			t.Errorf("%+v", verdicts)
		}
	})
}

func TestATargetThatAnswersOnceItIsLeftAloneWasBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{slow: true, back: 15 * time.Second}
		verdicts := treated(t, p,
			Case{Requirement: "SSE-FORM-002", Run: func() func(*Trial) {
				var attempts atomic.Int32
				return func(c *Trial) {
					if attempts.Add(1) > 1 {
						c.Pass("")
					}
					p.asks(true)(c)
				}
			}()},
		)
		for _, v := range verdicts {
			if v.Outcome != Pass {
				t.Errorf("%+v", v)
			}
		}
	})
}
