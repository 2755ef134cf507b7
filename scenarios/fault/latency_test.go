package fault

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestLatencyDelaysEachByteByTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bit bites
		l := bit.line()
		conn, peer := pipePair(t, l)
		latencyFault.Begin(l, Params{Step: 1, Delay: time.Second})
		began := time.Now()
		go func() {
			for range 10 {
				_, _ = io.WriteString(peer, "tick")
				time.Sleep(100 * time.Millisecond)
			}
		}()
		for i := range 10 {
			receive(t, conn, "tick")
			want := time.Second + time.Duration(i)*100*time.Millisecond
			if took := time.Since(began); took != want {
				t.Errorf("tick %d arrived after %v, want %v", i, took, want)
			}
		}
		bit.want(t, 1)
	})
}

func TestLatencyDoesNotReduceThroughput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		latencyFault.Begin(&l, Params{Step: 1, Delay: time.Second})
		text := numbered(512 << 10)
		began := time.Now()
		go func() {
			_, _ = peer.Write(text)
			peer.Close()
		}()
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, text) {
			t.Errorf("of %d bytes %d arrived, %v", len(text), len(got), err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("all arrived after %v, want one second", took)
		}
	})
}

func TestLatencyHoldsTheTargetUpWhenItsBufferIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		latencyFault.Begin(&l, Params{Step: 1, Delay: time.Second})
		text := numbered(3 * maxArrived)
		began := time.Now()
		go func() {
			_, _ = peer.Write(text)
			peer.Close()
		}()
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, text) {
			t.Errorf("of %d bytes %d arrived, %v", len(text), len(got), err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("all arrived after %v, want three seconds", took)
		}
	})
}

func TestJitterKeepsTheOrderAndItsBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		latencyFault.Begin(&l, Params{Step: 1, Delay: time.Second, Jitter: 500 * time.Millisecond, Seed: 1})
		const ticks = 200
		sent := make(chan time.Time, ticks)
		text := numbered(ticks * 4)
		go func() {
			for i := range ticks {
				time.Sleep(time.Second)
				sent <- time.Now()
				_, _ = peer.Write(text[4*i : 4*i+4])
			}
		}()
		seen := map[time.Duration]bool{}
		for i := range ticks {
			receive(t, conn, string(text[4*i:4*i+4]))
			delay := time.Since(<-sent)
			if delay < 500*time.Millisecond || delay > 1500*time.Millisecond {
				t.Errorf("tick %d was delayed by %v, want 500 ms to 1.5 s", i, delay)
			}
			seen[delay] = true
		}
		if len(seen) < ticks/2 {
			t.Errorf("only %d different delays in %d ticks", len(seen), ticks)
		}
	})
}

func TestLatencyIsLiftedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		latencyFault.Begin(&l, Params{Step: 1, Delay: time.Second})
		began := time.Now()
		go func() {
			_, _ = io.WriteString(peer, "old ")
			time.Sleep(300 * time.Millisecond)
			latencyFault.End(&l, Params{Step: 1})
			_, _ = io.WriteString(peer, "new")
			time.Sleep(2 * time.Second)
			_, _ = io.WriteString(peer, "now")
		}()
		receive(t, conn, "old new")
		if took := time.Since(began); took != time.Second {
			t.Errorf("both arrived after %v, want one second", took)
		}
		receive(t, conn, "now")
		if took := time.Since(began); took != 2300*time.Millisecond {
			t.Errorf("the last arrived after %v, want 2.3 s", took)
		}
		if conn.trouble.Load() != nil {
			t.Error("the connection is still disturbed")
		}
	})
}

func TestLatencyConcernsNewConnectionsToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		latencyFault.Begin(&l, Params{Step: 1, Delay: time.Second})
		conn, peer := pipePair(t, &l)
		began := time.Now()
		sendAside(peer, "hello")
		receive(t, conn, "hello")
		if took := time.Since(began); took != time.Second {
			t.Errorf("it arrived after %v, want one second", took)
		}
	})
}

func TestANewDeadlineReachesAReaderOfALateLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, _ := pipePair(t, &l)
		latencyFault.Begin(&l, Params{Step: 1, Delay: time.Second})
		began := time.Now()
		late := readError(conn)
		synctest.Wait()
		if err := conn.SetReadDeadline(began.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := <-late; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("the read ended with %v after %v, want a time-out after a minute", err, time.Since(began))
		}
	})
}

func TestQuietLatencyDoesNotBite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bit bites
		l := bit.line()
		conn, _ := pipePair(t, l)
		latencyFault.Begin(l, Params{Step: 1, Delay: time.Second})
		wantTimeout(t, conn, time.Minute)
		bit.want(t, 0)
	})
}
