package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// Case decides one requirement.
type Case struct {
	Requirement string
	On          string // the name of the [Ground] it stands on, with those before that; "" for none
	Turn        Turn
	Takes       time.Duration // about; what takes longest begins first, and 0 is what takes no time
	Asks        int           // about how many messages of the subject, where those are hundreds: a slow one is asked for them last
	Run         func(t *Trial)
}

// Suite is a set of cases and what they are run with.
type Suite struct {
	Cases     []Case
	Grounds   []Ground // each stands on those before it
	Profile   Profile
	Only      []string                                               // ids and areas; empty for all
	Holds     func(word string) bool                                 // what the subject declares
	Lacks     func(r *Requirement) string                            // why the access that r needs is missing, "" when it is not
	Parameter func(requirement, name string) (value string, ok bool) // what the user set
	Next      func(r *Requirement) string                            // how to repeat one requirement
	Parallel  int                                                    // cases at once; 0 means [UsualParallel]
	Once      bool                                                   // whoever asks repeats what is unknown or fails, if it matters
	Report    func(v Verdict)                                        // called as each verdict is reached, from several goroutines

	// Lost says why nothing more can be judged though the subject answers, and which requirement tells of that; "" while something can. nil: it
	// always can.
	Lost func() (why, told string)

	// Answers asks the subject for something plain, and says why that was not to be had: gone tells a subject that is not there from one that
	// does not answer. nil: it is not asked.
	Answers func(ctx context.Context) (why error, gone bool)
	Revive  func(ctx context.Context) error // restarts a subject that does not answer any more; nil: it cannot be

	// Processor is how much processor time the subject's process has used since it began; nil: that cannot be seen.
	Processor func(ctx context.Context) (time.Duration, error)

	Contention *Contention // nil: nobody looks what else this machine does

	Pace  time.Duration // what a message takes the subject, where a ground found that out
	Delay time.Duration // and how long it is on its way: many can be at once

	told string // the requirement that a missing ground tells of
}

// defaultLimit is how long a case may take. It bounds only the wait for something that must come.
const defaultLimit = 30 * time.Second

// lastLimit is how long a case may take that is given more time again and again.
const lastLimit = 5 * time.Minute

// Run carries out the cases that apply, and returns their verdicts in the order of the catalogue and how the harness fared. When the
// context ends, what was not judged by then is unknown.
func (s *Suite) Run(ctx context.Context) ([]Verdict, Health, error) {
	jobs, err := s.jobs()
	if err != nil {
		return nil, Health{}, err
	}
	r := &round{Suite: s, ctx: ctx, watch: newPulse(ctx, s.Contention), others: make(chan struct{}), vigil: newVigil(s)}
	defer r.watch.stop()
	func() {
		defer crash.Catch()
		r.missing = s.tryGrounds(ctx)
		var over context.CancelFunc
		r.cases, over = s.bounded(ctx)
		defer over()
		r.carryOut(jobs)
	}()
	health := r.watch.health()
	health.Crashed(cmp.Or(r.crashed.Load(), crash.Ended()))
	return r.verdicts(jobs), health, nil
}

// round is one run of a suite.
type round struct {
	*Suite

	ctx     context.Context
	cases   context.Context // ends sooner where the subject is slow
	watch   *pulse
	vigil   *vigil
	missing map[string]string // grounds, and why
	others  chan struct{}     // closed when all but those that wait are over
	again   atomic.Int64      // time spent on repeating what stays as it is
	crashed atomic.Pointer[crash.Crash]
}

