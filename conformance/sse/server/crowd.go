package server

import (
	"context"
	"net"
	"net/http"
	"slices"
	"time"
)

// crowd is connections that are open at once, and messages that each of them is owed.
type crowd struct {
	t       *Trial
	members []*member
}

// member is one connection of a crowd.
type member struct {
	*Tap

	whose  string
	socket *net.TCPConn
	left   bool
}

// posted is a message that everybody in its stream is owed.
type posted struct{ stream, text string }

// join opens one more connection, and returns the answer when it was refused.
func (c *crowd) join(whose string, streams []string, options ...Option) (refused *Tap) {
	m := &member{whose: whose}
	m.Tap = reply(c.t, streams, append(options, Dialing(func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		m.socket, _ = conn.(*net.TCPConn)
		return conn, err
	}))...)
	switch {
	case m.Status() != http.StatusOK || !m.Response.EventStream():
		return m.Tap
	case c.t.ready(m.Tap):
		c.members = append(c.members, m)
	}
	return nil
}

// leave ends a connection with FIN, or with RST.
func (m *member) leave(reset bool) {
	m.left = true
	if reset && m.socket != nil {
		_ = m.socket.SetLinger(0) // it is about to be closed
	}
	m.Close()
}

// here are those whose connections are open.
func (c *crowd) here() (here []*member) {
	return slices.DeleteFunc(slices.Clone(c.members), func(m *member) bool {
		ended, _ := m.Ended()
		return ended || m.left
	})
}

// post publishes a message into each of the streams.
func (c *crowd) post(streams ...string) (messages []posted) {
	for _, stream := range streams {
		m := posted{stream, c.t.Unique()}
		c.t.Send(stream, m.text)
		messages = append(messages, m)
	}
	return messages
}

// hear waits until everybody who is still there has what he is owed, and returns who has not, by his place from 1.
func (c *crowd) hear(messages []posted) (lacking []*member, places []int) {
	c.t.Doing("messages are awaited on %d connections", len(c.members))
	began := time.Now()
	for i, m := range c.members {
		has := func(r *Record) bool {
			return !slices.ContainsFunc(messages, func(p posted) bool { return slices.Contains(m.Streams, p.stream) && !r.contains(p.text) })
		}
		if m.left || m.Await(c.t.Context(), time.Until(began.Add(c.t.arrival)), has) {
			continue
		}
		if ended, _ := m.Ended(); !ended {
			lacking, places = append(lacking, m), append(places, i+1)
		}
	}
	c.t.interrupted()
	if len(lacking) > 0 {
		c.t.inVain()
		return lacking, places
	}
	c.t.suite.patience.came(time.Since(began))
	return nil, nil
}
