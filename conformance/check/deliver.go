package check

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// deliver folds one delivery in and names what is wrong with it: exactly one anomaly, or none. Only damaged bytes and a payload
// that violates its schema may come on top, since they say nothing of when or where the message arrived.
//
//	numbers unreadable              corrupted
//	number not begun                phantom
//	stream not followed             leaked
//	first of its number, not last   reordered
//	first of its number, too late   stalled
//	again, before the position      stale
//	again                           duplicated
func (j *Judge) deliver(s *subscriber, o *history.Observation) {
	bucket := unmeasured
	if j.take(s, o) {
		bucket = bucketOf(o.At - o.Due)
	}
	j.arrivals.add(o.At, o.Subscriber, bucket)
}

// take says whether the delivery's latency counts: it is the first of a message that is owed, and the subscriber does not read slowly.
func (j *Judge) take(s *subscriber, o *history.Observation) bool {
	j.hear(s, o)
	s.served = o.At
	if s.atFirst {
		j.greet(s, o)
	}
	index, l := j.ledger(o.Stream, o.Publisher)
	damaged := o.Mark&history.Foreign != 0
	published := !damaged && l != nil && o.Number != 0 && (j.cfg.Remote || o.Number <= l.begun.Load())
	at, f := int32(-1), (*fold)(nil)
	if published {
		at, f = s.fold(index)
	}
	if j.cfg.Target.Resume {
		j.identify(s, at, f, o)
	}
	if o.Mark != 0 || len(j.cfg.Expect.Schemas) > 0 {
		j.examine(s, o)
	}
	if o.Mark == 0 && o.Size > int64(s.largest) {
		s.largest = int32(min(o.Size, math.MaxInt32))
	}
	switch {
	case damaged:
		return false
	case !published:
		j.phantom(o, l)
		return false
	case f == nil:
		j.leaked(o)
		return false
	}

	if f.low == 0 || o.Number != f.next.Load() {
		return j.outOfTurn(s, f, l, o)
	}
	f.next.Store(o.Number + 1)
	f.at, f.on = o.At, o.Connection
	if odd := f.odd.Load(); odd != nil {
		j.goOn(s, odd, o)
	}
	if s.damage != 0 && len(s.folds) == 1 {
		s.damage = 0 // what was damaged was no message of this stream: none is missing
	}
	if j.orders != nil {
		j.follow(s, o)
	}
	return j.arrived(s, f, o, advanced)
}

// outOfTurn folds a message in that is not the next one of its publisher, or the first.
func (j *Judge) outOfTurn(s *subscriber, f *fold, l *ledger, o *history.Observation) (measured bool) {
	switch how := f.receive(o.Number, func(lo, hi uint64) []hole { return j.explain(s, f, lo, hi, o) }); how {
	case repeated:
		j.again(f, o)
	case filled:
		j.reordered(f, o)
		measured = j.arrived(s, f, o, filled)
	case advanced:
		f.at, f.on = o.At, o.Connection
		if odd := f.odd.Load(); odd != nil {
			j.goOn(s, odd, o)
			if !j.cfg.Remote {
				odd.bound(func(h hole) uint64 { return j.giveUp(l, h, f.from.Load()) })
			}
		}
		if j.orders != nil {
			j.follow(s, o)
		}
		measured = j.arrived(s, f, o, advanced)
	}
	return measured
}

// giveUp counts what is missing for good in a hole that is given up.
func (j *Judge) giveUp(l *ledger, h hole, from uint64) uint64 {
	lo := max(h.lo, from)
	n := l.acknowledged(lo, h.hi)
	if n > 0 && h.why&unowed == 0 {
		j.forgone.add(l.due(lo), int32(n))
	}
	return n
}

// arrived measures the first arrival of a message that is owed.
func (j *Judge) arrived(s *subscriber, f *fold, o *history.Observation, how arrival) (measured bool) {
	if from := f.from.Load(); from == 0 || o.Number < from {
		return false
	}
	if !s.fed {
		j.feed(s, o, how)
	}
	measured = j.measureLatency(s, o)
	if j.spread != nil {
		j.spread.deliver(f.ledger, o.Number, o.At)
	}
	if how == advanced && o.At-max(o.Sent, s.steady) > j.stalled {
		j.stall(s, o)
	}
	return measured
}