// carryOut carries out all jobs, turn by turn.
func (r *round) carryOut(jobs []job) {
	turns := map[Turn][]*job{}
	for i := range jobs {
		turns[jobs[i].c.Turn] = append(turns[jobs[i].c.Turn], &jobs[i])
	}
	var waiting, busy sync.WaitGroup
	later := r.cheapFirst(turns)
	for _, j := range turns[Waiting] {
		crash.Go(&waiting, func() { r.first(j) })
	}
	slices.SortStableFunc(turns[Beside], func(a, b *job) int { return cmp.Compare(b.c.Takes, a.c.Takes) }) // the long waits first, beside the others
	atOnce := max(1, cmp.Or(r.Parallel, UsualParallel))
	lane{&busy}.each(turns[Beside], atOnce, r.first)
	busy.Wait()
	first := turns[Beside]
	if later != nil { // what failed is not left open for want of time
		first = slices.DeleteFunc(slices.Clone(first), func(j *job) bool { return !j.open || !j.attempt.missed() })
	}
	r.repeatAll(first, atOnce)
	for _, turn := range single {
		lane{&busy}.each(turns[turn], 1, r.byItself)
		later = append(later, turns[turn]...)
	}
	busy.Wait()
	close(r.others)
	waiting.Wait()
	r.repeatAll(append(turns[Waiting], later...), atOnce)
	r.vigil.sleep()
	lane{&busy}.each(turns[Disturbing], 1, r.byItself)
	r.vigil.looking.Wait()
}

// byItself carries a job out, and again if that is needed.
func (r *round) byItself(j *job) {
	j.single.Store(true)
	if r.first(j); j.open && !j.stood.Load() {
		r.repeat(j)
	}
}

// repeatAll repeats the jobs that are open: a few at once where nothing was seen, for what is unknown beside many others may be clear beside
// few; one by one where something was.
func (r *round) repeatAll(jobs []*job, atOnce int) {
	var few, one []*job
	for _, j := range jobs {
		switch {
		case !j.open:
		case j.attempt.halt != nil, j.attempt.missed():
			one = append(one, j)
		default:
			few = append(few, j)
		}
	}
	var busy sync.WaitGroup
	lane{&busy}.each(few, min(repeatsAtOnce, atOnce), r.repeat)
	busy.Wait()
	for _, j := range one {
		j.single.Store(true)
	}
	lane{&busy}.each(one, 1, r.repeat)
	busy.Wait()
}

// repeatsAtOnce is how many cases are repeated at once.
const repeatsAtOnce = 4

// UsualParallel is how many cases run at once unless something else is asked for: they wait more than they work.
const UsualParallel = 16

// job is a case that applies, with its requirement.
type job struct {
	c       *Case
	r       *Requirement
	verdict Verdict
	attempt *attempt // the first one
	open    bool     // it is to be repeated
	moot    bool     // it was not carried out, because something that it takes was not there
	aside   func()
	single  atomic.Bool // nobody runs beside it, but who only waits
	stood   atomic.Bool // it stood aside
}

// jobs pairs the cases with their requirements, in the order of the catalogue.
func (s *Suite) jobs() ([]job, error) {
	requirements, err := Requirements()
	if err != nil {
		return nil, err
	}
	byID := map[string]*Case{}
	for i := range s.Cases {
		if byID[s.Cases[i].Requirement] != nil {
			return nil, fmt.Errorf("two cases decide requirement %s", s.Cases[i].Requirement)
		}
		byID[s.Cases[i].Requirement] = &s.Cases[i]
	}
	var jobs []job
	for i := range requirements {
		r := &requirements[i]
		c := byID[r.ID]
		delete(byID, r.ID)
		if c != nil && r.AppliesTo(s.Profile) && r.Selected(s.Only) {
			jobs = append(jobs, job{c: c, r: r, aside: func() {}})
		}
	}
	for id := range byID {
		return nil, fmt.Errorf("a case decides requirement %s, which is not in the catalogue", id)
	}
	return jobs, nil
}

// first carries a job out for the first time. Its verdict stands unless it is to be repeated.
func (r *round) first(j *job) {
	j.attempt = r.try(j)
	j.verdict = j.attempt.verdict
	if j.open = r.open(j.attempt); !j.open {
		r.report(j)
	}
}

// repeat carries a job out once more; then both attempts are told.
func (r *round) repeat(j *job) {
	j.open = false
	switch late := r.outOfTime(); {
	case late != nil && j.attempt.missed() && j.attempt.weak:
		j.verdict = alone(j.attempt.verdict, late)
	case late != nil, r.ctx.Err() != nil:
	default:
		firm := j.attempt.missed() && !j.attempt.weak
		second := r.try(j)
		if firm {
			r.again.Add(int64(second.took))
		}
		switch {
		case second.lost && j.attempt.missed() && j.attempt.weak:
			j.verdict = alone(j.attempt.verdict, errors.New(second.verdict.Reason))
		case second.lost && !j.attempt.missed():
			j.verdict, j.moot = second.verdict, true
		case second.halt == nil:
			j.verdict = merged(j.attempt, second)
			j.moot = false
		}
	}
	r.report(j)
}

