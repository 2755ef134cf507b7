//go:build unix

package fault

import (
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// readable waits until data can be read, as a reader without a buffer would.
func readable(raw syscall.RawConn) error {
	return raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		return !errors.Is(err, syscall.EAGAIN)
	})
}

func rawOf(t *testing.T, conn *Conn) syscall.RawConn {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRawConnWaitsForData(t *testing.T) {
	t.Parallel()
	var l Line
	conn, peer := socketPair(t, &l)
	raw := rawOf(t, conn)
	waiting := later(func() error { return readable(raw) })
	send(t, peer, "data")
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	receive(t, conn, "data")
	if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := readable(raw); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("waiting ended with %v, want a time-out", err)
	}
}

func TestAFaultWakesAReaderInRawConn(t *testing.T) {
	t.Parallel()
	for _, f := range Faults {
		if f.OnTarget != nil || f.Name == "refuse" {
			continue
		}
		var l Line
		conn, _ := socketPair(t, &l)
		raw := rawOf(t, conn)
		entered := make(chan struct{})
		waiting := later(func() error {
			return raw.Read(func(uintptr) bool { close(entered); return false })
		})
		<-entered
		f.Begin(&l, Params{Step: 1, Delay: time.Second, Read: 1})
		if err := <-waiting; !errors.Is(err, ErrDisturbed) {
			t.Errorf("%s: waiting ended with %v, want disturbed", f.Name, err)
		}
		if err := raw.Read(func(uintptr) bool { t.Errorf("%s: the callback was run", f.Name); return true }); !errors.Is(err, ErrDisturbed) {
			t.Errorf("%s: reading gave %v, want disturbed", f.Name, err)
		}
	}
}

func TestADisturbedConnectionHasNoRawConn(t *testing.T) {
	t.Parallel()
	var l Line
	conn, _ := socketPair(t, &l)
	stallFault.Begin(&l, Params{Step: 1})
	if _, err := conn.SyscallConn(); !errors.Is(err, ErrDisturbed) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error is %v, want disturbed", err)
	}
	stallFault.End(&l, Params{Step: 1})
	rawOf(t, conn)
	piped, _ := pipePair(t, &l)
	if _, err := piped.SyscallConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a pipe's error is %v, want unsupported", err)
	}
}

func TestRawConnWorksAgainAfterTheFault(t *testing.T) {
	t.Parallel()
	var l Line
	conn, peer := socketPair(t, &l)
	raw := rawOf(t, conn)
	stallFault.Begin(&l, Params{Step: 1})
	if err := readable(raw); !errors.Is(err, ErrDisturbed) {
		t.Fatalf("waiting gave %v, want disturbed", err)
	}
	read := later(func() string {
		p := make([]byte, 64)
		n, _ := conn.Read(p)
		return string(p[:n])
	})
	stallFault.End(&l, Params{Step: 1})
	send(t, peer, "one")
	if got := <-read; got != "one" {
		t.Errorf("read %q, want one", got)
	}
	waiting := later(func() error { return readable(raw) })
	send(t, peer, "two")
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	receive(t, conn, "two")
}

func TestClosingEndsRawConn(t *testing.T) {
	t.Parallel()
	var l Line
	conn, _ := socketPair(t, &l)
	raw := rawOf(t, conn)
	waiting := later(func() error { return readable(raw) })
	conn.Close()
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Errorf("waiting ended with %v, want closed", err)
	}
}

func TestWaitingOnInRawConnAllocatesNothing(t *testing.T) {
	var l Line
	conn, peer := socketPair(t, &l)
	raw := rawOf(t, conn)
	taken := make(chan struct{})
	waiting := later(func() error {
		p := make([]byte, 1)
		return raw.Read(func(fd uintptr) bool {
			for {
				n, err := syscall.Read(int(fd), p)
				if n != 1 {
					return err != syscall.EAGAIN
				}
				taken <- struct{}{}
			}
		})
	})
	if got := testing.AllocsPerRun(100, func() {
		send(t, peer, "x")
		<-taken
	}); got > 1 { // one is send's
		t.Errorf("%v allocations per wait", got)
	}
	conn.Close()
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Errorf("waiting ended with %v, want closed", err)
	}
}

// TestTheEndOfASeveredSocketIsTheFaultsDoing although a reader that is busy with what came before meets it first.
func TestTheEndOfASeveredSocketIsTheFaultsDoing(t *testing.T) {
	t.Parallel()
	for _, f := range []Fault{closeFault, resetFault} {
		var l Line
		conn, peer := socketPair(t, &l)
		raw := rawOf(t, conn)
		send(t, peer, "data")
		begun := make(chan error, 1)
		err := raw.Read(func(fd uintptr) bool {
			go func() { f.Begin(&l, Params{Step: 1}); begun <- nil }()
			for !conn.severed() {
				runtime.Gosched()
			}
			_ = peer.Close()
			for {
				n, err := syscall.Read(int(fd), make([]byte, 16))
				if err == nil && n == 0 || err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR) {
					return true // the end of the socket
				}
			}
		})
		<-begun
		if !errors.Is(err, ErrDisturbed) {
			t.Errorf("%s: reading gave %v, want disturbed", f.Name, err)
		}
		_, err = conn.Read(make([]byte, 16))
		wantFault(t, err)
	}
}
