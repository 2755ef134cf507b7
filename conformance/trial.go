package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// Trial is one attempt to decide one requirement. A case calls its methods like those of a test: the ones that reach a verdict
// end the case at once. They may be called on the case's own goroutine and on those started with Go.
//
// A case that ends without a verdict, panics, or outlives its limit is unknown.
type Trial struct {
	Requirement *Requirement

	ctx        context.Context
	cancel     context.CancelCauseFunc
	level      Level
	parameters func(requirement, name string) (string, bool)
	pulse      *pulse
	began      time.Time
	group      sync.WaitGroup
	vigil      *vigil          // nil in a trial of its own
	check      context.Context // of the whole check
	halt       atomic.Pointer[halt]
	aside      func() // nil in a trial of its own
	others     <-chan struct{}
	settled    atomic.Bool // another attempt would come to the same
	crashed    atomic.Pointer[crash.Crash]

	mu       sync.Mutex
	limit    *time.Timer
	until    time.Time     // when the limit is reached
	longest  time.Duration // that was asked for at once
	doing    string
	verdict  *Verdict // nil until one was reached
	findings []Finding
	delays   []Delay
	worst    Outcome
	late     bool // a finding came after the case was ended from outside, and counts for nothing
	firm     bool // a finding does not rest on a time, an error answer or an absence
	checked  uint64
	unit     string    // of the samples, where not one of them may be faulty
	asking   int       // requests under way
	asked    time.Time // when the newest of them was sent
	answered time.Time // when the newest answer came
	cleanups []func()
}

// concluded ends a case from within; only the runner and Go recover it.
type concluded struct{}

var (
	errOver  = errors.New("the case is over")
	errLimit = errors.New("the time limit of the case was reached")
	errHalt  = errors.New("the subject stopped answering")
)

// Context ends with the case, at its limit and when the whole check is interrupted.
func (t *Trial) Context() context.Context { return t.ctx }

// Level is the requirement's level for this subject.
func (t *Trial) Level() Level {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.level
}

// Allow extends the time limit: the case may take this long from now on, and a generous rest for what must come. What was allowed
// before stays allowed. However often it is called, the case ends some minutes after the longest time that was asked for.
func (t *Trial) Allow(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.longest = max(t.longest, d)
	until := time.Now().Add(d + defaultLimit)
	if last := t.began.Add(t.longest + lastLimit); until.After(last) {
		until = last
	}
	if until.After(t.until) {
		t.until = until
		t.limit.Reset(time.Until(until))
	}
}

// Cleanup registers what is done when the case has ended, the last first.
func (t *Trial) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// Doing says what the case waits for, in words that follow "while"; it is the reason when the limit is reached meanwhile.
func (t *Trial) Doing(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doing = fmt.Sprintf(format, args...)
}

// Count adds to the samples that the verdict rests on.
func (t *Trial) Count(samples int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checked += uint64(samples)
}

// Sample is Count for samples of which not one may be faulty: a pass then says what would have shown.
func (t *Trial) Sample(samples int, unit string) {
	t.Count(samples)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unit = unit
}

// Delays keeps measured delays for the verdict.
func (t *Trial) Delays(measured ...Delay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delays = append(t.delays, measured...)
}

// Go runs f on a goroutine of its own that the case's end waits for. A verdict in it ends the whole case.
func (t *Trial) Go(f func()) {
	t.group.Go(func() { t.guard(f) })
}

// Beside is Go for a group that the case itself waits for.
func (t *Trial) Beside(group *sync.WaitGroup, f func()) {
	group.Go(func() { t.guard(f) })
}

// guard runs f and makes of its panic a verdict.
func (t *Trial) guard(f func()) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case concluded:
			t.cancel(errOver)
		default:
			text := fmt.Sprint(p)
			if t.ctx.Err() == nil && !t.decided() { // a case that was ended elsewhere may miss what it relies on
				c := crash.Contain(p)
				t.crashed.CompareAndSwap(nil, c)
				text = c.Text
			}
			t.record(Verdict{Outcome: Unknown, Reason: "the case itself failed: " + text})
			t.cancel(errOver)
		}
	}()
	f()
}