func (r *round) report(j *job) {
	if r.Report != nil {
		r.Report(j.verdict)
	}
}

// try carries a job out once.
func (r *round) try(j *job) *attempt {
	a := r.carried(j)
	a.verdict = r.named(j, a.verdict)
	return a
}

// named is a verdict with what its requirement says.
func (r *round) named(j *job, v Verdict) Verdict {
	if v.Level == "" {
		v.Level = r.LevelOf(j.r)
	}
	v.ID, v.Title, v.Source = j.r.ID, j.r.Statement, strings.Join(j.r.Sources, ", ")
	if v.Expected == "" {
		v.Expected = j.r.Verdict
	}
	if v.Outcome != Pass && v.Outcome != Info && v.Outcome != Skip && r.Next != nil {
		v.Next = r.Next(j.r)
	}
	return v
}

func (r *round) carried(j *job) *attempt {
	lacking, missing, gone, late := r.lacks(j.r), r.missing[j.c.On], r.vigil.left(), r.outOfTime()
	switch {
	case r.ctx.Err() != nil:
		return &attempt{verdict: Verdict{Outcome: Unknown, Reason: endedBy(context.Cause(r.ctx))}}
	case lacking != "":
		return &attempt{verdict: Verdict{Outcome: Skip, Reason: lacking}}
	case missing != "" && j.r.ID == r.told:
		return &attempt{verdict: tells(missing, r.LevelOf(j.r), j.r), took: longFirst}
	case missing != "":
		j.moot = true
		return &attempt{verdict: Verdict{Outcome: Skip, Reason: missing}}
	case gone != nil:
		j.moot = true
		return &attempt{verdict: Verdict{Outcome: Skip, Reason: gone.String()}, halt: gone}
	case late != nil:
		return &attempt{verdict: Verdict{Outcome: Unknown, Reason: late.Error()}}
	}
	if lost := r.lost(j); lost != nil {
		j.moot = lost.lost
		return lost
	}
	began := time.Now()
	t := r.trial(j)
	r.vigil.enter(t, j)
	burden := r.burden()
	r.run(t, j)
	a := &attempt{took: time.Since(began)}
	a.verdict, a.weak = t.result()
	r.crashed.CompareAndSwap(nil, t.crashed.Load())
	a.settled = a.verdict.Outcome == Unknown && t.settled.Load()
	r.watch.doubt(a, began, time.Now())
	burden.explain(r.ctx, &a.verdict)
	if a.verdict.Outcome == Unknown || a.verdict.Outcome == Warn || a.verdict.Outcome == Fail {
		r.vigil.look(r.ctx, time.Now())
	}
	r.vigil.leave(t)
	if a.verdict.Outcome == Unknown {
		if lost := r.lost(j); lost != nil {
			j.moot = lost.lost
			return lost
		}
	}
	if h := t.halt.Load(); h != nil && a.verdict.Outcome != Pass {
		r.vigil.rule(h, j, a)
	}
	return a
}

// lost is what comes of a job when nothing can be judged any more; nil while something can.
func (r *round) lost(j *job) *attempt {
	if r.Lost == nil {
		return nil
	}
	why, told := r.Lost()
	switch {
	case why == "":
		return nil
	case j.r.ID == told:
		return &attempt{verdict: r.named(j, tells(why, r.LevelOf(j.r), j.r)), took: longFirst}
	}
	return &attempt{verdict: Verdict{Outcome: Skip, Reason: why}, lost: true}
}

