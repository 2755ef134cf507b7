package matrix

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
)

// Options are how the rows are carried out. The zero value is good.
type Options struct {
	Parallel int                                 // rows at once, of servers, of clients and of those that wait each; 0 means 26: all wait more than they work
	Report   func(done, total int, about string) // called as rows are judged, by one goroutine at a time

	// Apart judges what needs a process to itself in one of its own, so that several can be judged at once. Without it they are judged in
	// this process, one after the other.
	Apart func(ctx context.Context, row *Row, columns []string) (Judged, error)
}

// Run judges the rows. It ends early with the context: then the rest is undecided.
//
// What is unknown and had to be told is judged again, first beside a few others and then by itself. So is, once, a verdict that
// contradicts: beside others even a kernel can be late. What it was before stays visible in its cell. What stays unknown because other
// programs keep the processors busy is not judged a third time.
func Run(ctx context.Context, rows []Row, o Options) *Matrix {
	r := &runner{ctx: ctx, report: o.Report, apart: o.Apart, health: conformance.Health{OK: true}}
	for i := range rows {
		r.states = append(r.states, &state{row: &rows[i]})
	}
	if o.Parallel == 0 {
		o.Parallel = 26
	}
	secluded := append(jobs(r.states, (*state).solo), jobs(r.states, (*state).alone)...)
	if r.apart != nil {
		r.carryOut(len(secluded), secluded)
	} else {
		r.carryOut(1, secluded) // before others have made the process large
	}
	r.carryOut(o.Parallel, jobs(r.states, (*state).loaded))
	waiting, servers, clients := lanes(jobs(r.states, (*state).apart), jobs(r.states, (*state).together))
	r.carryOut(o.Parallel, waiting, servers, clients)
	r.carryOut(8, jobs(r.states, (*state).open))
	r.carryOut(3, jobs(r.states, (*state).open))
	r.carryOut(1, jobs(r.states, (*state).disputed))
	r.carryOut(1, jobs(r.states, (*state).open))
	return r.matrix()
}

// state is how far the judging of a row has got.
type state struct {
	row    *Row
	judged Judged
	err    error
	took   time.Duration
	before map[string]string // what verdicts were that are judged again because they contradicted
	held   bool              // other programs kept the processors busy while it was judged again
}

// job is one judging of a row.
type job struct {
	*state

	columns []string // empty for all of a scenario
	again   bool
}

func jobs(states []*state, of func(*state) []job) []job {
	var list []job
	for _, s := range states {
		list = append(list, of(s)...)
	}
	return list
}

// lanes are servers and clients, and those of both whose cases wait for minutes: these take next to no processor time, and begin first, so that
// nobody waits for them in the end.
func lanes(apart, together []job) (waiting, servers, clients []job) {
	servers = slices.Clone(apart)
	for _, j := range together {
		switch {
		case slices.Contains(lasting, j.row.Name):
			waiting = append(waiting, j)
		case j.row.Group == ClientMutants:
			clients = append(clients, j)
		default:
			servers = append(servers, j)
		}
	}
	return waiting, servers, clients
}

// lasting are mutants from which much does not come, or comes late, so that many cases wait for as long as they would for anybody.
var lasting = []string{
	"holds-head-back", "holds-last-of-burst", "drain-waits-for-streams", "chokes-on-one-hot-stream", "retry-in-seconds", "end-of-stream-is-success",
	"ends-event-with-one-newline", "answers-from-afar", "registers-behind-head", "compresses-unless-refused", "has-a-long-way", "sends-in-batches", "waits-for-unknown-position",
	"loses-when-someone-joins", "hangs-at-an-empty-message", "waits-for-half-requests", "hangs-beside-a-full-queue", "holds-refused-connections", "forgets-the-returned-in-a-drain",
}

// only is one job, when it is needed.
func only(j job, needed bool) []job {
	if !needed {
		return nil
	}
	return []job{j}
}

// solo is a row that needs the process to itself, and before the others have made it large: what grows, grows from there.
func (s *state) solo() []job { return only(job{state: s, columns: s.row.Columns}, s.row.Solo) }

