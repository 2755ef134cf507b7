package client

import (
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Tamper breaks one promise of a client on purpose, for mutants only. A nil *Tamper and nil fields are correct. Hooks are
// called on the goroutines of all clients that share the Config.
type Tamper struct {
	// Position replaces the position that the next connection resumes from.
	Position func(c *Client, position string) string
	// Delay replaces the delay before the next connection.
	Delay func(Wait) time.Duration
	// GiveUp says whether a loss that is not final ends the client all the same.
	GiveUp func(Loss) bool
	// Close replaces the closing of a stream that the client is done with.
	Close func(*sse.Stream)
}

// Wait is what a correct client does before its next connection.
type Wait struct {
	Row       int // losses in a row before this one
	Waits     int // losses in the client's life, this one included
	Retry     time.Duration
	Delay     time.Duration
	Low, High time.Duration // what the policy allows
}

func (t *Tamper) position(c *Client, correct string) string {
	if t == nil || t.Position == nil {
		return correct
	}
	return t.Position(c, correct)
}

func (t *Tamper) delay(w Wait) time.Duration {
	if t == nil || t.Delay == nil {
		return w.Delay
	}
	return t.Delay(w)
}

func (t *Tamper) givesUp(l Loss) bool { return t != nil && t.GiveUp != nil && t.GiveUp(l) }

func (t *Tamper) closeStream(s *sse.Stream) {
	if t == nil || t.Close == nil {
		_ = s.Close() // it is lost already
		return
	}
	t.Close(s)
}
