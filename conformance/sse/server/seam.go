package server

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// seam is the place where replay and live delivery meet, under load: publishers at a constant rate that waits for nobody, and
// subscribers that are cut at random bytes, also inside an event, and come back at once or a little later from the last position
// they committed, or from an older one.
type seam struct {
	clients    int
	publishers int
	rate       float64 // messages per second of all publishers together
	lasting    time.Duration
	away       time.Duration // longest absence
	rewind     int           // from how many events back a subscriber may resume at most
	history    int           // messages published before anyone subscribes
}

// seam is a seam as the requirement's parameters want it.
func (t *Trial) seam() seam {
	return seam{
		clients: int(t.Number("subscribers")), publishers: 4, rate: t.Number("rate"), lasting: t.Duration("lasting"), away: t.Duration("away"),
	}
}

// seamRun is a seam while it is carried out, and what came of it.
type seamRun struct {
	seam
	t        *Trial
	stream   string
	series   series
	accepted [][]Acceptance // lane → number − 1; complete once publishing is over
	sent     atomic.Int64   // messages whose publish has begun
	resumes  atomic.Int64
	behind   atomic.Int64   // subscribers that gave up because their position was about to leave the history
	begun    sync.WaitGroup // until every subscriber is there
	load     chan struct{}  // closed when publishing begins
	over     chan struct{}  // closed when it has ended
	last     string         // text of a message published after that

	mu        sync.Mutex
	anomalies []found
	noted     map[anomaly]bool
}

const fenceLane = 1000 // lane of what is published before and after

// run carries the seam out. It ends the case as unknown when it did not come about.
func (s seam) run(t *Trial) *seamRun {
	r := &seamRun{
		seam: s, t: t, stream: t.Stream(), series: t.series(), accepted: make([][]Acceptance, s.publishers),
		load: make(chan struct{}), over: make(chan struct{}), noted: map[anomaly]bool{},
	}
	t.Allow(s.lasting)
	t.publishAll(r.stream, r.series, fenceLane+1, 1, s.history)
	followers := make([]*follower, s.clients)
	for i := range followers {
		followers[i] = t.follow([]string{r.stream})
	}
	t.Send(r.stream, r.series.text(fenceLane, 1))
	r.begun.Add(s.clients)
	var done sync.WaitGroup
	for i, f := range followers {
		done.Add(1)
		t.Go(func() {
			defer done.Done()
			r.client(i, f)
		})
	}
	r.begun.Wait()
	t.interrupted()
	t.Doing("%d subscribers are cut and resume under load", s.clients)
	r.publish()
	done.Wait()
	t.interrupted()
	return r
}

// publish publishes until the time is over, and then the last message.
func (r *seamRun) publish() {
	defer close(r.over)
	close(r.load)
	var publishers sync.WaitGroup
	for lane := range r.publishers {
		publishers.Go(func() { r.publisher(lane) })
	}
	publishers.Wait()
	r.last = r.series.text(fenceLane, 2)
	r.t.Send(r.stream, r.last)
}

// publisher publishes one lane: each message as soon as it is due and its predecessor was answered, so that the lane has an order. To a
// slow subject fewer are published.
func (r *seamRun) publisher(lane int) {
	period := time.Duration(float64(r.publishers) / r.rate * float64(time.Second))
	began := time.Now()
	for n := 1; ; n++ {
		due := time.Duration(n) * period
		if due > r.lasting || n > enough && time.Since(began) > leisure*r.lasting {
			return
		}
		if !pause(r.t, due-time.Since(began)) {
			return
		}
		r.sent.Add(1)
		receipt := r.t.Publish(Message{Stream: r.stream, Data: r.series.text(lane, n), Number: uint64(n)}) //nolint:gosec // from 1 on
		r.accepted[lane] = append(r.accepted[lane], receipt.Acceptance)
	}
}

