package fault

import (
	"errors"
	"io"
	"net"
	"testing"
)

func TestCloseIsSeenAsOrderlyByTheTarget(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	conn, peer := socketPair(t, l)
	lost := readError(conn)
	closeFault.Begin(l, Params{Step: 1})
	wantFault(t, <-lost)
	if n, err := peer.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the target read %d bytes, %v, want the end", n, err)
	}
	bit.want(t, 1)
	if err := conn.Close(); err != nil {
		t.Errorf("closing a lost connection: %v", err)
	}
}

func TestCloseComesBeforeAnyResetOfABusyTarget(t *testing.T) {
	t.Parallel()
	for range 50 {
		var l Line
		conn, peer := socketPair(t, &l)
		stopped := later(func() error {
			for {
				if _, err := peer.Write(make([]byte, 100)); err != nil {
					return err
				}
			}
		})
		receive(t, conn, "\x00")
		closeFault.Begin(&l, Params{})
		_, err := peer.Read(make([]byte, 1))
		if <-stopped; !errors.Is(err, io.EOF) {
			t.Fatalf("the target read %v, want the end", err)
		}
	}
}

func TestNothingWorksAfterClose(t *testing.T) {
	t.Parallel()
	var l Line
	conn, peer := socketPair(t, &l)
	send(t, peer, "never read")
	closeFault.Begin(&l, Params{})
	_, err := conn.Read(make([]byte, 1))
	wantFault(t, err)
	_, err = conn.Write([]byte("x"))
	wantFault(t, err)
}

func TestCloseConcernsEveryConnectionAndBitesOnce(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	first, _ := socketPair(t, l)
	second, _ := socketPair(t, l)
	closeFault.Begin(l, Params{Step: 1})
	for _, conn := range []net.Conn{first, second} {
		_, err := conn.Read(make([]byte, 1))
		wantFault(t, err)
	}
	bit.want(t, 1)
	third, peer := socketPair(t, l)
	send(t, peer, "new")
	receive(t, third, "new")
}

func TestCloseWithoutAConnectionDoesNotBite(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	conn, _ := socketPair(t, l)
	conn.Close()
	closeFault.Begin(l, Params{Step: 1})
	bit.want(t, 0)
}
