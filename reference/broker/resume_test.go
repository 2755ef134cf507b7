package broker

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestResumeSendsExactlyWhatFollows(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	ids := publish(t, b, "a", "1", "2", "3")
	var all []*events
	for i, want := range [][]string{{"2", "3"}, {"3"}, nil} {
		for _, header := range []bool{true, false} {
			e := resume(t, url+"/events?stream=a", ids[i], header)
			e.expectResume(ResumeExact)
			e.expect(want...)
			all = append(all, e)
		}
	}
	publish(t, b, "a", "live")
	for _, e := range all {
		e.expect("live")
	}
}

func resume(t testing.TB, url, id string, header bool) *events {
	t.Helper()
	if header {
		return get(t, url, "Last-Event-ID", id)
	}
	return get(t, url+"&lastEventId="+id)
}

func TestHeaderWinsOverQuery(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	ids := publish(t, b, "a", "1", "2", "3")
	get(t, url+"/events?stream=a&lastEventId="+ids[0], "Last-Event-ID", ids[1]).expect("3")
}

func TestEmptyPositionIsFresh(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	publish(t, b, "a", "1", "2")
	e := get(t, url+"/events?stream=a&lastEventId=", "Last-Event-ID", "")
	e.expectResume(ResumeFresh)
	publish(t, b, "a", "3")
	e.expect("3")
}

func TestEarliestReplaysEverythingRetained(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{HistoryEvents: 3})
	publish(t, b, "a", "1", "2", "3", "4", "5")
	e := get(t, url+"/events?stream=a", "Last-Event-ID", "earliest")
	e.expectResume(ResumeEarliest)
	e.expect("3", "4", "5")
}

// TestOpeningPositionResumes is the client that was cut off before its first event.
func TestOpeningPositionResumes(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	publish(t, b, "a", "before")
	opening, err := get(t, url+"/events?stream=a").block()
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, "a", "while away")
	e := get(t, url+"/events?stream=a", "Last-Event-ID", opening.ID)
	e.expectResume(ResumeExact)
	e.expect("while away")
}

func TestUnknownPositionIsToldAndNeverDeaf(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	newest := publish(t, b, "a", "1")[0]
	other := publish(t, newBroker(t, Config{}), "a", "1")[0]
	for _, id := range []string{
		"nonsense", "1", other, newest + "0", newest + " ", strings.ToUpper(newest), b.epoch + "-", b.epoch + "-+1", b.epoch + "-01", "\u2026",
	} {
		e := get(t, url+"/events?stream=a&stream=c", "Last-Event-ID", id)
		if id == newest+" " { // a header loses its edges
			e.expectResume(ResumeExact)
			continue
		}
		e.expectResume(ResumeUnknown)
		for _, stream := range []string{"a", "c"} {
			if g := dataOf(t, e.next()); g.Stream != stream || g.Reason != "unknown" {
				t.Errorf("%q: gap is %+v, want %s unknown", id, g, stream)
			}
		}
		opening, err := e.block()
		if err != nil || opening.ID != formatID(b.epoch, b.newest()) {
			t.Errorf("%q: opens at %+v, %v", id, opening, err)
		}
		live := publish(t, b, "a", "live")[0]
		if got := e.next(); got.ID != live {
			t.Errorf("%q: next event is %+v, want %s", id, got, live)
		}
		e.close()
	}
}

func TestEvictedPositionIsToldAndReplaysWhatIsRetained(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{HistoryEvents: 2, Queue: 10})
	ids := publish(t, b, "a", "1", "2", "3", "4")
	publish(t, b, "b", "5")
	e := get(t, url+"/events?stream=a&stream=b", "Last-Event-ID", ids[0])
	e.expectResume(ResumeEvicted)
	if g := dataOf(t, e.next()); g != (gap{Stream: "a", Reason: "evicted", Oldest: ids[2]}) {
		t.Errorf("gap is %+v", g)
	}
	opening, err := e.block()
	if err != nil || opening.ID != "" {
		t.Errorf("opens with %+v, %v: it must leave the client its position", opening, err)
	}
	e.expect("3", "4", "5")
	e = get(t, url+"/events?stream=a", "Last-Event-ID", ids[1])
	e.expectResume(ResumeExact)
	e.expect("3", "4")
}

func TestHistoryAgeEvicts(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{HistoryAge: time.Hour})
	ids := publish(t, b, "a", "1", "2")
	st := b.streams["a"]
	b.began = b.began.Add(-2 * time.Hour)
	ids = append(ids, publish(t, b, "a", "3")...)
	for i, want := range []struct {
		resume Resume
		next   uint64
	}{{ResumeEvicted, 3}, {ResumeExact, 3}, {ResumeExact, 4}} {
		at, _ := b.where(ids[i])
		c := cursor{stream: st}
		if evicted := c.place(at, b.now(), b.keep); evicted != (want.resume == ResumeEvicted) || c.next != want.next {
			t.Errorf("position %d: evicted %v, next %d, want %s, %d", i+1, evicted, c.next, want.resume, want.next)
		}
	}
}