// Parameter is a parameter of the requirement: what the user set, else its default. A name that the requirement does not have
// is a mistake in the case.
func (t *Trial) Parameter(name string) Parameter {
	if value, set := t.parameters(t.Requirement.ID, name); set {
		return Parameter{name, value}
	}
	value, known := t.Requirement.Parameters[name]
	if !known {
		panic(fmt.Sprintf("requirement %s has no parameter %q", t.Requirement.ID, name))
	}
	return Parameter{name, value}
}

// Duration is a parameter that is a duration.
func (t *Trial) Duration(name string) time.Duration {
	d, err := t.Parameter(name).Duration()
	if err != nil {
		t.Unknown("%v", err)
	}
	return d
}

// Number is a parameter that is a number.
func (t *Trial) Number(name string) float64 {
	n, err := t.Parameter(name).Number()
	if err != nil {
		t.Unknown("%v", err)
	}
	return n
}

// Text is a parameter that is a text; "" when it was not given.
func (t *Trial) Text(name string) string { return t.Parameter(name).Value }

// Pass ends the case: the requirement was met.
func (t *Trial) Pass(actual string) { t.end(Verdict{Outcome: Pass, Actual: actual}) }

// Info ends the case: the source leaves open what was seen.
func (t *Trial) Info(actual string) { t.end(Verdict{Outcome: Info, Actual: actual}) }

// Skip ends the case: a capability or an access that it needs is missing.
func (t *Trial) Skip(format string, args ...any) {
	t.end(Verdict{Outcome: Skip, Reason: fmt.Sprintf(format, args...)})
}

// Unknown ends the case: the harness could not create or observe the condition.
func (t *Trial) Unknown(format string, args ...any) {
	t.end(Verdict{Outcome: Unknown, Reason: fmt.Sprintf(format, args...)})
}

// Settled says that a second attempt would come to the same, so that none is made of what is unknown.
func (t *Trial) Settled() { t.settled.Store(true) }

// Fail ends the case: the requirement was not met. What that amounts to follows from its level: see [Requirement.Missed].
func (t *Trial) Fail(expected, actual string, evidence ...[]string) {
	t.Deviation(expected, actual, evidence...)
	t.Conclude(actual)
}

// Warn ends the case: what was seen is a deviation that is tolerated.
func (t *Trial) Warn(expected, actual string, evidence ...[]string) {
	t.Tolerated(expected, actual, evidence...)
	t.Conclude(actual)
}

// Late is Fail for what was later than allowed, by at least the excess. When this machine held things up meanwhile by so much that the
// excess could be its doing, at both ends of what was measured, the verdict is unknown.
func (t *Trial) Late(excess time.Duration, expected, actual string, evidence ...[]string) {
	if lag := t.Lag(); 2*lag >= excess {
		t.Unknown("%s, but this machine was too busy to tell: it held harness or subject up for %v", actual, lag.Round(time.Millisecond))
	}
	t.Absent(expected, actual, evidence...)
}

// Absent is Fail for what did not come, or for an error that came in its place: evidence that load explains as well.
func (t *Trial) Absent(expected, actual string, evidence ...[]string) {
	t.Absence(expected, actual, evidence...)
	t.Conclude(actual)
}

// Absence is Deviation for what did not come, or for an error that came in its place.
func (t *Trial) Absence(expected, actual string, evidence ...[]string) {
	t.note(t.Requirement.Missed(t.Level()), "deviation", expected, actual, evidence)
}

// Deviation notes that the requirement was not met, and goes on; Conclude ends the case.
func (t *Trial) Deviation(expected, actual string, evidence ...[]string) {
	t.firmly(t.Requirement.Missed(t.Level()), expected, actual, evidence)
}

// Breach notes a deviation from what the subject itself declares, whatever is asked of others: that is a MUST.
func (t *Trial) Breach(expected, actual string, evidence ...[]string) {
	t.mu.Lock()
	t.level = Must
	t.mu.Unlock()
	t.firmly(Fail, expected, actual, evidence)
}

