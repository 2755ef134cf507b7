package broker

// endReason is why a connection ended; the label of a metric.
type endReason string

const (
	endGone    endReason = "gone"    // the client went away
	endSlow    endReason = "slow"    // the slow policy
	endStuck   endReason = "stuck"   // the write deadline
	endExpired endReason = "expired" // the token expired
	endRevoked endReason = "revoked" // the token was revoked
	endRotated endReason = "rotated" // SessionMaxAge
	endDrained endReason = "drained" // graceful
	endCut     endReason = "cut"     // the server closed at once
)

var endReasons = []endReason{endGone, endSlow, endStuck, endExpired, endRevoked, endRotated, endDrained, endCut}

// end ends the connection at once.
func (s *subscriber) end(reason endReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(reason)
}

// endLocked ends the connection, cleanly when its last bytes are written, and takes the subscriber out of everything
// that refers to it.
func (s *subscriber) endLocked(reason endReason) {
	if s.ended {
		return
	}
	clean := s.closing && len(s.rest) == 0 && !s.busy
	s.ended = true
	s.rest, s.control = nil, nil
	s.timer.Stop()
	s.conn.close(clean)
	for i := range s.cursors {
		s.leave(&s.cursors[i])
	}
	s.broker.metrics.ended(reason)
	s.broker.limits.leave(s.user)
	if s.server != nil {
		s.server.gate.leave(s)
	}
	s.broker.gate.leave(s)
}

func (s *subscriber) leave(c *cursor) {
	c.room.shard.leave(c)
	s.broker.release(c.stream)
}
