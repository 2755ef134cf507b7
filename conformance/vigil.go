package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// vigil watches whether the subject still answers. One that ended, or answers nobody any more, is one finding, and not as many unknown
// verdicts as there are cases left.
//
// It asks whenever a case did not end well, and when one waits for an answer for long.
type vigil struct {
	ask    func(ctx context.Context) (why error, gone bool) // nil: nobody watches
	revive func(ctx context.Context) error                  // nil: it comes back by itself or not at all
	within func() time.Duration                             // a subject that answers nobody for so long does not answer
	began  time.Time
	signs  atomic.Int64 // answers that cases got

	asking  chan struct{} // holds something while it is asked
	looking sync.WaitGroup

	mu      sync.Mutex
	awake   bool // it is looked at while cases run, and what runs is blamed
	answers time.Time
	running map[*Trial]*job
	halts   []*halt
	gone    *halt // it did not come back
}

// halt is that the subject stopped answering.
type halt struct {
	at       time.Duration // since the check began
	why      string        // what became of asking it
	suspects []*suspect    // the most likely first
	back     bool
	away     time.Duration
	busy     bool // it was there all the time, and answered when nobody else asked
	blames   bool // one of the cases that ran is to blame
	found    bool // which one
}

// suspect is a case that ran when the subject stopped answering.
type suspect struct {
	j     *job
	doing string
	asked bool // one of its requests was under way
	since time.Time
}

const (
	backWithin   = 5 * time.Second // for a subject that somebody restarts
	askPause     = 150 * time.Millisecond
	refusals     = 3                     // in a row are no accident
	answerWithin = 10 * time.Second      // who says nothing for so long, and to nobody, does not answer, unless it is slow
	busyWithin   = time.Minute           // of a subject that answers others meanwhile
	mostHalts    = 3                     // after which nobody waits for it any more
	underWay     = 50 * time.Millisecond // a request that was answered so shortly before may still be the cause
)

func newVigil(s *Suite) *vigil {
	return &vigil{ask: s.Answers, revive: s.Revive, within: s.answerWithin, began: time.Now(), awake: s.Answers != nil, asking: make(chan struct{}, 1), running: map[*Trial]*job{}}
}

// look finds out whether the subject still answers, unless that was seen after the given time.
func (v *vigil) look(ctx context.Context, since time.Time) {
	if v.ask == nil {
		return
	}
	v.asking <- struct{}{}
	defer func() { <-v.asking }()
	if v.seen(since) {
		return
	}
	began := time.Now()
	gone, silent, why := v.silence(ctx)
	if !silent {
		v.mu.Lock()
		v.answers = began
		v.mu.Unlock()
		return
	}
	h := v.halt(began, why)
	back := v.returns(ctx, gone)
	v.mu.Lock()
	defer v.mu.Unlock()
	h.back, h.away = back, time.Since(began)
	if h.busy = back && !gone; h.busy { // it had only too much to do
		h.blames = false
	}
	if !h.back || len(v.halts) >= mostHalts {
		v.gone = h
	}
}

func (v *vigil) seen(since time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.gone != nil || v.answers.After(since)
}

// silence asks until it is clear whether the subject answers, or others if it is too busy, and says what became of the last time.
func (v *vigil) silence(ctx context.Context) (gone, silent bool, why error) {
	for began, tries := time.Now(), 1; ; tries++ {
		signs, asked := v.signs.Load(), time.Now()
		why, gone = v.ask(ctx)
		waited, busy := time.Since(began), v.signs.Load() != signs
		if why == nil || ctx.Err() != nil || busy && waited > busyWithin {
			return gone, false, why
		}
		if !busy && (tries >= refusals && time.Since(asked) < askPause || waited >= v.within()) {
			return gone, true, why
		}
		rest(ctx, askPause)
	}
}

// rest lets time pass.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// halt notes that the subject stopped answering, and ends what runs.
func (v *vigil) halt(began time.Time, why error) *halt {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := &halt{at: began.Sub(v.began), why: why.Error(), blames: v.awake}
	for t, j := range v.running {
		t.mu.Lock()
		s := &suspect{j: j, doing: t.doing, asked: t.asking > 0 || began.Sub(t.answered) < underWay, since: t.asked}
		if t.asking > 0 && t.asked.Before(began) {
			h.at = min(h.at, t.asked.Sub(v.began)) // nothing came of that any more
		}
		t.mu.Unlock()
		h.suspects = append(h.suspects, s)
		t.halt.Store(h)
		t.cancel(errHalt)
	}
	slices.SortFunc(h.suspects, func(a, b *suspect) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), b.since.Compare(a.since), strings.Compare(a.j.r.ID, b.j.r.ID))
	})
	if len(h.suspects) > 0 {
		likely := h.suspects[0].rank()
		h.suspects = slices.DeleteFunc(h.suspects, func(s *suspect) bool { return s.rank() < likely })
	}
	v.halts = append(v.halts, h)
	return h
}

// rank is how likely a case is the cause: before all others one that runs by itself because it may be, and then one of whose requests
// nothing had come of.
func (s *suspect) rank() int {
	switch {
	case s.j.single.Load() && !s.j.stood.Load():
		return 2
	case s.asked:
		return 1
	}
	return 0
}

