package server

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// "When its clients have ended, however they did, a server has no more files open than before."
func closesWhatTheDepartedHad(t *Trial) {
	clients := int(t.Number("clients"))
	within := 2*max(t.Subject.Heartbeat, t.Duration("heartbeat")) + t.arrival
	var most int
	for _, way := range []struct {
		name string
		end  func(*net.TCPConn)
	}{
		{"FIN", func(c *net.TCPConn) { hangUp(c, false) }},
		{"RST", func(c *net.TCPConn) { hangUp(c, true) }},
		{"FIN, while they went on reading", func(c *net.TCPConn) { _ = c.CloseWrite() }},
	} {
		before := openFiles(t)
		taps, sockets := t.socketsOf(clients)
		if during := openFiles(t); during < before+clients/2 {
			t.Unknown("the target had %s open, and %d with %s: these are not the files of who serves them", conformance.Plural(before, "file"), during, conformance.Plural(clients, "more connection"))
		}
		for _, c := range sockets {
			way.end(c)
		}
		left := t.filesAbove(before+clients/4, within)
		for _, p := range taps {
			p.Close()
		}
		t.Count(clients)
		if left > 0 {
			t.Fail(fmt.Sprintf("as many open files within %v of the end of %s as before they came: %d", within, conformance.Plural(clients, "client"), before),
				fmt.Sprintf("%d, after all of them had ended with %s", left, way.name))
		}
		most = max(most, before)
	}
	t.Pass(fmt.Sprintf("after %s each had ended with FIN, with RST, and with FIN while they went on reading, no more files were open than before (%d)", conformance.Plural(clients, "client"), most))
}

// socketsOf opens so many streams, and returns what they are read from.
func (t *Trial) socketsOf(clients int) (taps []*Tap, sockets []*net.TCPConn) {
	var mu sync.Mutex
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			mu.Lock()
			sockets = append(sockets, tcp)
			mu.Unlock()
		}
		return conn, err
	}
	for n := range clients {
		taps = append(taps, t.inTurn(n, []string{t.Stream()}, Dialing(dial)))
	}
	return taps, sockets
}

// filesAbove waits until no more files are open than so many, and returns how many still are in the end; 0 when they are not.
func (t *Trial) filesAbove(allowed int, within time.Duration) (left int) {
	t.Doing("the target closes what its clients had")
	t.Allow(within)
	for end := time.Now().Add(within); ; t.wait(50 * time.Millisecond) {
		if left = openFiles(t); left <= allowed {
			return 0
		}
		if time.Now().After(end) {
			return left
		}
	}
}

func openFiles(t *Trial) int {
	open, err := t.Subject.Files(t.Context())
	if err != nil {
		t.interrupted()
		t.Unknown("the open files could not be counted: %v", err)
	}
	return open
}
