package fault

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoByteLostAcrossStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bit bites
		l := bit.line()
		conn, peer := pipePair(t, l)
		got := later(func() string {
			p := make([]byte, 64)
			n, _ := conn.Read(p)
			return string(p[:n])
		})
		synctest.Wait()
		stallFault.Begin(l, Params{Step: 1})
		bit.want(t, 0)
		sendAside(peer, "kept for later")
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case text := <-got:
			t.Fatalf("%q arrived during the stall", text)
		default:
		}
		stallFault.End(l, Params{Step: 1})
		if text := <-got; text != "kept for later" {
			t.Errorf("after the stall %q arrived", text)
		}
		bit.want(t, 1)
	})
}

// TestAStallBitesWhenItKeepsSomethingBack, or keeps a close from the target.
func TestAStallBitesWhenItKeepsSomethingBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		close bool
		want  int32
	}{"nothing came": {}, "something came": {text: "late", want: 1}, "the subscriber gave up": {close: true, want: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bit bites
			l := bit.line()
			conn, peer := socketPair(t, l)
			stallFault.Begin(l, Params{Step: 1})
			if c.text != "" {
				send(t, peer, c.text)
			}
			if c.close {
				conn.Close()
			}
			stallFault.End(l, Params{Step: 1})
			bit.want(t, c.want)
		})
	}
}

func TestStallWithholdsWhatIsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		stallFault.Begin(&l, Params{Step: 1})
		if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		send(t, conn, "one ")
		send(t, conn, "two ")
		n, err := conn.Write(make([]byte, maxWithheld))
		if n != maxWithheld-8 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d bytes, %v, want a full buffer and a time-out", n, err)
		}
		wantTimeout(t, peer, time.Second)
		stallFault.End(&l, Params{Step: 1})
		receive(t, peer, "one two ")
		receive(t, peer, string(make([]byte, maxWithheld-8)))
		synctest.Wait()
		if conn.trouble.Load() != nil {
			t.Error("the connection is still disturbed")
		}
		if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the stall the subscriber's own write deadline is gone: %v", err)
		}
	})
}

func TestDeadlinesAreHonouredWhileStalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, _ := pipePair(t, &l)
		began := time.Now()
		if err := conn.SetReadDeadline(began.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		lost := readError(conn)
		synctest.Wait()
		stallFault.Begin(&l, Params{Step: 1})
		if err := <-lost; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("read ended with %v after %v, want a time-out after a minute", err, time.Since(began))
		}
		if err := conn.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		lost = readError(conn)
		synctest.Wait()
		if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := <-lost; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute+time.Second {
			t.Errorf("read ended with %v after %v, want a time-out at the new deadline", err, time.Since(began))
		}
	})
}

func TestADeadlineOutlivesTheStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, _ := pipePair(t, &l)
		began := time.Now()
		if err := conn.SetDeadline(began.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		lost := readError(conn)
		synctest.Wait()
		stallFault.Begin(&l, Params{Step: 1})
		time.Sleep(time.Second)
		stallFault.End(&l, Params{Step: 1})
		if err := <-lost; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("read ended with %v after %v, want a time-out after a minute", err, time.Since(began))
		}
	})
}

func TestTheTargetDoesNotSeeACloseDuringTheStall(t *testing.T) {
	t.Parallel()
	var l Line
	conn, peer := socketPair(t, &l)
	lost := readError(conn)
	stallFault.Begin(&l, Params{Step: 1})
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the subscriber's read ended with %v, want closed", err)
	}
	send(t, peer, "unread")
	wantTimeout(t, peer, 50*time.Millisecond)
	stallFault.End(&l, Params{Step: 1})
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the stall the target read %v, want a reset", err)
	}
	if l.conns != nil {
		t.Error("the line still knows the connection")
	}
}

func TestClosingDuringTheStallEndsABlockedWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, _ := pipePair(t, &l)
		written := later(func() error {
			_, err := conn.Write([]byte("nobody reads this"))
			return err
		})
		synctest.Wait()
		stallFault.Begin(&l, Params{Step: 1})
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if err := <-written; err == nil {
			t.Error("the write succeeded")
		}
	})
}

func TestTheSubscriberDoesNotSeeACloseDuringTheStall(t *testing.T) {
	t.Parallel()
	var l Line
	conn, peer := socketPair(t, &l)
	stallFault.Begin(&l, Params{Step: 1})
	send(t, peer, "last words")
	peer.Close()
	wantTimeout(t, conn, 50*time.Millisecond)
	stallFault.End(&l, Params{Step: 1})
	if got, err := io.ReadAll(conn); string(got) != "last words" || err != nil {
		t.Errorf("after the stall %q, %v arrived", got, err)
	}
}

func TestStallLeavesNewConnectionsAlone(t *testing.T) {
	t.Parallel()
	var l Line
	stalled, _ := socketPair(t, &l)
	stallFault.Begin(&l, Params{Step: 1})
	conn, peer := socketPair(t, &l)
	send(t, peer, "a new way")
	receive(t, conn, "a new way")
	wantTimeout(t, stalled, time.Millisecond)
}

func TestOverlappingStallsEndWithTheLast(t *testing.T) {
	t.Parallel()
	var l Line
	conn, peer := socketPair(t, &l)
	stallFault.Begin(&l, Params{Step: 1})
	stallFault.Begin(&l, Params{Step: 2})
	send(t, peer, "late")
	stallFault.End(&l, Params{Step: 1})
	wantTimeout(t, conn, 20*time.Millisecond)
	stallFault.End(&l, Params{Step: 2})
	receive(t, conn, "late")
}

func TestAStalledConnectionCanBeReset(t *testing.T) {
	t.Parallel()
	var l Line
	conn, _ := socketPair(t, &l)
	stallFault.Begin(&l, Params{Step: 1})
	lost := readError(conn)
	resetFault.Begin(&l, Params{Step: 2})
	wantFault(t, <-lost)
	stallFault.End(&l, Params{Step: 1})
}

func TestAStalledTargetMeetsAFullWindow(t *testing.T) {
	t.Parallel()
	var l Line
	conn, peer := socketPair(t, &l)
	stallFault.Begin(&l, Params{Step: 1})
	text := numbered(16 << 20)
	if err := peer.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := peer.Write(text)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the target wrote %d bytes, %v, want it to be held up", n, err)
	}
	peer.CloseWrite()
	stallFault.End(&l, Params{Step: 1})
	if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, text[:n]) {
		t.Errorf("of %d bytes %d arrived, %v", n, len(got), err)
	}
}