// verdicts are those of all jobs. What was skipped because something was missing is unknown where no other verdict tells of that.
func (r *round) verdicts(jobs []job) []Verdict {
	r.vigil.accuse(r)
	verdicts := make([]Verdict, len(jobs))
	failed := false
	for i := range jobs {
		if jobs[i].verdict.ID == "" { // a crash came before
			jobs[i].verdict = r.named(&jobs[i], Verdict{Outcome: Unknown, Reason: "the check ended before it was judged"})
		}
		if lost := r.lost(&jobs[i]); lost != nil && !lost.lost { // whatever it seemed to be before
			jobs[i].verdict = lost.verdict
		}
		verdicts[i] = jobs[i].verdict
		failed = failed || verdicts[i].Outcome == Fail
	}
	for i := range jobs {
		if jobs[i].moot && !failed && verdicts[i].Outcome == Skip {
			verdicts[i].Outcome = Unknown
		}
	}
	return verdicts
}

// LevelOf is the requirement's level for this subject.
func (s *Suite) LevelOf(r *Requirement) Level {
	return r.LevelFor(func(word string) bool { return s.holds(word) || s.isSet(r, word) })
}

func (s *Suite) holds(word string) bool {
	return s.Profile.Includes(Profile(word)) || s.Holds != nil && s.Holds(word)
}

// isSet says whether a parameter of the requirement was given: that is a declaration too.
func (s *Suite) isSet(r *Requirement, name string) bool {
	if _, has := r.Parameters[name]; !has || s.Parameter == nil {
		return false
	}
	value, set := s.Parameter(r.ID, name)
	return set && value != ""
}

func (s *Suite) lacks(r *Requirement) string {
	if s.Lacks == nil {
		return ""
	}
	return s.Lacks(r)
}

// trial is a trial of the job that has not begun.
func (r *round) trial(j *job) *Trial {
	t := &Trial{
		Requirement: j.r, level: r.LevelOf(j.r), pulse: r.watch, began: time.Now(), parameters: r.Parameter,
		vigil: r.vigil, check: r.ctx, others: r.others, aside: func() { j.stood.Store(true); j.aside() },
	}
	if t.parameters == nil {
		t.parameters = func(string, string) (string, bool) { return "", false }
	}
	t.ctx, t.cancel = context.WithCancelCause(r.cases)
	t.until = t.began.Add(defaultLimit)
	t.limit = time.AfterFunc(defaultLimit, func() { t.cancel(errLimit) })
	return t
}

// run carries the trial out.
func (r *round) run(t *Trial, j *job) {
	defer t.cancel(errOver)
	defer t.limit.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer crash.Catch()
		t.carryOut(j.c.Run)
	}()
	select {
	case <-done:
	case <-t.ctx.Done():
		r.leave(j, done)
	}
}

// carryOut runs the case with its goroutines and then its cleanups.
func (t *Trial) carryOut(run func(*Trial)) {
	t.guard(func() { run(t) })
	over := context.Cause(t.ctx)
	if over == nil {
		t.cancel(errOver)
	}
	t.group.Wait()
	t.mu.Lock()
	cleanups := t.cleanups
	t.mu.Unlock()
	for i := len(cleanups) - 1; i >= 0; i-- {
		t.guard(cleanups[i])
	}
}

// result is the verdict, with a reason when there is none, and whether a failure rests on weak evidence alone.
func (t *Trial) result() (v Verdict, weak bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v = Verdict{Outcome: Unknown, Reason: "the case ended without a verdict"}
	cause := context.Cause(t.ctx)
	switch {
	case t.verdict != nil:
		v = *t.verdict
	case errors.Is(cause, errLimit):
		v.Reason = "not decided within its time limit"
	case errors.Is(cause, errHalt):
		v.Reason = "the target stopped answering"
	case errors.Is(cause, context.Canceled):
		v.Reason = endedBy(cause)
	case cause != nil && !errors.Is(cause, errOver):
		v.Reason = endedBy(cause)
		t.doing = ""
	}
	if v.Outcome == Unknown && t.verdict == nil && t.doing != "" {
		v.Reason += " while " + t.doing
	}
	v.Level, v.Delays = t.level, t.delays
	v.Checked = max(t.checked, 1)
	if v.Outcome == Pass && t.unit != "" {
		v.Power = PowerOf(t.checked, t.unit)
	}
	if v.Outcome == Unknown || v.Outcome == Skip {
		v.Checked = t.checked
	}
	return v, !t.firm
}

// Give ends the case as unknown after a wait that the context ended: by then the limit was reached, or the check interrupted.
func (t *Trial) Give() { panic(concluded{}) }
