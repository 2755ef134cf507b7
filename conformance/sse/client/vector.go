package client

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/vectors"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

const (
	// between is the pause between two segments, so that they arrive apart.
	between = 300 * time.Microsecond
	// patience is how long a client may take for what should take it no time.
	patience = 5 * time.Second
	// returnWithin is how long a client may take to come back where nothing says how long it should.
	returnWithin = 40 * time.Second
	// soon is the reconnection time that the scripts ask for, in milliseconds.
	soon = 10
	// sequenceTime bounds what is spent on a vector for which the client has to come back again and again.
	sequenceTime = 25 * time.Second
)

// fence is an event behind which everything before it must have been reported.
func fence(number int) string { return fencePrefix + strconv.Itoa(number) }

const fencePrefix = "streamgauge fence "

// experiment is a vector in one cut, and what the client made of it.
type experiment struct {
	v     *vectors.Vector
	cut   cut
	got   []seen
	ownID bool // the client tells an event's own id alone
	ended bool // the client reported that it gave up
	bare  bool // the event behind was not reported, although later ones were
}

// run serves a vector in every cut, and returns what came of each. missing is the number of cuts whose end the client never
// reported; those are the last, and their events are what there was.
func (t *Trial) run(v *vectors.Vector) (done []experiment, missing int) {
	all := cuts(t.Random(), []byte(v.In))
	if v.Requirement() == "SSE-PARSE-023" {
		all = longCuts([]byte(v.In))
	}
	if repeatable(v) {
		return t.inARow(v, all)
	}
	if v.Retry > 100*time.Millisecond {
		all = slices.Concat(all[:2], all[len(all)-3:]) // it asks the client itself to stay away for long
	}
	return t.oneEach(v, all)
}

// longCuts are those of a stream of which size alone matters.
func longCuts(in []byte) []cut {
	return []cut{
		{"whole", [][]byte{in}},
		{"in segments of 1448 bytes", slices.Collect(slices.Chunk(in, 1448))},
		{"in segments of 16 KiB", slices.Collect(slices.Chunk(in, 16<<10))},
	}
}

var blankLine = regexp.MustCompile(`(\r\n|\r|\n)(\r\n|\r|\n)$`)

// blankLineAtEnd looks at the end alone: some vectors are long.
func blankLineAtEnd(in string) bool { return blankLine.MatchString(in[max(0, len(in)-4):]) }

// pause is the one between the segments of a cut. Many segments are read together here and there, which is as good.
func pause(c cut) time.Duration {
	if len(c.segments) > everySplitUpTo {
		return 0
	}
	return between
}

// repeatable says that a vector means the same behind others on one connection: it does not depend on the stream's beginning or end, nor on
// an id that must not have been set before.
func repeatable(v *vectors.Vector) bool {
	blank := slices.ContainsFunc(v.Events, func(e vectors.Event) bool { return e.ID == "" })
	return blankLineAtEnd(v.In) && !strings.HasPrefix(v.In, "\ufeff") && (!blank || !strings.Contains(v.In, "id"))
}

// inARow serves all cuts on one connection, with a fence behind each.
func (t *Trial) inARow(v *vectors.Vector, all []cut) ([]experiment, int) {
	t.Allow(sequenceTime)
	var sent atomic.Int64
	s := t.Serve(func(c *sse.Conn) error {
		if err := t.begin(c); err != nil || c.Number > 0 {
			return err
		}
		for i, each := range all {
			if err := c.Segments(pause(each), append(slices.Clone(each.segments), []byte("data: "+fence(i)+"\n\n"))...); err != nil {
				return err
			}
			sent.Add(1)
		}
		c.Hold(nil)
		return nil
	})
	f := t.Follow(subject.Open{URL: s.URL("/"), Listen: types(v)})
	t.begun(s)
	t.collect(f, func(reports []subject.Report) bool { return reported(reports, len(all)-1) }, func() (int, time.Duration) {
		if len(s.Requests()) > 1 {
			return len(all), 0 // it has left the connection on which the fences are
		}
		return int(sent.Load()), patience
	})
	return t.split(f, v, all)
}

