package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Case decides one requirement.
type Case struct {
	Requirement string
	Alone       bool          // it changes the subject for others, or needs the machine for itself: run after the others, by itself
	Takes       time.Duration // about; what takes longest begins first, and 0 is what takes no time
	Run         func(t *Trial)
}

// Suite is a set of cases and what they are run with.
type Suite struct {
	Cases     []Case
	Profile   Profile
	Only      []string                                               // ids and areas; empty for all
	Holds     func(word string) bool                                 // what the subject declares
	Lacks     func(r *Requirement) string                            // why the access that r needs is missing, "" when it is not
	Parameter func(requirement, name string) (value string, ok bool) // what the user set
	Next      func(r *Requirement) string                            // how to repeat one requirement
	Parallel  int                                                    // cases at once; 0 means [UsualParallel]
	Once      bool                                                   // whoever asks repeats what is unknown, if it matters
	Report    func(v Verdict)                                        // called as each verdict is reached, from several goroutines
}

// defaultLimit is how long a case may take. It bounds only the wait for something that must come.
const defaultLimit = 30 * time.Second

// overtime is what a case gets to return after its context ended.
const overtime = 10 * time.Second

// Run carries out the cases that apply, and returns their verdicts in the order of the catalogue and how the harness fared. When the
// context ends, what was not judged by then is unknown.
func (s *Suite) Run(ctx context.Context) ([]Verdict, Health, error) {
	jobs, err := s.jobs()
	if err != nil {
		return nil, Health{}, err
	}
	watch := newPulse(ctx)
	defer watch.stop()
	var together, alone, open []*job
	for i := range jobs {
		if jobs[i].c.Alone {
			alone = append(alone, &jobs[i])
		} else {
			together = append(together, &jobs[i])
		}
	}
	slices.SortStableFunc(together, func(a, b *job) int { return cmp.Compare(b.c.Takes, a.c.Takes) }) // the long waits first, beside the others
	atOnce := max(1, cmp.Or(s.Parallel, UsualParallel))
	each(together, atOnce, func(j *job) { s.carryOut(ctx, j, watch) })
	for _, j := range together {
		if j.open {
			open = append(open, j)
		}
	}
	each(open, min(repeatsAtOnce, atOnce), func(j *job) { s.repeat(ctx, j, watch) })
	for _, j := range alone {
		if s.carryOut(ctx, j, watch); j.open {
			s.repeat(ctx, j, watch)
		}
	}
	verdicts := make([]Verdict, len(jobs))
	for i := range jobs {
		verdicts[i] = jobs[i].verdict
	}
	return verdicts, watch.health(), nil
}

// repeatsAtOnce is how many cases are repeated at once: what was unknown beside many others may be clear beside few, and a repeated case
// may need a client of its own.
const repeatsAtOnce = 4

// each does something with all jobs, with so many at once.
func each(jobs []*job, atOnce int, do func(*job)) {
	var running sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, j := range jobs {
		slots <- struct{}{} // in their order
		running.Go(func() {
			defer func() { <-slots }()
			do(j)
		})
	}
	running.Wait()
}

// UsualParallel is how many cases run at once unless something else is asked for: they wait more than they work.
const UsualParallel = 16

// job is a case that applies, with its requirement.
type job struct {
	c       *Case
	r       *Requirement
	verdict Verdict
	open    bool // it is to be repeated
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
			jobs = append(jobs, job{c: c, r: r})
		}
	}
	for id := range byID {
		return nil, fmt.Errorf("a case decides requirement %s, which is not in the catalogue", id)
	}
	return jobs, nil
}

// carryOut runs a case. What is unknown is to be repeated; anything else is its verdict.
func (s *Suite) carryOut(ctx context.Context, j *job, watch *pulse) {
	j.verdict = s.attempt(ctx, j, watch)
	j.open = j.verdict.Outcome == Unknown && !s.Once && ctx.Err() == nil
	if !j.open {
		s.report(j)
	}
}

// repeat runs a case once more whose verdict was unknown: then both attempts are shown.
func (s *Suite) repeat(ctx context.Context, j *job, watch *pulse) {
	first := j.verdict.Reason
	if ctx.Err() == nil {
		v := s.attempt(ctx, j, watch)
		switch {
		case v.Outcome != Unknown:
			v.Reason = strings.TrimSuffix(v.Reason+"; the first attempt was unknown: "+first, "; ")
			v.Reason = strings.TrimPrefix(v.Reason, "; ")
		case v.Reason != first:
			v.Reason += "; and at the first attempt: " + first
		}
		j.verdict = v
	}
	s.report(j)
}

func (s *Suite) report(j *job) {
	if s.Report != nil {
		s.Report(j.verdict)
	}
}

func (s *Suite) attempt(ctx context.Context, j *job, watch *pulse) Verdict {
	level := s.levelOf(j.r)
	v := Verdict{Outcome: Skip, Level: level}
	if v.Reason = s.lacks(j.r); v.Reason == "" {
		v = s.try(ctx, j, level, watch)
	}
	v.ID, v.Title, v.Source = j.r.ID, j.r.Statement, strings.Join(j.r.Sources, ", ")
	if v.Expected == "" {
		v.Expected = j.r.Verdict
	}
	if v.Outcome != Pass && v.Outcome != Info && v.Outcome != Skip && s.Next != nil {
		v.Next = s.Next(j.r)
	}
	return v
}

// levelOf is the requirement's level for this subject.
func (s *Suite) levelOf(r *Requirement) Level {
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

// try runs the case once.
func (s *Suite) try(ctx context.Context, j *job, level Level, watch *pulse) Verdict {
	t := &Trial{Requirement: j.r, level: level, pulse: watch, began: time.Now(), parameters: s.Parameter}
	if t.parameters == nil {
		t.parameters = func(string, string) (string, bool) { return "", false }
	}
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	defer t.cancel(errOver)
	t.until = t.began.Add(defaultLimit)
	t.limit = time.AfterFunc(defaultLimit, func() { t.cancel(errLimit) })
	defer t.limit.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.carryOut(j.c.Run)
	}()
	select {
	case <-done:
	case <-t.ctx.Done():
		late := time.NewTimer(overtime)
		defer late.Stop()
		select {
		case <-done:
		case <-late.C: // its goroutine is left behind: a case that hangs must not hang the others
		}
	}
	return t.result()
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

// result is the verdict, with a reason when there is none.
func (t *Trial) result() Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := Verdict{Outcome: Unknown, Reason: "the case ended without a verdict"}
	cause := context.Cause(t.ctx)
	switch {
	case t.verdict != nil:
		v = *t.verdict
	case errors.Is(cause, errLimit):
		v.Reason = "not decided within its time limit"
	case cause != nil && !errors.Is(cause, errOver):
		v.Reason = "the check was interrupted"
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
	return v
}

// Give ends the case as unknown after a wait that the context ended: by then the limit was reached, or the check interrupted.
func (t *Trial) Give() { panic(concluded{}) }