// firmly notes what was seen and stays, whatever the next attempt shows.
func (t *Trial) firmly(o Outcome, expected, actual string, evidence [][]string) {
	t.mu.Lock()
	t.firm = true
	t.mu.Unlock()
	t.note(o, "deviation", expected, actual, evidence)
}

// Tolerated notes a tolerated deviation, and goes on; Conclude ends the case.
func (t *Trial) Tolerated(expected, actual string, evidence ...[]string) {
	t.note(Warn, "tolerated", expected, actual, evidence)
}

func (t *Trial) note(o Outcome, name, expected, actual string, evidence [][]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped() {
		t.late = true
		return
	}
	f := Finding{Name: name, Count: 1, Text: actual, Expected: expected}
	for _, lines := range evidence {
		f.Evidence = append(f.Evidence, lines...)
	}
	t.findings = append(t.findings, f)
	t.worst = max(t.worst, o)
}

// Deviated says whether a deviation was noted, tolerated or not.
func (t *Trial) Deviated() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.findings) > 0
}

// Conclude ends the case with the worst of what was noted, or as passed when nothing was. The text says what was seen when all
// is well.
func (t *Trial) Conclude(actual string) {
	t.mu.Lock()
	v := t.noted(actual)
	t.mu.Unlock()
	t.end(v)
}

// noted is the verdict of what was noted. The caller holds t.mu.
func (t *Trial) noted(actual string) Verdict {
	v := Verdict{Outcome: Pass, Actual: actual, Findings: t.findings}
	if len(t.findings) > 0 {
		v.Outcome, v.Expected, v.Actual = t.worst, t.findings[0].Expected, t.findings[0].Text
	}
	if len(t.findings) > 1 {
		v.Actual = fmt.Sprintf("%d deviations, the first: %s", len(t.findings), v.Actual)
	}
	return v
}

// end records the first verdict and ends the goroutine's part of the case.
func (t *Trial) end(v Verdict) {
	t.record(v)
	panic(concluded{})
}

func (t *Trial) decided() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.verdict != nil
}

func (t *Trial) record(v Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verdict == nil && (len(t.findings) > 0 || !t.late) {
		t.verdict = &v
	}
}

// stopped says whether the case was ended from outside: whatever fails from then on may do so for that reason.
func (t *Trial) stopped() bool {
	cause := context.Cause(t.ctx)
	return cause != nil && !errors.Is(cause, errOver) && !errors.Is(cause, errLimit) && !errors.Is(cause, errHalt)
}

// Class is a set of results with the outcome they deserve; the first whose condition holds decides.
type Class struct {
	Outcome Outcome
	Text    string // the results, in words
	Holds   bool
}

// GiveUp ends the case from any goroutine, also one that is no part of it. What was noted decides; without a deviation the case is
// unknown, for this reason, and another attempt would come to the same.
func (t *Trial) GiveUp(reason string) {
	t.Settled()
	t.mu.Lock()
	noted := len(t.findings) > 0
	v := t.noted("")
	t.mu.Unlock()
	if !noted {
		v = Verdict{Outcome: Unknown, Reason: reason}
	}
	t.record(v)
	t.cancel(errOver)
}

// Classify notes what was seen by the first class that holds, and as a deviation when none does. It does not end the case.
func (t *Trial) Classify(actual string, evidence []string, classes ...Class) {
	expected := ""
	for i, c := range classes {
		if i > 0 {
			expected += "; "
		}
		expected += c.Text
		if c.Outcome != Pass {
			expected += " (" + c.Outcome.String() + ")"
		}
	}
	for _, c := range classes {
		if !c.Holds {
			continue
		}
		switch c.Outcome {
		case Pass:
		case Info:
			t.note(Info, "left open", expected, actual, [][]string{evidence})
		default:
			t.note(c.Outcome, "tolerated", expected, actual, [][]string{evidence})
		}
		return
	}
	t.Deviation(expected, actual, evidence)
}
