package broker

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// benchSubscribers is how many connections the benchmarks open, each with two ends in this process.
const benchSubscribers = 2000

// mark is in each benchmark event once, and nowhere else on the wire.
const mark = '!'

// BenchmarkFanOut measures one delivered event, with the client's read of it, beside the least that can be done:
// a loop that writes the same bytes to each connection.
func BenchmarkFanOut(b *testing.B) {
	payload := append(bytes.Repeat([]byte("x"), 200), mark)
	b.Run("broker", func(b *testing.B) {
		broker, url := newURL(b, Config{})
		arrived := newCounter()
		closeAll := subscribeAll(b, broker, url, arrived)
		defer closeAll()
		for b.Loop() {
			if _, err := broker.Publish("a", "", payload); err != nil {
				b.Fatal(err)
			}
			arrived.wait(benchSubscribers)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSubscribers, "ns/event")
	})
	b.Run("minimal", func(b *testing.B) {
		arrived := newCounter()
		conns, closeAll := bareConnections(b, arrived)
		defer closeAll()
		event := EncodeEvent(Event{ID: "abcdefgh-1000", Data: payload})
		for b.Loop() {
			for _, c := range conns {
				if _, err := c.Write(event); err != nil {
					b.Fatal(err)
				}
			}
			arrived.wait(benchSubscribers)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSubscribers, "ns/event")
	})
}

// BenchmarkIdleConnection reports the heap and the stacks of one idle subscriber, the client's end included, beside
// those of a bare connection with one goroutine at the server's end.
func BenchmarkIdleConnection(b *testing.B) {
	for b.Loop() {
		base := inUse()
		_, closeBare := bareConnections(b, newCounter())
		bare := inUse() - base
		closeBare()
		broker, url := newURL(b, Config{})
		base = inUse()
		closeAll := subscribeAll(b, broker, url, newCounter())
		b.ReportMetric(float64(bare)/benchSubscribers, "bare-B/conn")
		b.ReportMetric(float64(inUse()-base)/benchSubscribers, "broker-B/conn")
		closeAll()
	}
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// counter counts the events that all clients together received.
type counter struct {
	got, wanted atomic.Int64
	reached     chan struct{}
}

func newCounter() *counter { return &counter{reached: make(chan struct{}, 1)} }

func (c *counter) add(p []byte) {
	n := int64(bytes.Count(p, []byte{mark}))
	if n > 0 && c.got.Add(n) >= c.wanted.Load() {
		select {
		case c.reached <- struct{}{}:
		default:
		}
	}
}

// wait returns when n events more than at the last call have arrived.
func (c *counter) wait(n int64) {
	wanted := c.wanted.Add(n)
	for c.got.Load() < wanted {
		<-c.reached
	}
}

// drainInto reads with a small buffer, as the harness's subscribers do.
func drainInto(arrived *counter, c net.Conn) {
	buf := make([]byte, 512)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		arrived.add(buf[:n])
	}
}

func dialBench(b *testing.B, addr string, arrived *counter) net.Conn {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	go drainInto(arrived, c)
	return c
}

func subscribeAll(b *testing.B, broker *Broker, url string, arrived *counter) (closeAll func()) {
	b.Helper()
	var conns []net.Conn
	for range benchSubscribers {
		c := dialBench(b, strings.TrimPrefix(url, "http://"), arrived)
		if _, err := fmt.Fprint(c, "GET /events?stream=a HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		conns = append(conns, c)
	}
	eventually(b, "all subscribed", func() bool { return broker.Stats().Connections == benchSubscribers })
	return func() {
		closeConns(conns)
		eventually(b, "all gone", func() bool { return broker.Stats().Connections == 0 })
	}
}

// bareConnections returns the server's ends.
func bareConnections(b *testing.B, arrived *counter) (server []net.Conn, closeAll func()) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	var clients []net.Conn
	for range benchSubscribers {
		clients = append(clients, dialBench(b, l.Addr().String(), arrived))
		c, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		go drainInto(arrived, c)
		server = append(server, c)
	}
	return server, func() { closeConns(append(clients, server...)) }
}

func closeConns(conns []net.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}