// hear notes that something arrived, and judges the silence before it.
func (j *Judge) hear(s *subscriber, o *history.Observation) {
	if s.heard == silent {
		return
	}
	if s.expires != 0 {
		j.outlives(s, o)
	}
	if silence := o.At - s.heard; int64(silence) > j.counts.silence.Load() || j.quiet > 0 && silence > j.quiet {
		j.silent(s, o, silence)
	}
	s.heard = o.At
}

// other takes an event that carries no message.
func (j *Judge) other(s *subscriber, o *history.Observation) {
	j.hear(s, o)
	if s.atFirst {
		j.greet(s, o)
	}
	if j.cfg.Target.Resume {
		j.identify(s, -1, nil, o)
	}
}

// identify follows the position that the subscriber would ask for: the id of the last event that had one.
func (j *Judge) identify(s *subscriber, at int32, f *fold, o *history.Observation) {
	if o.Event == "" {
		if !s.loose && s.position != 0 && o.Kind == history.Deliver {
			s.commit()
		}
		return
	}
	id := j.hash(o.Event)
	if f == nil && id == s.position {
		return // an event without an id of its own carries the last one
	}
	if f == nil {
		if id != s.position {
			s.position, s.latest, s.lastFold, s.loose = id, 0, -1, false
		}
		return
	}
	j.named(s, at, id, o)
	s.position, s.latest, s.lastFold, s.loose = id, o.Number, at, false
}

// explain says why the numbers lo to hi−1 were skipped by the delivery o, as far as it was not the target's fault. The parts it
// returns ascend.
func (j *Judge) explain(s *subscriber, f *fold, lo, hi uint64, o *history.Observation) []hole {
	var parts []hole
	cut := func(at uint64, why reason) {
		if at > lo {
			part := hole{lo: lo, hi: min(at, hi), connection: o.Connection, why: why, before: f.latest(), after: receipt{o.Number, o.At, o.Connection}}
			parts, lo = append(parts, part), part.hi
		}
	}
	cut(j.droppable(s, f), dropped)
	damage := min(uint64(s.damage), hi-lo)
	s.damage -= int32(damage)
	cut(lo+damage, damaged)
	odd := f.odd.Load()
	if odd == nil || !odd.atSeam {
		cut(hi, 0)
		return parts
	}
	why, before := seam, len(parts)
	if odd.announced {
		why |= announced
	}
	cut(odd.kept, why|beyond)
	cut(hi, why)
	for i := range parts[before:] {
		parts[before+i].asked = odd.position
	}
	return parts
}

// droppable is the number below which the target may have left out what it liked, since the subscriber read slowly when those messages
// were sent, or had not yet read what had queued up.
func (j *Judge) droppable(s *subscriber, f *fold) uint64 {
	switch {
	case !j.mayDrop || !s.wasSlow:
		return 0
	case s.slow():
		return math.MaxUint64
	}
	return j.ledgers[f.ledger].sentBy(s.trouble.slowEnd+j.stalled) + 1
}

// behindBySlowness says whether slow reading explains that messages come late: it still reads slowly, or did until less than a
// moment ago.
func (s *subscriber) behindBySlowness(at, moment time.Duration) bool {
	return s.slow() || s.wasSlow && at < s.trouble.slowEnd+moment
}

func (j *Judge) phantom(o *history.Observation, l *ledger) {
	j.report(Phantom, o, func() Example {
		e := Example{
			Text:     fmt.Sprintf("message %d of stream %s arrived and was never published", o.Number, j.cfg.stream(o.Stream)),
			Expected: "only what was published",
			Actual:   fmt.Sprintf("message %d", o.Number),
		}
		if l != nil {
			e.Evidence = []string{fmt.Sprintf("publisher %d of the stream had begun messages up to %d", o.Publisher, l.begun.Load())}
		}
		return e
	})
}

