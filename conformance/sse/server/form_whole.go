package server

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// throng is events of several lines, and of a type for each of several publishers where messages can have one, that are published at once.
type throng struct {
	t      *Trial
	series series
	sent   int
}

const throngPublishers, throngLines = 8, 20

func (g *throng) text(lane, n int) string {
	line := g.series.text(lane, n)
	return strings.Repeat(line+"\n", throngLines-1) + line
}

func (g *throng) kind(lane int) string {
	if !g.t.Subject.Types {
		return ""
	}
	return fmt.Sprintf("lane%d", lane)
}

// publish publishes so many events of each publisher, to a slow subject fewer.
func (g *throng) publish(stream string, each int) {
	t := g.t
	t.Doing("%d publishers publish %s each", throngPublishers, conformance.Plural(each, "event"))
	began := time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	for lane := range throngPublishers {
		all.Add(1)
		t.Go(func() {
			defer all.Done()
			for n := 1; n <= each && (n <= enough || time.Since(began) <= lasting); n++ {
				t.SendTyped(stream, g.kind(lane), g.text(lane, n))
				mu.Lock()
				g.sent++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	t.interrupted()
}

// "Events are written atomically: concurrent publishes, heartbeats or shutdown never interleave inside an event."
//
// Two events that are written into one another show by their lines of data, or else by their other fields: one of the two has both ids, or the
// type of the other.
func eventsAreWrittenWhole(t *Trial) {
	f, g := t.follow([]string{t.Stream()}), &throng{t: t, series: t.series()}
	t.mustBreakLines(f.tap())
	g.publish(f.streams[0], max(enough, t.affordable(throngPublishers*int(t.Number("events")))/throngPublishers))
	marker := t.Unique()
	t.Send(f.streams[0], marker)
	if !f.hears(marker) {
		t.Unknown("a marker behind %s did not arrive within %v", conformance.Plural(g.sent, "event"), t.arrival)
	}
	whole, typed := 0, 0
	var torn, mistyped []broken
	for i, e := range f.seen {
		if !strings.Contains(e.Data, g.series.name) {
			continue
		}
		lane, n, ok := g.series.find(e.Data)
		at := broken{e, f.taps[f.at[i]-1], ""}
		switch {
		case !ok || lane >= throngPublishers || !carries(e.Data, g.text(lane, n)):
			at.how = "an event with the data " + sse.Escape([]byte(e.Data))
			torn = append(torn, at)
		case e.Mixed:
			at.how = fmt.Sprintf("an event with two ids or two types, the second of which are %s and %s", sse.Escape([]byte(e.ID)), sse.Escape([]byte(e.Type)))
			torn = append(torn, at)
		case g.kind(lane) != "" && e.Type != g.kind(lane):
			at.how = fmt.Sprintf("an event of type %s, published as %s among others of type %s", sse.Escape([]byte(e.Type)), g.kind(lane), sse.Escape([]byte(e.Type)))
			mistyped = append(mistyped, at)
			whole++
		default:
			whole++
			typed++
		}
	}
	if len(mistyped) < typed { // else the types are not handed on, which is for another requirement
		torn = append(torn, mistyped...)
		whole -= len(mistyped)
	}
	reportBroken(t, torn, whole)
	t.Sample(whole, "event")
	if whole == 0 && !t.Deviated() {
		t.Unknown("none of %s arrived", conformance.Plural(g.sent, "acknowledged event"))
	}
	t.Conclude(fmt.Sprintf("%s of %d concurrent publishers arrived whole", conformance.Plural(whole, "event"), throngPublishers))
}

// broken is an event that did not arrive whole.
type broken struct {
	Event

	tap *Tap
	how string
}

func reportBroken(t *Trial, torn []broken, whole int) {
	expected := fmt.Sprintf("every event as it was published, with %d lines, one id and its type", throngLines)
	for i, b := range torn {
		if i == mostExamples {
			t.Deviation(expected, fmt.Sprintf("and %d more of %d events", len(torn)-i, len(torn)+whole))
			return
		}
		t.Deviation(expected, b.how, b.tap.EvidenceFrom(max(0, b.End-2*len(b.Data))))
	}
}
