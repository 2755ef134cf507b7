package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
)

// minimalReader is the least that can count events: one goroutine and 512 bytes per connection.
type minimalReader struct {
	setup
	connected atomic.Int64
	events    []atomic.Uint64 // of each connection, so that nobody shares a counter
}

func newMinimalReader(_ context.Context, s setup) (*role, error) {
	r := &minimalReader{setup: s, events: make([]atomic.Uint64, s.Subscribers)}
	return &role{
		start: func() {
			for i := range s.Subscribers {
				go r.follow(i)
			}
		},
		count: func() (int, uint64) {
			var sum uint64
			for i := range r.events {
				sum += r.events[i].Load()
			}
			return int(r.connected.Load()), sum
		},
	}, nil
}

func (r *minimalReader) follow(i int) {
	c, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		return
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET /events?stream=%s HTTP/1.1\r\nHost: bench\r\n\r\n", streamName(i%r.Streams)); err != nil {
		return
	}
	var buf [512]byte
	if _, err := c.Read(buf[:]); err != nil {
		return
	}
	r.connected.Add(1)
	r.read(c, buf[:], &r.events[i])
}

func (r *minimalReader) read(c net.Conn, buf []byte, events *atomic.Uint64) {
	endedInLF := false
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		found := bytes.Count(buf[:n], []byte("\n\n"))
		if endedInLF && buf[0] == '\n' {
			found++
		}
		endedInLF = buf[n-1] == '\n'
		events.Add(uint64(found))
	}
}