// loaded is a row of a scenario: its times are all its own, so that nothing runs beside it but others of its kind.
func (s *state) loaded() []job {
	return only(job{state: s}, !s.row.Solo && s.row.Scenario != "")
}

// together is the part of a row of cases that can be judged beside others: at once, or in parts where it would take too long.
func (s *state) together() []job {
	columns := slices.DeleteFunc(slices.Clone(s.row.Columns), func(id string) bool {
		return slices.Contains(s.row.Alone, id) || slices.Contains(s.row.Apart, id)
	})
	if s.row.Solo || s.row.Scenario != "" || len(columns) == 0 {
		return nil
	}
	parts := 1
	if slices.Contains(lasting, s.row.Name) {
		parts = min(6, len(columns))
	}
	list := make([]job, parts)
	for i, id := range columns { // in turn: neighbours ask similar things, and take similar times
		part := &list[i%parts]
		part.state, part.columns = s, append(part.columns, id)
	}
	return list
}

// apart is a job for each case that asks much of a subject: one after the other with one subject they would take minutes and gigabytes.
func (s *state) apart() []job {
	var list []job
	for _, id := range s.row.Apart {
		list = append(list, job{state: s, columns: []string{id}})
	}
	return list
}

// alone is the part that needs the process to itself.
func (s *state) alone() []job {
	return only(job{state: s, columns: s.row.Alone}, !s.row.Solo && len(s.row.Alone) > 0)
}

// open is what had to be told and is unknown.
func (s *state) open() []job {
	return s.again(s.worthwhile)
}

// disputed is open and what contradicts.
func (s *state) disputed() []job {
	for _, c := range s.cells() {
		if c.Mark.Wrong() && c.Verdict.Outcome != conformance.Unknown {
			if s.before == nil {
				s.before = map[string]string{}
			}
			s.before[c.Verdict.ID] = fmt.Sprintf("%v: %s", c.Verdict.Outcome, c.Verdict.Actual)
		}
	}
	return s.again(func(c Cell) bool {
		return s.worthwhile(c) || c.Mark.Wrong() && c.Verdict.Outcome != conformance.Unknown
	})
}

// worthwhile says that a cell is unknown, and may be known the next time.
func (s *state) worthwhile(c Cell) bool {
	return !s.held && (c.Mark == Undecided || c.Mark.Wrong() && c.Verdict.Outcome == conformance.Unknown)
}

// heldUp says that for a twentieth of the time other programs kept this one from a processor.
func heldUp(h conformance.Health) bool {
	const period = 500 * time.Millisecond
	return h.HeldUp(period/2, 50) > period/20
}

// again judges some cells again, or the whole of a scenario, whose verdicts hang together.
func (s *state) again(wanted func(Cell) bool) []job {
	var columns []string
	for _, c := range s.cells() {
		if wanted(c) {
			columns = append(columns, c.Verdict.ID)
		}
	}
	j := job{state: s, columns: columns, again: true}
	switch {
	case s.row.Scenario != "":
		j.columns = nil
	case s.err != nil:
		j.columns, s.err = s.row.Columns, nil
	}
	return only(j, len(columns) > 0)
}

// runner carries out jobs.
type runner struct {
	ctx    context.Context
	states []*state
	apart  func(context.Context, *Row, []string) (Judged, error)

	mu     sync.Mutex
	health conformance.Health
	done   int // of this carrying out
	total  int
	report func(done, total int, about string)
}

// carryOut carries out the jobs of several lists at once, of each so many.
func (r *runner) carryOut(atOnce int, lists ...[]job) {
	if atOnce > 1 { // by itself a row may be judged by its memory
		defer debug.SetGCPercent(debug.SetGCPercent(seldom))
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(min(room, debug.SetMemoryLimit(-1))))
	}
	r.done, r.total = 0, 0
	var all sync.WaitGroup
	for _, list := range lists {
		r.total += len(list)
	}
	for _, list := range lists {
		crash.Go(&all, func() {
			slots := make(chan struct{}, atOnce)
			for _, j := range list {
				slots <- struct{}{}
				crash.Go(&all, func() {
					defer func() { <-slots }()
					r.judge(j, atOnce)
				})
			}
		})
	}
	all.Wait()
}