func TestQuietStreamIsNotEvictedByBusyOnes(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{HistoryEvents: 2, Queue: 1})
	id := publish(t, b, "quiet", "1")[0]
	for range 100 {
		publish(t, b, "busy", "x")
	}
	publish(t, b, "quiet", "2")
	e := get(t, url+"/events?stream=quiet", "Last-Event-ID", id)
	e.expectResume(ResumeExact)
	e.expect("2")
}

func TestNewServerOverTheSameBrokerContinues(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{})
	first := newServer(t, b)
	e := get(t, first.URL()+"/events?stream=a")
	publish(t, b, "a", "1")
	id := e.expect("1").ID
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if blocks, err := e.rest(); err == nil || len(blocks) > 0 {
		t.Fatalf("after Close: %+v, %v", blocks, err)
	}
	publish(t, b, "a", "2")
	second, err := Start(b, ServerConfig{Addr: strings.TrimPrefix(first.URL(), "http://")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	e = get(t, second.URL()+"/events?stream=a", "Last-Event-ID", id)
	e.expectResume(ResumeExact)
	e.expect("2")
}

// TestSeamLosesDuplicatesAndSwapsNothing cuts many clients again and again while events are published without a pause, with
// the history just long enough. Each client must see every number of each of its streams once and in order.
func TestSeamLosesDuplicatesAndSwapsNothing(t *testing.T) {
	t.Parallel()
	clients, cuts := 16, 120
	if testing.Short() {
		cuts = 20
	}
	b, url := newURL(t, Config{HistoryEvents: 20_000, Queue: 20_000})
	stop, published := publishUntilStopped(t, b, "a", "b", "c")
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			cutAndResume(t, url, []string{"a", "b", "c"}[:1+i%3], cuts, rand.New(rand.NewPCG(1, uint64(i))))
		})
	}
	wg.Wait()
	close(stop)
	t.Logf("%d resumes while %d events were published", clients*cuts, <-published)
}

func publishUntilStopped(t *testing.T, b *Broker, streams ...string) (stop chan struct{}, published chan int) {
	t.Helper()
	stop, published = make(chan struct{}), make(chan int, 1)
	go func() {
		pace := time.NewTicker(200 * time.Microsecond)
		defer pace.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				published <- n
				return
			case <-pace.C:
			}
			stream := streams[n%len(streams)]
			if _, err := b.Publish(stream, stream, []byte(strconv.Itoa(n/len(streams)+1))); err != nil {
				t.Error(err)
			}
		}
	}()
	return stop, published
}

// cutAndResume reads a few events at a time over many connections. The number of an event is its data.
func cutAndResume(t *testing.T, url string, streams []string, cuts int, random *rand.Rand) {
	t.Helper()
	last := map[string]int{}
	id := ""
	for cut := range cuts {
		e := open(t, url+"/events?stream="+strings.Join(streams, "&stream="), "Last-Event-ID", id)
		if got := e.response.Header.Get("Sse-Resume"); cut > 0 && got != string(ResumeExact) {
			t.Errorf("cut %d: Sse-Resume is %q", cut, got)
			return
		}
		for range random.IntN(12) {
			r, err := e.block()
			if err != nil {
				t.Errorf("cut %d: %v", cut, err)
				return
			}
			if r.HasData {
				if err := follows(last, r); err != nil {
					t.Errorf("cut %d after %s: %v", cut, id, err)
					return
				}
			}
			if r.ID != "" {
				id = r.ID
			}
		}
		e.close()
	}
}

func follows(last map[string]int, r received) error {
	n, err := strconv.Atoi(r.Data)
	if err != nil {
		return err
	}
	if before, ok := last[r.Type]; ok && n != before+1 {
		return fmt.Errorf("stream %s: %d after %d", r.Type, n, before)
	}
	last[r.Type] = n
	return nil
}

// TestHoleIsAlwaysTold resumes at positions that are being evicted. Every client sees every number, or is told of the gap.
func TestHoleIsAlwaysTold(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{HistoryEvents: 40, Queue: 40})
	stop, published := publishUntilStopped(t, b, "a")
	told := map[string]int{}
	id, last := "", 0
	for cut := range 120 {
		e := open(t, url+"/events?stream=a", "Last-Event-ID", id)
		told[e.response.Header.Get("Sse-Resume")]++
		for range cut % 7 {
			r, err := e.block()
			if err != nil {
				break // disconnected as slow; the next resume tells
			}
			n, _ := strconv.Atoi(r.Data)
			switch {
			case r.Type == "gap":
				last = 0
			case r.HasData && last != 0 && n != last+1:
				t.Fatalf("%d after %d with Sse-Resume %v", n, last, e.response.Header["Sse-Resume"])
			case r.HasData:
				last = n
			}
			if r.ID != "" {
				id = r.ID
			}
		}
		e.close()
		if cut%3 == 0 {
			waitForEvents(t, b, 10*(cut%10))
		}
	}
	close(stop)
	t.Logf("%v while %d events were published", told, <-published)
	if told[string(ResumeExact)] == 0 || told[string(ResumeEvicted)] == 0 {
		t.Errorf("%v: one of exact and evicted never happened", told)
	}
}

func waitForEvents(t testing.TB, b *Broker, n int) {
	t.Helper()
	until := b.Stats().Published + uint64(n)
	eventually(t, "events", func() bool { return b.Stats().Published >= until })
}