// begin reads a request and answers it with a stream. Where the charset is not to be looked at, the content type names a wrong one.
func (t *Trial) begin(c *sse.Conn) error {
	if t.Requirement.ID != "SSE-PARSE-019" {
		_, err := c.Stream()
		return err
	}
	if _, err := c.Request(); err != nil {
		return err
	}
	return c.Head(http.StatusOK, "Content-Type: text/event-stream;charset=windows-1252", "Cache-Control: no-store")
}

// beginWithin is how long a client may take for its first request.
const beginWithin = 20 * time.Second

// begun waits for the first request: without one, nothing can be said about what the client makes of a stream.
func (t *Trial) begun(s *sse.Server) {
	if _, ok := t.AwaitRequest(s, 1, beginWithin); !ok {
		t.Unknown("the client sent no request within %v", beginWithin)
	}
}

// oneEach serves each cut on a connection of its own: one subscription comes back for the next one. The fence stands behind the vector, or,
// when the stream's end belongs to it, at the beginning of the next connection.
func (t *Trial) oneEach(v *vectors.Vector, all []cut) ([]experiment, int) {
	t.Allow(sequenceTime + 2*returnWithin)
	until := time.Now().Add(sequenceTime)
	ends := !blankLineAtEnd(v.In)
	var mu sync.Mutex
	served := 0 // cuts
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		mu.Lock()
		number := served
		last := number == len(all) || number > 1 && time.Now().After(until)
		if !last {
			served++
		}
		mu.Unlock()
		mark := func(n int) []byte { return fmt.Appendf(nil, "retry: %d\nid\ndata: %s\n\n", soon, fence(n)) }
		if last {
			if ends {
				if _, err := c.Write(mark(number - 1)); err != nil {
					return err
				}
			}
			c.Hold(nil)
			return nil
		}
		segments := slices.Clone(all[number].segments)
		switch {
		case !ends:
			segments = append(segments, mark(number))
		case number > 0:
			segments = slices.Insert(segments, 0, mark(number-1))
		}
		return c.Segments(pause(all[number]), segments...)
	})
	o := subject.Open{URL: s.URL("/"), Listen: types(v)}
	if t.Can(subject.Retry) {
		o.RetryMS = soon
	}
	f := t.Follow(o)
	t.begun(s)
	finished := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		return served, served == len(all) || served > 1 && time.Now().After(until)
	}
	t.collect(f, func(reports []subject.Report) bool {
		n, all := finished()
		return all && reported(reports, n-1)
	}, func() (int, time.Duration) {
		n := len(s.Requests())
		if count, all := finished(); all && (!ends || n > count) {
			return n, patience
		}
		if t.staysAway() {
			return n, patience
		}
		return n, returnWithin // the client comes back when it likes
	})
	count, _ := finished()
	t.suite.returns.note(2, len(s.Requests()) > 1, returnWithin)
	if ends && len(s.Requests()) <= count {
		t.Unknown("the client did not come back after the end of a stream, so it is not known what it made of it")
	}
	return t.split(f, v, all[:count])
}

// collect waits until the reports are enough, or for as long as something moves: events that are reported, or what moved counts. moved
// also says how long it may stand still.
func (t *Trial) collect(f *Follower, enough func([]subject.Report) bool, moved func() (n int, patience time.Duration)) {
	const step = time.Second
	before := -1
	for still := time.Duration(0); ; still += step {
		reports, ok := f.Await(step, enough)
		if ok {
			return
		}
		n, most := moved()
		n += len(events(reports))
		if n != before {
			before, still = n, 0
		}
		if still >= most {
			return
		}
	}
}

func reported(reports []subject.Report, number int) bool {
	want := fence(number)
	for i := len(reports) - 1; i >= 0; i-- {
		if d := reports[i].Data; d != nil && *d == want {
			return true
		}
	}
	return false
}