func (r *runner) judge(j job, atOnce int) {
	if r.ctx.Err() != nil {
		return
	}
	if atOnce == 1 {
		debug.FreeOSMemory() // what others have left would hide what this one takes
	}
	began := time.Now()
	judge := j.row.Judge
	if r.apart != nil && j.row.secludes(j.columns) {
		judge = func(ctx context.Context, columns []string) (Judged, error) { return r.apart(ctx, j.row, columns) }
	}
	judged, err := judge(r.ctx, j.columns)
	r.mu.Lock()
	defer r.mu.Unlock()
	j.took += time.Since(began)
	j.held = j.again && heldUp(judged.Health)
	if r.ctx.Err() != nil {
		judged.Doubt = interrupted
	}
	j.merge(judged, err)
	r.done++
	r.note(judged.Health)
	if r.report != nil {
		r.report(r.done, r.total, fmt.Sprintf("%s in %.1fs", j.about(atOnce), time.Since(began).Seconds()))
	}
}

// seldom is how much garbage, in percent of what is in use, waits for its collection: what is in use is little.
const seldom = 600

// room is the memory, in bytes, beyond which garbage is collected sooner.
const room = 1400 << 20

// note keeps the worst of what the harness says of itself. That it was too busy for some verdict does not make it unhealthy: such a
// verdict is judged again.
func (r *runner) note(h conformance.Health) {
	r.health.LagP50 = max(r.health.LagP50, h.LagP50)
	r.health.LagP99 = max(r.health.LagP99, h.LagP99)
	r.health.LagMax = max(r.health.LagMax, h.LagMax)
	r.health.MemoryBytes = max(r.health.MemoryBytes, h.MemoryBytes)
	r.health.Goroutines = max(r.health.Goroutines, h.Goroutines)
}

func (j job) about(atOnce int) string {
	switch {
	case j.again && len(j.columns) == len(j.row.Columns):
		return "judged again " + j.row.ID()
	case j.again:
		return "judged again " + strings.Join(j.columns, ", ") + " of " + j.row.ID()
	case atOnce == 1:
		return "judged " + j.row.ID() + " by itself"
	}
	return "judged " + j.row.ID()
}

// merge adds what came out. What is judged again replaces what was unknown, and says so.
func (s *state) merge(judged Judged, err error) {
	s.err = cmp.Or(err, s.err)
	if s.row.Scenario != "" {
		s.err = err
		s.judged = judged
		return
	}
	s.judged.Doubt = judged.Doubt
	for _, v := range judged.Verdicts {
		i := slices.IndexFunc(s.judged.Verdicts, func(before conformance.Verdict) bool { return before.ID == v.ID })
		if i < 0 {
			s.judged.Verdicts = append(s.judged.Verdicts, v)
			continue
		}
		before := s.judged.Verdicts[i].Reason
		if v.Reason == "" && before != "" {
			v.Reason = "judged again, because before: " + before
		}
		s.judged.Verdicts[i] = v
	}
}

func (s *state) cells() []Cell {
	judged := s.judged
	if s.err != nil && judged.Doubt == "" {
		return []Cell{{Mark: Undecided, Verdict: conformance.Verdict{ID: "run", Reason: fmt.Sprintf("it could not be run: %v", s.err)}}}
	}
	cells := s.row.cells(judged)
	for i := range cells {
		cells[i].Before = s.before[cells[i].Verdict.ID]
	}
	return cells
}

// interrupted is cells for a matrix that ended early: what is unknown might have been judged, or judged again.
func (s *state) interrupted() []Cell {
	cells := s.cells()
	for i, c := range cells {
		if (c.Mark == Undecided || c.Mark.Wrong()) && c.Verdict.Outcome == conformance.Unknown && c.Doubt == "" {
			cells[i].Mark, cells[i].Doubt = Undecided, interrupted
		}
	}
	return cells
}

const interrupted = "interrupted"
