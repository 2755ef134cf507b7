package server

import (
	"fmt"
	"slices"
	"time"
)

// volume is a series of messages so large that unread ones soon fill every buffer on the way. The data of each are its own, so that a piece of
// another one is noticed.
type volume struct {
	t      *Trial
	stream string
	series series
	size   int // bytes of each
	sent   int // messages so far, numbered from 1
}

const kib, mib = 1 << 10, 1 << 20

func (t *Trial) volume(stream string, size int) *volume {
	return &volume{t: t, stream: stream, series: t.series(), size: size}
}

func (v *volume) text(n int) string {
	head := v.series.text(0, n)
	return head + filler(v.series.name, n, v.size-len(head))
}

// send publishes the next n messages, one after the other; all must be acknowledged.
func (v *volume) send(n int) {
	for range n {
		v.sent++
		v.t.Doing("message %d of %d KiB is published", v.sent, v.size/kib)
		v.t.Send(v.stream, v.text(v.sent))
	}
}

// sendBytes publishes as many messages as have that many bytes together.
func (v *volume) sendBytes(n int) { v.sendMany(n / v.size) }

// sendMany is send for so many that it ends the case when that would take too long.
func (v *volume) sendMany(messages int) {
	began := time.Now()
	for i := range messages {
		if i == v.t.few() {
			v.mustBeFast(began, messages)
		}
		v.send(1)
	}
}

// few messages tell how long many will take, and fewer of a slow subject.
func (t *Trial) few() int {
	if t.slow() {
		return 3
	}
	return 10
}

// slow says whether the subject takes long for each message.
func (t *Trial) slow() bool { return t.suite.joined.Pace > quickEnough }

// mustBeFast ends the case when a few messages took so long that all of them would take more than there is time for.
func (v *volume) mustBeFast(began time.Time, messages int) {
	v.t.mustAfford(time.Since(began)/time.Duration(v.t.few()), messages)
}

// share is each case's of the time that there is for a slow subject.
const share = 4 * time.Second

// affordable is how many of that many messages a slow subject is asked for.
func (t *Trial) affordable(messages int) int {
	pace, budget := t.suite.joined.Pace, lasting
	if t.slow() {
		budget = share
	}
	if pace*time.Duration(messages) <= budget {
		return messages
	}
	return min(messages, max(4*enough, int(budget/pace)))
}

// rounds is how many of that many messages there is time to await one after the other.
func (t *Trial) rounds(messages int) int {
	delay := t.suite.joined.Delay
	if delay*time.Duration(messages) <= 2*lasting {
		return t.affordable(messages)
	}
	return min(messages, max(enough, int(2*lasting/delay)))
}

// mustHaveTimeFor ends the case when that many messages would take a slow subject more than there is time for.
func (t *Trial) mustHaveTimeFor(messages int) { t.mustAfford(t.suite.joined.Pace, messages) }

// canAfford says whether there is.
func (t *Trial) canAfford(messages int) bool {
	return t.suite.joined.Pace*time.Duration(messages) <= defaultPatience
}

func (t *Trial) mustAfford(each time.Duration, messages int) {
	if each*time.Duration(messages) > defaultPatience {
		t.Settled()
		t.Unknown("publishing a message takes %v, and %d of them would take %v", shown(each), messages, (each * time.Duration(messages)).Round(time.Second))
	}
}

// has says whether one of the newest events is message n.
func (v *volume) has(r *Record, n int) bool {
	for i := len(r.Events) - 1; i >= max(0, len(r.Events)-16); i-- {
		if _, number, found := v.series.find(r.Events[i].Data); found && number == n {
			return true
		}
	}
	return false
}

// reaches waits for message n as long as messages keep coming. Whether it comes is unknown when they do so for a minute.
func (v *volume) reaches(p *Tap, n int) (met bool) {
	for round := 0; ; round++ {
		v.t.Allow(v.t.arrival)
		seen := p.count()
		met = v.t.Await(p, fmt.Sprintf("message %d is awaited", n), func(r *Record) bool { return v.has(r, n) })
		if met {
			return true
		}
		p.Look(func(r *Record) { met = slices.ContainsFunc(r.Events[seen:], v.t.ours) })
		if !met {
			return false
		}
		v.t.atMost(round)
	}
}

// atMost ends the case when a wait for what must come was repeated often enough because other things did come meanwhile.
func (t *Trial) atMost(round int) {
	const most = 5
	if round == most {
		t.Settled()
		t.Unknown("messages kept coming for %v, and were not all there", (most+1)*t.arrival)
	}
}

// numbers are those that subscribers received, connection by connection, in the order of arrival.
func (v *volume) numbers(taps ...*Tap) []int {
	var numbers []int
	for _, p := range taps {
		numbers = append(numbers, v.series.numbers(0, p.Events())...)
	}
	return numbers
}

// missing are the messages from 1 to last that are not among the numbers.
func missing(numbers []int, last int) []int {
	received := make([]bool, last+1)
	for _, n := range numbers {
		if n <= last {
			received[n] = true
		}
	}
	var lost []int
	for n := 1; n <= last; n++ {
		if !received[n] {
			lost = append(lost, n)
		}
	}
	return lost
}
