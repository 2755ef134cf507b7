package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/broker"
)

// minimalServer is the least that can broadcast: one goroutine per connection, which notices that the peer is gone, and one
// that writes to all connections of a stream, one after the other.
type minimalServer struct {
	setup
	mu      sync.Mutex
	streams [][]net.Conn
	total   atomic.Int64
	events  atomic.Uint64
	stop    context.CancelFunc
}

const minimalHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n"

func newMinimalServer(ctx context.Context, s setup) (*role, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	m := &minimalServer{setup: s, streams: make([][]net.Conn, s.Streams), stop: func() {}}
	go m.accept(listener)
	return &role{
		url:  "http://" + listener.Addr().String(),
		rate: func(perS float64) { m.rate(ctx, perS) },
		count: func() (int, uint64) {
			return int(m.total.Load()), m.events.Load()
		},
	}, nil
}

func (m *minimalServer) accept(l net.Listener) {
	for i := 0; ; i++ {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go m.serve(c, i%m.Streams)
	}
}

func (m *minimalServer) serve(c net.Conn, stream int) {
	defer c.Close()
	var request [256]byte // more than the minimal reader's
	if _, err := c.Read(request[:]); err != nil {
		return
	}
	if _, err := c.Write([]byte(minimalHead)); err != nil {
		return
	}
	m.mu.Lock()
	m.streams[stream] = append(m.streams[stream], c)
	m.mu.Unlock()
	m.total.Add(1)
	_, _ = c.Read(request[:1]) // until the peer is gone
}

// rate publishes to each connection that many events per second from now on.
func (m *minimalServer) rate(ctx context.Context, perS float64) {
	m.stop()
	ctx, m.stop = context.WithCancel(ctx)
	go publishEvenly(ctx, m.setup, perS, func(stream int, number uint64, data []byte) {
		m.broadcast(stream, sse.AppendChunk(nil, broker.EncodeEvent(broker.Event{
			ID: fmt.Sprintf("abcdefghijk-%d", number), Data: data, // as long as the broker's
		})))
	})
}

func (m *minimalServer) broadcast(stream int, text []byte) {
	m.mu.Lock()
	conns := m.streams[stream]
	m.mu.Unlock()
	for _, c := range conns {
		if _, err := c.Write(text); err == nil {
			m.events.Add(1)
		}
	}
}

// publishEvenly calls publish on an absolute schedule, the streams in turn, until ctx ends.
func publishEvenly(ctx context.Context, s setup, perS float64, publish func(stream int, number uint64, data []byte)) {
	if perS <= 0 {
		return
	}
	began := time.Now()
	gap := time.Duration(float64(time.Second) / (perS * float64(s.Streams)))
	for n := 0; pause(ctx, time.Until(began.Add(time.Duration(n)*gap))) == nil; n++ {
		number := uint64(1 + n/s.Streams)
		publish(n%s.Streams, number, payload(s, n%s.Streams, number))
	}
}