// split gives each cut the events between its fence and the one before. What stands between two fences of which one is missing is told of the
// first cut alone.
func (t *Trial) split(f *Follower, v *vectors.Vector, all []cut) (done []experiment, missing int) {
	for i, p := range fenced(events(f.Reports()), len(all)) {
		switch {
		case p.fenced || p.bare:
			done = append(done, experiment{v, all[i], p.got, t.ownID(), false, p.bare})
		case p.last:
			done = append(done, experiment{v, all[i], p.got, t.ownID(), finalOf(f.Reports()) != nil, false})
			return done, len(all) - i
		}
	}
	return done, 0
}

// piece is what was reported between two fences.
type piece struct {
	got    []seen
	fenced bool // the fence behind was reported
	bare   bool // it was not, but a later one was
	last   bool // nor was any later one
}

// fenced cuts events at their fences. Pieces behind a missing fence that cannot be told apart from it are neither fenced, nor bare, nor last.
func fenced(got []seen, n int) []piece {
	pieces := make([]piece, n)
	blurred := false // the fence before is missing
	for i := range pieces {
		end := slices.IndexFunc(got, func(e seen) bool { return e.data == fence(i) })
		next := slices.IndexFunc(got, func(e seen) bool { return strings.HasPrefix(e.data, fencePrefix) })
		switch {
		case end >= 0:
			pieces[i] = piece{got: got[:end], fenced: !blurred}
			got, blurred = got[end+1:], false
		case next < 0:
			pieces[i] = piece{got: got, last: true}
		case !blurred:
			pieces[i] = piece{got: got[:next], bare: true}
			blurred = true
		}
	}
	return pieces
}

// types are those of a vector's events, for clients that must be told.
func types(v *vectors.Vector) []string {
	kinds := []string{"message"}
	for _, e := range v.Events {
		if !slices.Contains(kinds, e.Type) {
			kinds = append(kinds, e.Type)
		}
	}
	return kinds
}

// same says that an event was reported as the vector has it.
func (x *experiment) same(g seen, w vectors.Event, ids bool) bool {
	return g.kind == w.Type && g.data == w.Data && (!ids || g.id == w.ID || x.ownID && g.id == "")
}

// difference says how what was reported differs from what the vector means; "" when it does not.
func (x *experiment) difference(ids bool) string {
	if slices.EqualFunc(x.got, x.v.Events, func(g seen, w vectors.Event) bool { return x.same(g, w, ids) }) {
		return ""
	}
	return few(x.got, ids)
}

// few names the first of some events.
func few(all []seen, ids bool) string {
	const most, longest = 4, 60 // bytes of data
	if len(all) == 0 {
		return "no event"
	}
	var words []string
	for i, e := range all {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		if !ids {
			e.id = ""
		}
		if n := len(e.data); n > longest {
			e.data = e.data[:longest]
			words = append(words, fmt.Sprintf("%v… (%s)", e, conformance.Plural(n, "byte")))
			continue
		}
		words = append(words, e.String())
	}
	return strings.Join(words, ", ")
}

// plain says how readable a stream is: of several that were misunderstood the plainest is shown first.
func plain(v *vectors.Vector) (strange, length int) {
	for _, r := range v.In {
		if r > '~' || r < ' ' && r != '\n' && r != '\r' {
			strange++
		}
	}
	return strange, len(v.In)
}

func plainer(a, b *vectors.Vector) int {
	strangeA, lengthA := plain(a)
	strangeB, lengthB := plain(b)
	return cmp.Or(cmp.Compare(strangeA, strangeB), cmp.Compare(lengthA, lengthB), cmp.Compare(a.Name, b.Name))
}

func meaning(v *vectors.Vector, ids bool) string {
	all := make([]seen, len(v.Events))
	for i, e := range v.Events {
		all[i] = seen{kind: e.Type, data: e.Data, id: e.ID}
	}
	return few(all, ids)
}
