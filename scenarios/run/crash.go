package run

import (
	"context"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
)

// afterCrash is how long a run may take to end after a crash of the harness. Whoever crashed may have left a lock behind that
// others wait for.
const afterCrash = 15 * time.Second

// caught carries the run out. A crash of the harness leaves neither outcome nor error.
func (r *Run) caught(ctx context.Context) (*Outcome, error) {
	defer crash.Catch()
	return r.do(ctx)
}

// guarded is the load and its judgement, or where a crash of the harness does not even let that end, an outcome without.
func (e *engine) guarded(started time.Time, do func() (*Outcome, error)) (*Outcome, error) {
	type ended struct {
		outcome *Outcome
		err     error
	}
	done := make(chan ended, 1)
	go func() {
		defer close(done)
		defer crash.Catch()
		o, err := do()
		done <- ended{o, err}
	}()
	crashed, late := crash.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case end, whole := <-done:
			if whole {
				return end.outcome, end.err
			}
			return e.crashed(started), nil
		case <-crashed:
			crashed = nil
			late = time.After(afterCrash)
		case <-late:
			return e.crashed(started), nil
		}
	}
}

// crashed is a run of which nothing can be judged. What was observed stands in its history, which has no end.
func (e *engine) crashed(started time.Time) *Outcome {
	c := crash.Ended()
	o := &Outcome{Started: started, Duration: time.Since(started), Interrupted: true, Run: conformance.ScenarioRun{
		Scenario: e.plan.Scenario.Name, About: e.plan.Scenario.About, Plan: e.fingerprint, Source: e.plan.Scenario.Source, Reason: c.Error(),
		Subscribers: len(e.plan.Subscribers), Streams: len(e.plan.Streams), Interrupted: true,
	}}
	o.Run.Duration = conformance.Duration(o.Duration)
	if e.subject != nil {
		o.Subject = e.subject.describe()
	}
	o.Verdicts = unknown(e.plan, c.Error())
	o.Run.Health.Crashed(c)
	return o
}
