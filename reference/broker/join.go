package broker

import (
	"math/rand/v2"
	"time"
)

// join places a new subscriber in its streams at the position it asked for, and returns what its stream opens with.
//
// There is no seam between replay and live: its cursors are set here, in one step with publishing, and everything
// behind them is read from the same history whether it was published before or after.
func (b *Broker) join(sub *subscription) (*subscriber, []byte, Resume, *refusal) {
	s := &subscriber{
		broker: b, server: sub.server, user: sub.user, subject: sub.claims.subject(), until: forever,
		due: b.newDeadlines(b.config.Tamper.expires(sub.claims.expires())),
	}
	resume, gaps, id, err := b.place(s, sub)
	if err != nil {
		return nil, nil, "", refusalOf(err)
	}
	shard := b.shards[rand.IntN(len(b.shards))]
	for i := range s.cursors {
		s.cursors[i].room = s.cursors[i].stream.room(shard)
	}
	return s, b.opening(s, gaps, id), resume, nil
}

// opening is the text before the first event: the greeting, what was missed, and the position. The position comes
// last, so that a client cut off before it will be told of the gaps again.
func (b *Broker) opening(s *subscriber, gaps []gap, id string) []byte {
	text := append([]byte(nil), b.wire.greeting...)
	for _, g := range gaps {
		if !s.hides(g) {
			text = append(text, g.encode()...)
		}
	}
	return append(text, b.wire.opening(id)...)
}

// place sets the cursors of s, and returns the gaps and the position it begins at, "" to leave the client its own.
func (b *Broker) place(s *subscriber, sub *subscription) (resume Resume, gaps []gap, id string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	streams, err := b.follow(sub.streams)
	if err != nil {
		return "", nil, "", err
	}
	at, resume := b.where(sub.lastEventID)
	s.cursors = s.single[:]
	if len(streams) > 1 {
		s.cursors = make([]cursor, len(streams))
	}
	now := b.now()
	for i, st := range streams {
		c := &s.cursors[i]
		c.subscriber, c.stream = s, st
		evicted := c.place(at, now, b.keep)
		b.config.Tamper.start(c, sub.ask(resume))
		if evicted {
			resume = ResumeEvicted
			gaps = append(gaps, b.gapAt(c, "evicted"))
		}
		if resume == ResumeUnknown {
			gaps = append(gaps, b.gapAt(c, "unknown"))
		}
	}
	if at.live {
		id = formatID(b.epoch, b.sequence.Load())
	}
	if b.config.Tamper != nil {
		s.info = &Subscriber{Ask: sub.ask(resume), Joined: time.Now(), Sequence: b.sequence.Load(), s: s}
	}
	return resume, gaps, id, nil
}

func (sub *subscription) ask(resume Resume) Ask {
	return Ask{User: sub.user, Streams: sub.streams, LastEventID: sub.lastEventID, Resume: resume}
}

// where understands a position.
func (b *Broker) where(lastEventID string) (place, Resume) {
	switch lastEventID {
	case "":
		return place{live: true}, ResumeFresh
	case earliestID:
		return place{earliest: true}, ResumeEarliest
	}
	sequence, ok := parseID(b.epoch, lastEventID)
	if !ok || sequence > b.sequence.Load() {
		return place{live: true}, ResumeUnknown
	}
	return place{sequence: sequence}, ResumeExact
}

func (b *Broker) gapAt(c *cursor, reason string) gap {
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	return gap{Stream: c.stream.name, Reason: reason, Oldest: b.idOf(c.stream, c.next)}
}

// follow returns the streams of these names and counts their use. The caller holds b.mu.
func (b *Broker) follow(names []string) ([]*stream, error) {
	streams := make([]*stream, 0, len(names))
	for _, name := range names {
		st, err := b.stream(name)
		if err != nil {
			b.unfollow(streams)
			return nil, err
		}
		st.refs++
		streams = append(streams, st)
	}
	return streams, nil
}

func (b *Broker) unfollow(streams []*stream) {
	for _, st := range streams {
		b.releaseLocked(st)
	}
}

// headResume tells a HEAD request what a GET would have been told.
func (b *Broker) headResume(sub *subscription) Resume {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, resume := b.where(sub.lastEventID)
	for _, name := range sub.streams {
		if st := b.streams[name]; st != nil && (&cursor{stream: st}).place(at, b.now(), b.keep) {
			return ResumeEvicted
		}
	}
	return resume
}

// begin opens the stream and lets events flow. Joining set the cursors, so what was published since then is not lost.
func (s *subscriber) begin(c conn, opening []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
	s.control = opening
	s.timer = time.AfterFunc(forever, s.tick)
	s.schedule()
	for i := range s.cursors {
		s.cursors[i].room.shard.enter(&s.cursors[i])
	}
	entered := s.broker.gate.enter(s) && (s.server == nil || s.server.gate.enter(s))
	s.kick()
	if !entered {
		s.finishLocked(endDrained, s.broker.sequence.Load(), s.broker.wire.comeBack(), s.broker.config.WriteTimeout)
	}
}
