//go:build unix

package fault

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowReadsAtItsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, rate := range []int64{1, 100, 1 << 10, 1 << 20} {
			var bit bites
			l := bit.line()
			conn, peer := pipePair(t, l)
			slowFault.Begin(l, Params{Step: 1, Read: rate})
			text := numbered(int(10 * rate))
			began := time.Now()
			go func() {
				_, _ = peer.Write(text)
				peer.Close()
			}()
			got, err := io.ReadAll(conn)
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("of %d bytes %d arrived, %v", len(text), len(got), err)
			}
			if took := time.Since(began); took < 9*time.Second || took > 11*time.Second {
				t.Errorf("at %d bytes per second ten seconds' worth took %v", rate, took)
			}
			bit.want(t, 1)
		}
	})
}

func TestSlowDoesNotBiteWhenNothingIsSlowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bit bites
		l := bit.line()
		conn, peer := pipePair(t, l)
		slowFault.Begin(l, Params{Step: 1, Read: 1 << 10})
		began := time.Now()
		go func() {
			for range 9 {
				_, _ = io.WriteString(peer, ":hb\n")
				time.Sleep(time.Second)
			}
			_, _ = io.WriteString(peer, ":hb\n")
		}()
		for i := range 10 {
			receive(t, conn, ":hb\n")
			if took := time.Since(began); took != time.Duration(i)*time.Second {
				t.Errorf("heartbeat %d arrived after %v", i, took)
			}
		}
		bit.want(t, 0)
	})
}

func TestASubscriberThatIsItselfSlowIsNotBitten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bit bites
		l := bit.line()
		conn, peer := pipePair(t, l)
		slowFault.Begin(l, Params{Step: 1, Read: 1 << 10})
		for range 10 {
			sendAside(peer, ":hb\n")
			time.Sleep(time.Second)
			receive(t, conn, ":hb\n")
		}
		bit.want(t, 0)
	})
}

func TestSlowIsLifted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		slowFault.Begin(&l, Params{Step: 1, Read: 10})
		text := numbered(64 << 10)
		go func() {
			_, _ = peer.Write(text)
			peer.Close()
		}()
		began := time.Now()
		go func() {
			time.Sleep(10 * time.Second)
			slowFault.End(&l, Params{Step: 1})
		}()
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("of %d bytes %d arrived, %v", len(text), len(got), err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("all arrived after %v, want ten seconds", took)
		}
	})
}

// held is how many bytes a target can send to a slow subscriber that has read nothing yet.
func held(t *testing.T, peer *net.TCPConn) int {
	t.Helper()
	if err := peer.SetWriteBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	text := numbered(8 << 20)
	if err := peer.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := peer.Write(text)
	if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the target wrote %d bytes, %v, want it to be held up", n, err)
	}
	if err := peer.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBackpressureOfASlowSubscriberReachesTheTarget(t *testing.T) {
	t.Parallel()
	var l, undisturbed Line
	_, peer := socketPair(t, &undisturbed)
	usual := held(t, peer)

	slowFault.Begin(&l, Params{Step: 1, Read: 1 << 10})
	conn, peer := socketPair(t, &l)
	if slowed := held(t, peer); slowed > usual/8 {
		t.Errorf("the target could send %d bytes to a slow subscriber, %d to a usual one", slowed, usual)
	}
	slowFault.End(&l, Params{Step: 1})
	peer.CloseWrite()
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Error(err)
	}
}

func TestNoByteLostWhenALiveSocketTurnsSlow(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	conn, peer := socketPair(t, l)
	text := numbered(4 << 20)
	sent := later(func() error {
		_, err := peer.Write(text)
		peer.CloseWrite()
		return err
	})
	got := make([]byte, len(text))
	quarter := len(text) / 4
	if _, err := io.ReadFull(conn, got[:quarter]); err != nil {
		t.Fatal(err)
	}
	slowFault.Begin(l, Params{Step: 1, Read: 64 << 10})
	if _, err := io.ReadFull(conn, got[quarter:quarter+32<<10]); err != nil {
		t.Fatal(err)
	}
	slowFault.End(l, Params{Step: 1})
	if _, err := io.ReadFull(conn, got[quarter+32<<10:]); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, text) {
		t.Error("what arrived is not what was sent")
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	bit.want(t, 1)
}
