package broker

import (
	"strconv"
	"time"
)

// wireText is what the broker itself sends, encoded once.
type wireText struct {
	greeting, ping, farewell, heartbeat []byte

	retry time.Duration
}

func newWireText(c Config) wireText {
	w := wireText{heartbeat: []byte(": hb\n\n"), retry: c.Retry}
	if c.Greeting.set() {
		w.greeting = c.Greeting.encode()
	}
	if c.Ping.set() {
		w.ping = c.Ping.encode()
	}
	if c.Farewell.set() {
		w.farewell = c.Farewell.encode()
	}
	return w
}

func retryField(d time.Duration) []byte {
	b := strconv.AppendInt([]byte("retry: "), d.Milliseconds(), 10)
	return append(b, '\n')
}

// opening is the block that sets a client's reconnection time and, unless it must keep its own, its position.
func (w wireText) opening(id string) []byte {
	var b []byte
	if w.retry > 0 {
		b = append(b, retryField(w.retry)...)
	}
	if id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	if b == nil {
		return nil
	}
	return append(b, '\n')
}

// comeBack ends a stream with a reconnection time of its own for each client, so that they do not return at once.
func (w wireText) comeBack() []byte {
	if w.retry <= 0 {
		return nil
	}
	return append(retryField(between(w.retry, 2*w.retry)), '\n')
}

func (w wireText) expired() []byte {
	return append([]byte(": the token expired\n"), w.opening("")...)
}

func (s Signal) encode() []byte {
	text, _ := newMessage(s.Type, []byte(s.Data)).MarshalText() // never fails
	return text
}