func (j *Judge) leaked(o *history.Observation) {
	j.report(Leaked, o, func() Example {
		names := ""
		for i, stream := range j.cfg.Subscribers[o.Subscriber-j.cfg.First].Streams {
			if i == maxExamples {
				names += ", …"
				break
			}
			if i > 0 {
				names += ", "
			}
			names += j.cfg.stream(stream)
		}
		return Example{
			Text:     fmt.Sprintf("message %d of stream %s arrived at a subscriber that does not follow it", o.Number, j.cfg.stream(o.Stream)),
			Expected: "messages of " + names,
			Actual:   "a message of " + j.cfg.stream(o.Stream),
		}
	})
}

func (j *Judge) reordered(f *fold, o *history.Observation) {
	j.reportBeside(Reordered, o, f.latest(), func() Example {
		highest := f.next.Load() - 1
		return Example{
			Text:     fmt.Sprintf("message %d arrived after message %d", o.Number, highest),
			Expected: fmt.Sprintf("%d before %d", o.Number, highest),
			Actual:   fmt.Sprintf("%d before %d", highest, o.Number),
			Evidence: []string{fmt.Sprintf("message %d was due at %s and arrived at %s", o.Number, seconds(o.Due), seconds(o.At))},
		}
	})
}

// again names a repetition: right where the position asked for was older than the message, else stale or duplicated.
func (j *Judge) again(f *fold, o *history.Observation) {
	odd := f.odd.Load()
	if odd != nil && odd.replay != 0 && o.Number >= odd.replay {
		odd.replay = o.Number + 1
		return
	}
	highest := f.next.Load() - 1
	if odd != nil && o.Number < odd.position {
		position := odd.position
		j.reportBeside(Stale, o, f.latest(), func() Example {
			return Example{
				Text: fmt.Sprintf("message %d arrived again on connection %d, which had asked for what follows message %d",
					o.Number, o.Connection, position),
				Expected: fmt.Sprintf("messages from %d on", position+1),
				Actual:   fmt.Sprintf("message %d", o.Number),
				Evidence: []string{fmt.Sprintf("message %d was the highest received", highest)},
			}
		})
		return
	}
	j.reportBeside(Duplicated, o, f.latest(), func() Example {
		return Example{
			Text:     fmt.Sprintf("message %d arrived again on connection %d", o.Number, o.Connection),
			Expected: "once",
			Actual:   "more than once",
			Evidence: []string{fmt.Sprintf("message %d arrived again at %s, when the highest received was %d", o.Number, seconds(o.At), highest)},
		}
	})
}

// examine names damage and violated schemas.
func (j *Judge) examine(s *subscriber, o *history.Observation) {
	switch {
	case o.Mark&history.Foreign != 0:
		s.damage++
		j.report(Damage, o, func() Example {
			return Example{
				Stream: -1, Text: "a message arrived too damaged to tell which one it was",
				Expected: "the bytes that were published", Actual: "a broken token", Evidence: payload(o),
			}
		})
	case o.Mark&history.Corrupted != 0:
		j.report(Damage, o, func() Example {
			e := Example{
				Text:     fmt.Sprintf("message %d arrived with other bytes than were published", o.Number),
				Expected: "the bytes that were published", Actual: "another checksum", Evidence: payload(o),
			}
			if lines := strings.Split(o.Data, "\n"); o.Mark&history.Compared != 0 && len(lines) == 3 {
				e.Text += ": " + lines[0]
				e.Expected, e.Actual, e.Evidence = lines[1], lines[2], nil
			}
			return e
		})
	}
	if j.cfg.Expect.Schemas[o.Text] {
		j.counts.schemas.Add(1)
	}
	if o.Mark&history.Malformed != 0 {
		j.report(Misshapen, o, func() Example {
			return Example{
				Text:     fmt.Sprintf("the payload of message %d violates the schema of %q", o.Number, o.Text),
				Expected: "a payload that its schema allows", Actual: "one that it does not", Evidence: payload(o),
			}
		})
	}
}

// payload is what an observation kept of the bytes.
func payload(o *history.Observation) []string {
	if o.Data == "" {
		return nil
	}
	return []string{fmt.Sprintf("payload: %.200q", o.Data)}
}
