package broker

import (
	"math/rand/v2"
	"time"
)

// deadlines are times since the broker began; forever where nothing is due.
type deadlines struct {
	silentSince time.Duration // last time bytes went out
	silence     time.Duration // how long that may last, jittered so that heartbeats of many do not coincide
	ping        time.Duration
	expiry      time.Duration // of the token
	rotation    time.Duration // SessionMaxAge
	unblock     time.Duration // the policy Block gives up
	cut         time.Duration // a finishing connection is cut
}

func (b *Broker) newDeadlines(expires time.Time) deadlines {
	now := b.now()
	due := deadlines{
		silentSince: now, silence: b.jitteredHeartbeat(),
		ping: forever, expiry: forever, rotation: forever, unblock: forever, cut: forever,
	}
	if b.config.PingEvery > 0 {
		due.ping = now + b.config.PingEvery
	}
	if !expires.IsZero() {
		due.expiry = now + time.Until(expires)
	}
	if b.config.SessionMaxAge > 0 {
		due.rotation = now + between(b.config.SessionMaxAge*9/10, b.config.SessionMaxAge)
	}
	return due
}

func (b *Broker) jitteredHeartbeat() time.Duration {
	if b.config.Heartbeat < 0 {
		return forever
	}
	return between(b.config.Heartbeat*3/4, b.config.Heartbeat*19/20)
}

// between returns a random duration in [low, high].
func between(low, high time.Duration) time.Duration {
	return low + time.Duration(rand.Int64N(int64(high-low)+1))
}

// heartbeat is when the next comment is due if nothing else is sent.
func (d *deadlines) heartbeat() time.Duration {
	if d.silence == forever {
		return forever
	}
	return d.silentSince + d.silence
}

func (d *deadlines) first() time.Duration {
	return min(d.heartbeat(), d.ping, d.expiry, d.rotation, d.unblock, d.cut)
}

// schedule sets the timer to the first deadline. A connection that sends events moves its heartbeat away without a
// touch of the timer, which then finds nothing due. The caller holds s.mu.
func (s *subscriber) schedule() {
	if first := s.due.first(); !s.ended && first != forever {
		s.timer.Reset(max(0, first-s.broker.now()))
	}
}

// tick does what is due.
func (s *subscriber) tick() {
	defer s.broker.config.Catch()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.tickLocked(s.broker.now())
	s.schedule()
}

func (s *subscriber) tickLocked(now time.Duration) {
	config := &s.broker.config
	if now >= s.due.cut {
		s.endLocked(s.ending)
		return
	}
	if now >= s.due.unblock {
		s.checkBlock()
	}
	if now >= s.due.expiry {
		s.due.expiry = forever
		s.finishLocked(endExpired, 0, s.broker.wire.expired(), time.Second)
	}
	if now >= s.due.rotation {
		s.due.rotation = forever
		s.finishLocked(endRotated, s.broker.sequence.Load(), s.broker.wire.farewell, config.WriteTimeout)
	}
	if now >= s.due.ping {
		s.due.ping = now + config.PingEvery
		s.send(s.broker.wire.ping)
	}
	if now >= s.due.heartbeat() {
		s.due.silentSince, s.due.silence = now, s.broker.jitteredHeartbeat()
		s.send(s.broker.heartbeat())
	}
	s.kick()
}