// client is one subscriber.
func (r *seamRun) client(i int, f *follower) {
	there := sync.OnceFunc(r.begun.Done)
	defer there()
	if !f.hears(r.series.text(fenceLane, 1)) {
		r.t.Unknown("a plain message did not reach a subscriber within %v of its acknowledgement", r.t.arrival)
	}
	there()
	select {
	case <-r.load:
	case <-r.t.Context().Done():
		return
	}
	random := rand.New(rand.NewPCG(seedOf(r.stream), uint64(i))) //nolint:gosec // repeatable, not secret; i is small
	for !r.isOver() {
		r.visit(f, random)
		r.judge(i, f)
		r.back(f, random)
		if h := r.t.Subject.History; h > 0 && r.lag(f) > h/2 {
			r.behind.Add(1) // what follows would be this machine's fault
			return
		}
		if !pause(r.t, time.Duration(random.Int64N(int64(r.away)+1))) || !r.reopen(f, random) {
			return
		}
	}
	if !f.hears(r.last) && f.refused != "" {
		r.t.Unknown("a subscriber could not come back: %s", f.refused)
	}
	r.judge(i, f)
	r.missing(i, f)
}

func (r *seamRun) isOver() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// longestVisits are how long a connection lives at most when the bytes that it may carry do not come: some are over before the
// replay is, on others live events follow.
var longestVisits = []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond}

// visit lets the connection live for a while and ends it. A subscriber that is far behind stays until it is not.
func (r *seamRun) visit(f *follower, random *rand.Rand) {
	longest := longestVisits[random.IntN(len(longestVisits))]
	f.tap().Await(r.t.Context(), time.Duration(random.Int64N(int64(longest))), func(*Record) bool { return false })
	if lag := r.lag(f); lag > r.farBehind() {
		f.tap().Await(r.t.Context(), r.t.arrival, func(record *Record) bool { return len(record.Events)-f.taken >= lag })
	}
	f.leave()
}

// lag is how many messages were published that the subscriber has not seen.
func (r *seamRun) lag(f *follower) int {
	seen := 0
	for _, e := range f.seen {
		if lane, _, ok := r.series.find(e.Data); ok && lane < r.publishers {
			seen++
		}
	}
	return int(r.sent.Load()) - seen
}

// farBehind is a lag with which nobody is cut early or sent back, so that positions stay well inside the history.
func (r *seamRun) farBehind() int {
	if h := r.t.Subject.History; h > 0 {
		return h / 4
	}
	return 200
}

// mostCut is behind how many bytes a connection is cut at most.
const mostCut = 6000

// reopen comes back on a connection that carries a random number of bytes, and says whether the case goes on.
func (r *seamRun) reopen(f *follower, random *rand.Rand) bool {
	for attempt := 1; attempt <= mostIdle; attempt++ {
		cut := new(fuse)
		if f.open(Dialing(cut.dial)) {
			r.resumes.Add(1)
			if !r.isOver() && r.lag(f) <= r.farBehind() {
				cut.burn(1 + random.IntN(mostCut))
			}
			return true
		}
		if !pause(r.t, time.Duration(attempt)*20*time.Millisecond) {
			return false
		}
	}
	r.t.Unknown("a subscriber could not come back: %s", f.refused)
	return false
}

// back moves the subscriber to an older position, now and then.
func (r *seamRun) back(f *follower, random *rand.Rand) {
	if r.rewind == 0 || random.IntN(3) > 0 || len(f.seen) < 2 || r.lag(f)+r.rewind > r.farBehind() {
		return
	}
	to := len(f.seen) - 1 - random.IntN(min(r.rewind, len(f.seen)-1))
	if e := f.seen[to]; e.HasID && e.ID != "" {
		f.position, f.seen, f.at = e.ID, f.seen[:to+1], f.at[:to+1]
	}
}

// seedOf makes a seed of a text that is told in the evidence.
func seedOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum64()
}
