package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "A server ends its side at once when a client has ended its own."
//
// A client that closes says so by FIN, and nothing more until it is sent something. One that goes on reading says the same, and sees whether
// that was noticed.
func endsWithItsClient(t *Trial) {
	const clients = 8
	within := t.Duration("within")
	stream := t.Stream()
	taps, sockets := make([]*Tap, 0, clients), make([]*net.TCPConn, 0, clients)
	for n := range clients {
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
				sockets = append(sockets, tcp)
			}
			return conn, err
		}
		taps = append(taps, t.inTurn(n, []string{stream}, Dialing(dial)))
	}
	if len(sockets) < clients {
		t.Skip("the connections are no TCP connections of their own")
	}
	began := time.Now()
	for _, tcp := range sockets {
		_ = tcp.CloseWrite() // one that has ended was ended by the other side
	}
	var slowest time.Duration
	open := 0
	for _, p := range taps {
		if !t.AwaitFor(p, "the end of a stream is awaited", time.Until(began.Add(within)), func(r *Record) bool { return r.Ended }) {
			open++
			continue
		}
		p.Look(func(r *Record) { slowest = max(slowest, r.EndedAt.Sub(began)) })
	}
	t.Count(clients)
	if open > 0 {
		t.Late(within, fmt.Sprintf("the end of the server's side within %v of the client's", within),
			fmt.Sprintf("%v after their clients had sent FIN, %d of %d connections were open", within, open, clients), taps[0].Evidence())
	}
	t.Pass(fmt.Sprintf("%d connections were ended within %v of their clients' FIN", clients, slowest.Round(100*time.Microsecond)))
}

// "A stream that was reset counts no longer: one HTTP/2 connection survives thousands of them."
//
// A server may take many resets for an attack and end the connection: then there is a new one, and nothing is wrong with that.
func resetStreamsFreeTheirSlots(t *Trial) {
	shared := new(sse.HTTP2)
	dials, counted := 0, sync.Mutex{}
	counting := Dialing(func(ctx context.Context, network, addr string) (net.Conn, error) {
		counted.Lock()
		dials++
		counted.Unlock()
		return new(net.Dialer).DialContext(ctx, network, addr)
	})
	options := append(overHTTP2(t, shared), counting, Waiting(stuck))
	stream, resets := t.Stream(), int(t.Number("resets"))
	t.Subscribe([]string{stream}, options...).discard()
	done := 0
	for end := time.Now().Add(t.Duration("lasting")); done < resets && time.Now().Before(end); done++ {
		began := time.Now()
		why := t.openAndReset(stream, options)
		if why == "" {
			continue
		}
		fresh := new(sse.HTTP2)
		t.Cleanup(func() { _ = fresh.Close() }) // its streams have ended
		alone := append(overHTTP2(t, fresh), Waiting(stuck))
		if elsewhere := t.openAndReset(stream, alone); elsewhere != "" {
			t.Unknown("after %d streams that were opened and reset, the next was not opened: %s; nor was one on a new connection: %s", done, why, elsewhere)
		}
		if t.LagBetween(began, time.Now()) > stuck/2 {
			t.Unknown("a stream was not opened: %s; but this machine was too busy to tell", why)
		}
		t.Count(done)
		t.Fail("a stream on a connection on which all others were reset",
			fmt.Sprintf("after %s had been opened and reset on one connection, the next one was not opened: %s; on a new connection it was", conformance.Plural(done, "stream"), why))
	}
	t.Count(done)
	counted.Lock()
	defer counted.Unlock()
	if dials > 1 {
		t.Info(fmt.Sprintf("%d streams were opened and reset, and the server ended the connection %s meanwhile", done, conformance.Plural(dials-1, "time")))
	}
	t.Pass(fmt.Sprintf("%d streams were opened and reset on one connection", done))
}

// openAndReset opens one stream more and resets it, and says why that did not go; "" when it did.
func (t *Trial) openAndReset(stream string, options []Option) string {
	p, err := t.Open([]string{stream}, options...)
	t.interrupted()
	if err != nil {
		return err.Error()
	}
	defer p.discard()
	if p.Status() != http.StatusOK {
		return answerText(p)
	}
	return ""
}
