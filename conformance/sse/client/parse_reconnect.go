package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/vectors"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// SSE-PARSE-029: Nothing of a half-read line, block or character crosses a reconnection.
func nothingCrosses(t *Trial) {
	t.Allow(2 * returnWithin)
	t.meet()
	var running sync.WaitGroup
	for i := range vectors.Reconnections {
		v := &vectors.Reconnections[i]
		for _, how := range []string{"whole", "byte by byte"} {
			if !t.Can(subject.Multi) {
				t.crosses(v, how)
				continue
			}
			running.Add(1)
			t.Go(func() {
				defer running.Done()
				t.crosses(v, how)
			})
		}
	}
	running.Wait()
	t.Conclude(fmt.Sprintf("%s of connections, each begun anew", conformance.Plural(2*len(vectors.Reconnections), "pair")))
}

// crosses serves one sequence and judges the events of its last connection.
func (t *Trial) crosses(v *vectors.Sequence, how string) {
	last := len(v.Conns) - 1
	var mu sync.Mutex
	before := -1 // reports that belong to the connections before the last
	var f *Follower
	opened := make(chan struct{})
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > last {
			return err
		}
		text := []byte(v.Conns[c.Number])
		if c.Number == last {
			<-opened
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			// Behind the answer, whatever is reported is of this connection.
			if err := t.session.Sync(ctx); err != nil {
				return err
			}
			mu.Lock()
			before = len(f.Reports())
			mu.Unlock()
		} else if err := c.Send(comeBack); err != nil {
			return err
		}
		segments := [][]byte{text}
		if how != "whole" {
			segments = sse.EachByte(text)
		}
		if err := c.Segments(between, segments...); err != nil || c.Number < last {
			return err
		}
		if err := c.Send("data: " + fence(0) + "\n\n"); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	f = t.Follow(t.quickly(s.URL("/")))
	close(opened)
	if _, ok := t.AwaitRequest(s, len(v.Conns), returnWithin*3/2); !ok {
		t.Unknown("the client did not come back after the end of a stream")
	}
	reports, ok := f.Await(2*patience, func(all []subject.Report) bool { return reported(all, 0) })
	mu.Lock()
	defer mu.Unlock()
	t.Count(1)
	if before < 0 {
		t.Unknown("the last connection of %s could not be served", v.Name)
	}
	got := t.visible(events(reports[before:]))
	if end := slices.IndexFunc(got, func(e seen) bool { return e.data == fence(0) }); end >= 0 {
		got = got[:end]
	}
	// An id that is not kept across connections is the matter of another requirement, a wrong one is of this.
	same := slices.EqualFunc(got, v.Events, func(g seen, w vectors.Event) bool {
		return g.kind == w.Type && g.data == w.Data && (g.id == w.ID || g.id == "")
	})
	if same && ok {
		return
	}
	var want, had []string
	for _, e := range v.Events {
		want = append(want, describe(e.Type, e.Data, e.ID))
	}
	for _, e := range got {
		had = append(had, e.String())
	}
	if !ok {
		t.sure(patience, "the event behind was not reported")
		had = append(had, "not even the event behind")
	}
	var sent []string
	for i, each := range v.Conns {
		sent = append(sent, fmt.Sprintf("connection %d, %s: %s", i+1, how, sse.Escape([]byte(each))))
	}
	t.Deviation("of the last connection: "+strings.Join(want, ", "), v.Name+": "+strings.Join(had, ", "), sent)
}
