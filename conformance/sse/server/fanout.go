package server

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// fanOut is messages of several publishers on their way to several subscribers of one stream.
type fanOut struct {
	t          *Trial
	stream     string
	series     series
	publishers int
	each       int // messages of one publisher
	churn      bool
	followers  []*follower
	accepted   [][]Acceptance // lane → number − 1
}

// fanOut publishes once every subscriber is there, each publisher its messages one after the other, and waits until everything
// owed has come or a generous time is over. With churn others come and go meanwhile.
func (t *Trial) fanOut(subscribers, publishers, each int, churn bool) *fanOut {
	each = max(min(each, enough), t.affordable(publishers*each)/publishers)
	d := &fanOut{t: t, stream: t.Stream(), series: t.series(), publishers: publishers, each: each, churn: churn, accepted: make([][]Acceptance, publishers)}
	for range subscribers {
		d.followers = append(d.followers, t.follow([]string{d.stream}))
	}
	t.Allow(time.Duration(publishers*each) * 5 * time.Millisecond)
	d.publish()
	var taking sync.WaitGroup
	for _, f := range d.followers {
		taking.Add(1)
		t.Go(func() {
			defer taking.Done()
			d.complete(f)
		})
	}
	taking.Wait()
	t.interrupted()
	d.mustBeAccepted()
	return d
}

func (d *fanOut) publish() {
	d.t.Doing("%s publish", conformance.Plural(d.publishers, "publisher"))
	began := time.Now()
	d.t.Allow(lasting)
	over := make(chan struct{})
	var publishing, visiting sync.WaitGroup
	if d.churn {
		visiting.Add(1)
		d.t.Go(func() {
			defer visiting.Done()
			d.comeAndGo(over)
		})
	}
	for lane := range d.publishers {
		d.t.Beside(&publishing, func() {
			for n := 1; n <= d.each && (n <= enough || time.Since(began) < lasting); n++ {
				r := d.t.Publish(Message{Stream: d.stream, Data: d.series.text(lane, n), Number: uint64(n)}) //nolint:gosec // from 1 on
				d.accepted[lane] = append(d.accepted[lane], r.Acceptance)
			}
		})
	}
	publishing.Wait()
	close(over)
	visiting.Wait()
	d.t.interrupted()
}

// lasting is how long a slow subject is published to before enough messages of each publisher must do.
const (
	lasting = 10 * time.Second
	enough  = 5
)

// comeAndGo opens and closes connections until it is over.
func (d *fanOut) comeAndGo(over <-chan struct{}) {
	for {
		select {
		case <-over:
			return
		default:
			if p, err := d.t.Open([]string{d.stream}); err == nil {
				p.Close()
			}
			if !pause(d.t, 5*time.Millisecond) {
				return
			}
		}
	}
}

// complete waits for what is owed to one subscriber, for as long as any of it comes.
func (d *fanOut) complete(f *follower) {
	for owed, before := d.owed(f), ""; owed != "" && owed != before && f.hears(owed); { // what was heard may be no message of its own
		owed, before = d.owed(f), owed
	}
}

// owed is the text of a message that a subscriber still lacks, the newest of a publisher first, "" when it lacks none. What was published
// after it shows nothing: publishers have no order among them.
func (d *fanOut) owed(f *follower) string {
	for lane := range d.publishers {
		for n := len(d.accepted[lane]); n > 0; n-- {
			if d.accepted[lane][n-1] == Acknowledged && !f.saw(d.series, lane, n) {
				return d.series.text(lane, n)
			}
		}
	}
	return ""
}

// mustBeAccepted ends the case when the subject did not take enough to judge by.
func (d *fanOut) mustBeAccepted() {
	taken := 0
	for _, lane := range d.accepted {
		for _, a := range lane {
			if a == Acknowledged {
				taken++
			}
		}
	}
	if all := d.published(); taken < all/2 {
		d.t.Unknown("only %d of %d publishes were acknowledged", taken, all)
	}
	d.t.Count(taken * len(d.followers))
}

// mustStay ends the case when a subscriber that cannot resume did not stay connected: then nothing is owed to it.
func (d *fanOut) mustStay() {
	for _, f := range d.followers {
		if ended, err := f.tap().Ended(); ended || len(f.taps) > 1 && !d.t.claimsResume() {
			d.t.Unknown("a stream did not stay open: %s", endText(err))
		}
	}
}

func (d *fanOut) String() string {
	return fmt.Sprintf("%s of %s to %s", conformance.Plural(d.published(), "message"), conformance.Plural(d.publishers, "publisher"), conformance.Plural(len(d.followers), "subscriber"))
}

func (d *fanOut) published() (n int) {
	for _, lane := range d.accepted {
		n += len(lane)
	}
	return n
}

// lacking are the acknowledged messages of a lane that a subscriber did not get.
func (d *fanOut) lacking(f *follower, lane int) (lacking []int) {
	got := d.series.numbers(lane, f.seen)
	for n := 1; n <= len(d.accepted[lane]); n++ {
		if d.accepted[lane][n-1] == Acknowledged && !slices.Contains(got, n) {
			lacking = append(lacking, n)
		}
	}
	return lacking
}
