package client

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

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
func fence(number int) string { return fmt.Sprintf("streamgauge fence %d", number) }

// experiment is a vector in one cut, and what the client made of it.
type experiment struct {
	v   *vectors.Vector
	cut cut
	got []seen
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

var blankLineAtEnd = regexp.MustCompile(`(\r\n|\r|\n)(\r\n|\r|\n)$`)

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
	return blankLineAtEnd.MatchString(v.In) && !strings.HasPrefix(v.In, "\ufeff") && (!blank || !strings.Contains(v.In, "id"))
}

// inARow serves all cuts on one connection, with a fence behind each.
func (t *Trial) inARow(v *vectors.Vector, all []cut) ([]experiment, int) {
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > 0 {
			return err
		}
		for i, each := range all {
			if err := c.Segments(pause(each), append(slices.Clone(each.segments), []byte("data: "+fence(i)+"\n\n"))...); err != nil {
				return err
			}
		}
		c.Hold(nil)
		return nil
	})
	f := t.Follow(subject.Open{URL: s.URL("/"), Listen: types(v)})
	return t.collect(f, v, all, func() time.Duration { return returnWithin })
}

// oneEach serves each cut on a connection of its own: one subscription comes back for the next one. The fence stands behind the vector, or,
// when the stream's end belongs to it, at the beginning of the next connection.
func (t *Trial) oneEach(v *vectors.Vector, all []cut) ([]experiment, int) {
	t.Allow(sequenceTime + 2*returnWithin)
	until := time.Now().Add(sequenceTime)
	ends := !blankLineAtEnd.MatchString(v.In)
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
	// The first return can take as long as the client likes.
	t.collectUntil(f, func(reports []subject.Report) bool {
		mu.Lock()
		defer mu.Unlock()
		finished := served == len(all) || served > 1 && time.Now().After(until)
		return finished && reported(reports, served-1)
	}, sequenceTime+returnWithin)
	mu.Lock()
	count := served
	mu.Unlock()
	return t.split(f, v, all[:count])
}

// collect waits for the last fence and splits what was reported by them.
func (t *Trial) collect(f *Follower, v *vectors.Vector, all []cut, within func() time.Duration) ([]experiment, int) {
	t.collectUntil(f, func(reports []subject.Report) bool { return reported(reports, len(all)-1) }, within())
	return t.split(f, v, all)
}

// collectUntil waits as long as reports keep coming, and patience more.
func (t *Trial) collectUntil(f *Follower, enough func([]subject.Report) bool, first time.Duration) {
	for n, within := 0, first; ; within = max(patience, within/2) {
		reports, ok := f.Await(within, func(r []subject.Report) bool { return enough(r) || len(r) >= n+1000 })
		if ok && enough(reports) || len(reports) == n {
			return
		}
		n = len(reports)
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

// split gives each cut the events between its fence and the one before.
func (t *Trial) split(f *Follower, v *vectors.Vector, all []cut) (done []experiment, missing int) {
	got := events(f.Reports())
	for i, each := range all {
		end := slices.IndexFunc(got, func(e seen) bool { return e.data == fence(i) })
		if end < 0 {
			done = append(done, experiment{v, each, got})
			return done, len(all) - i
		}
		done = append(done, experiment{v, each, got[:end]})
		got = got[end+1:]
	}
	return done, 0
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

// difference says how what was reported differs from what the vector means; "" when it does not.
func (x *experiment) difference(ids bool) string {
	same := slices.EqualFunc(x.got, x.v.Events, func(g seen, w vectors.Event) bool {
		return g.kind == w.Type && g.data == w.Data && (!ids || g.id == w.ID)
	})
	if same {
		return ""
	}
	if len(x.got) == 0 {
		return "no event"
	}
	var got []string
	for _, g := range x.got {
		if !ids {
			g.id = ""
		}
		got = append(got, g.String())
	}
	return strings.Join(got, ", ")
}

func meaning(v *vectors.Vector, ids bool) string {
	var want []string
	for _, e := range v.Events {
		if !ids {
			e.ID = ""
		}
		want = append(want, describe(e.Type, e.Data, e.ID))
	}
	if len(want) == 0 {
		return "no event"
	}
	return strings.Join(want, ", ")
}