// returns waits for the subject, and has it restarted if it does not come back by itself. One that is still there gets the time to do what it
// was given.
func (v *vigil) returns(ctx context.Context, gone bool) bool {
	within := backWithin
	if !gone {
		within = v.within()
	}
	if v.answersWithin(ctx, within) {
		return true
	}
	if v.revive == nil {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return v.revive(bounded) == nil && v.answersWithin(ctx, backWithin)
}

func (v *vigil) answersWithin(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for ctx.Err() == nil {
		if why, _ := v.ask(ctx); why == nil && ctx.Err() == nil {
			return true
		}
		rest(ctx, askPause)
	}
	return false
}

// enter and leave tell which cases run.
func (v *vigil) enter(t *Trial, j *job) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.running[t] = j
}

func (v *vigil) leave(t *Trial) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.running, t)
}

// sleep ends the looking while cases run: what follows stops the subject on purpose.
func (v *vigil) sleep() {
	v.mu.Lock()
	v.awake = false
	v.mu.Unlock()
	v.looking.Wait()
}

// left is the halt after which nothing can be judged any more; nil while something can.
func (v *vigil) left() *halt {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.gone
}

// Ask tells that a request is on its way, and the function it returns that it was answered, or will not be. When the answer takes long, it
// is looked whether there is anybody to answer.
func (t *Trial) Ask() (over func(answered bool)) {
	t.mu.Lock()
	t.asking++
	t.asked = time.Now()
	t.mu.Unlock()
	timer := time.AfterFunc(suspicious, t.suspect)
	return func(answered bool) {
		timer.Stop()
		t.mu.Lock()
		t.asking--
		t.answered = time.Now()
		t.mu.Unlock()
		if answered {
			t.Sign()
		}
	}
}

// suspicious is how long an answer may take before it is looked whether there is anybody.
const suspicious = 3 * time.Second

// Sign tells that the subject showed that it goes on, as by a message that was delivered.
func (t *Trial) Sign() {
	if t.vigil != nil {
		t.vigil.signs.Add(1)
	}
}

func (t *Trial) suspect() {
	v := t.vigil
	if v == nil {
		return
	}
	v.mu.Lock()
	awake := v.awake
	if awake {
		v.looking.Add(1)
	}
	v.mu.Unlock()
	if !awake {
		return
	}
	defer v.looking.Done()
	v.look(t.check, time.Now())
}

// String says what happened.
func (h *halt) String() string {
	ran := make([]string, len(h.suspects))
	for i, s := range h.suspects {
		ran[i] = s.j.r.ID
	}
	text := "the target stopped answering at +" + h.at.Round(100*time.Millisecond).String()
	if len(ran) > 0 {
		text += ", while " + strings.Join(ran, ", ") + " ran"
	}
	return text
}

// accuses is the verdict about the case that is to blame.
func (h *halt) accuses() Verdict {
	evidence := []string{"asked again: " + h.why}
	for _, other := range h.suspects {
		if other.doing != "" {
			evidence = append(evidence, fmt.Sprintf("%s at that moment: %s", other.j.r.ID, other.doing))
		}
	}
	if h.back {
		evidence = append(evidence, fmt.Sprintf("it answered again %v later", h.away.Round(100*time.Millisecond)))
	}
	const expected = "a target that goes on answering"
	v := Verdict{Outcome: Fail, Expected: expected, Actual: h.String(), Checked: 1}
	v.Findings = []Finding{{Name: "stopped", Count: 1, Text: h.String(), Expected: expected, AtMS: float64(h.at.Milliseconds()), Evidence: evidence}}
	if len(h.suspects) > 1 && !h.found {
		v.Reason = fmt.Sprintf("which of the %d cases that ran stopped it is not known", len(h.suspects))
	}
	return v
}

// rule says what becomes of an attempt during which the subject stopped answering.
func (v *vigil) rule(h *halt, j *job, a *attempt) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if h.busy {
		a.verdict, a.halt = Verdict{Outcome: Unknown, Reason: fmt.Sprintf("the target was too busy to answer for %v", h.away.Round(100*time.Millisecond))}, h
		return
	}
	if !h.blames {
		return
	}
	if len(h.suspects) == 1 && h.suspects[0].j == j {
		for _, before := range v.halts { // also when it ran beside others
			before.found = before.found || slices.ContainsFunc(before.suspects, func(s *suspect) bool { return s.j == j })
		}
		a.verdict, a.weak, a.took = h.accuses(), false, longFirst
		return
	}
	j.moot = true
	a.verdict, a.halt = Verdict{Outcome: Skip, Reason: h.String()}, h
}

// accuse makes a verdict of each halt of which it is not known who is to blame.
func (v *vigil) accuse(r *round) {
	for _, h := range v.halts {
		if !h.blames || h.found || len(h.suspects) == 0 {
			continue
		}
		j := h.suspects[0].j
		reason := j.verdict.Reason
		if r.Once || !h.back {
			reason = ""
		}
		before := j.verdict
		j.verdict = h.accuses()
		j.verdict.ID, j.verdict.Level, j.verdict.Title, j.verdict.Source = before.ID, before.Level, before.Title, before.Source
		j.verdict.Reason = joined(j.verdict.Reason, reason)
	}
}
