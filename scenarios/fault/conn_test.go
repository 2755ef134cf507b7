//go:build unix

package fault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestNoByteLostUnderOverlappingFaults(t *testing.T) {
	t.Parallel()
	kinds := []Fault{stallFault, slowFault, latencyFault}
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		synctest.Test(t, func(t *testing.T) {
			var l Line
			conn, peer := pipePair(t, &l)
			text := numbered(random.IntN(20000))
			var inForce sync.WaitGroup
			for step := range int32(1 + random.IntN(6)) {
				f := kinds[random.IntN(len(kinds))]
				p := Params{
					Step: step, Seed: random.Uint64(), Read: 100 + random.Int64N(5000),
					Delay: time.Duration(random.Int64N(int64(time.Second))), Jitter: time.Duration(random.Int64N(int64(time.Second))),
				}
				at, lasts := time.Duration(random.Int64N(int64(5*time.Second))), time.Duration(random.Int64N(int64(5*time.Second)))
				inForce.Go(func() {
					time.Sleep(at)
					f.Begin(&l, p)
					time.Sleep(lasts)
					f.End(&l, p)
				})
			}
			pauses, sizes := rand.New(rand.NewPCG(1, random.Uint64())), rand.New(rand.NewPCG(2, random.Uint64()))
			go func() {
				for rest := text; len(rest) > 0; {
					n := min(len(rest), 1+pauses.IntN(1000))
					if _, err := peer.Write(rest[:n]); err != nil {
						return
					}
					rest = rest[n:]
					time.Sleep(time.Duration(pauses.Int64N(int64(200 * time.Millisecond))))
				}
				inForce.Wait()
				peer.Close()
			}()
			var got []byte
			for {
				p := make([]byte, 1+sizes.IntN(2000))
				n, err := conn.Read(p)
				got = append(got, p[:n]...)
				if err != nil {
					if !errors.Is(err, io.EOF) {
						rt.Fatalf("reading ended with %v", err)
					}
					break
				}
			}
			if !bytes.Equal(got, text) {
				rt.Fatalf("of %d bytes %d arrived, or not in order", len(text), len(got))
			}
		})
	})
}

func TestStallDuringLatencyKeepsWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		latencyFault.Begin(&l, Params{Step: 1, Delay: time.Second})
		began := time.Now()
		got := make([]byte, len("on its way"))
		received := later(func() error {
			_, err := io.ReadFull(conn, got)
			return err
		})
		send(t, peer, "on its way")
		time.Sleep(500 * time.Millisecond)
		stallFault.Begin(&l, Params{Step: 2})
		time.Sleep(10 * time.Second)
		stallFault.End(&l, Params{Step: 2})
		if err := <-received; err != nil || string(got) != "on its way" {
			t.Errorf("received %q, %v", got, err)
		}
		if took := time.Since(began); took != 10500*time.Millisecond {
			t.Errorf("it arrived after %v, want at the stall's end", took)
		}
	})
}

func TestSlowAndLatencyAddUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		latencyFault.Begin(&l, Params{Step: 1, Delay: 5 * time.Second})
		slowFault.Begin(&l, Params{Step: 2, Read: 1000})
		text := numbered(10000)
		began := time.Now()
		go func() {
			_, _ = peer.Write(text)
			peer.Close()
		}()
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, text) {
			t.Errorf("of %d bytes %d arrived, %v", len(text), len(got), err)
		}
		if took := time.Since(began); took < 14*time.Second || took > 16*time.Second {
			t.Errorf("all arrived after %v, want about 15 s", took)
		}
	})
}

func TestNoByteLostBetweenTwoWaysOfReading(t *testing.T) {
	t.Parallel()
	text := numbered(1 << 20)
	var all sync.WaitGroup
	for i := range 8 {
		l := &Line{Subscriber: int32(i)}
		conn, peer := socketPair(t, l)
		received := make(chan struct{})
		all.Go(func() {
			for rest := text; len(rest) > 0; {
				n, err := peer.Write(rest[:min(len(rest), 1000)])
				if err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
			peer.CloseWrite()
		})
		all.Go(func() {
			defer close(received)
			if got, err := readBothWays(conn); err != nil || !bytes.Equal(got, text) {
				t.Errorf("of %d bytes %d arrived, %v, or not in order", len(text), len(got), err)
			}
		})
		all.Go(func() {
			lasting := []Fault{stallFault, latencyFault, slowFault}
			for step := int32(0); ; step++ {
				f, p := lasting[step%3], Params{Step: step, Delay: time.Millisecond, Read: 1 << 20}
				f.Begin(l, p)
				pause := time.NewTimer(time.Duration(step%7) * time.Millisecond)
				select {
				case <-pause.C:
				case <-received:
					pause.Stop()
					return
				}
				f.End(l, p)
			}
		})
	}
	all.Wait()
}

// readBothWays reads to the end: from the socket itself while it can, through the connection while it is disturbed.
func readBothWays(conn *Conn) (got []byte, err error) {
	p := make([]byte, 700)
	for {
		n, failed := 0, error(nil)
		raw, err := conn.SyscallConn()
		if err == nil {
			err = raw.Read(func(fd uintptr) bool {
				n, failed = syscall.Read(int(fd), p)
				return !errors.Is(failed, syscall.EAGAIN)
			})
		}
		switch {
		case errors.Is(err, ErrDisturbed):
			if n, err = conn.Read(p); errors.Is(err, io.EOF) {
				return got, nil
			} else if err != nil {
				return got, err
			}
		case err != nil:
			return got, err
		case failed != nil:
			return got, failed
		case n == 0:
			return got, nil
		}
		got = append(got, p[:n]...)
	}
}

// TestFaultsMayBeginAndEndWhileTheLineIsUsed is for the race detector: subscribers read, write, close and come back while faults
// of all kinds begin and end on their lines.
func TestFaultsMayBeginAndEndWhileTheLineIsUsed(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { chatter(ctx, listener, &all) })
	lines := make([]*Line, 50)
	for i := range lines {
		l := &Line{Subscriber: int32(i)}
		lines[i] = l
		all.Go(func() { subscribe(ctx, l, listener.Addr().String()) })
	}
	random := rand.New(rand.NewPCG(1, 2))
	for step := int32(0); ctx.Err() == nil; step++ {
		l, f := lines[random.IntN(len(lines))], Faults[random.IntN(len(Faults))]
		if f.OnTarget != nil {
			continue
		}
		f.Begin(l, Params{Step: step, Delay: 5 * time.Millisecond, Jitter: 5 * time.Millisecond, Read: 1 << 10})
		if f.End != nil {
			all.Go(func() {
				timer := time.NewTimer(20 * time.Millisecond)
				defer timer.Stop()
				select {
				case <-timer.C:
				case <-ctx.Done():
				}
				f.End(l, Params{Step: step})
			})
		}
	}
	listener.Close()
	all.Wait()
	for _, l := range lines {
		l.Lift()
		if l.conns != nil || len(l.active) != 0 {
			t.Errorf("subscriber %d's line is not as it was", l.Subscriber)
		}
	}
}

// chatter accepts connections and sends events on each until its end.
func chatter(ctx context.Context, listener net.Listener, all *sync.WaitGroup) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		all.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			for {
				if _, err := conn.Write([]byte("data: chatter\n\n")); err != nil {
					return
				}
			}
		})
	}
}

// subscribe reads and comes back until the end, by one kind of read and the other in turn.
func subscribe(ctx context.Context, l *Line, address string) {
	p := make([]byte, 512)
	for ctx.Err() == nil {
		conn, err := l.Dial(ctx, "tcp", address, nil)
		if err != nil {
			continue
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		_, _ = conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		for range 1000 {
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			raw, err := conn.(*Conn).SyscallConn()
			if err == nil {
				err = readable(raw)
			}
			if err != nil && !errors.Is(err, ErrDisturbed) {
				break
			}
			if _, err = conn.Read(p); err != nil {
				break
			}
		}
		stop()
		conn.Close()
	}
}

func BenchmarkReadUndisturbed(b *testing.B) {
	for _, wrapped := range []bool{false, true} {
		b.Run(map[bool]string{false: "socket", true: "line"}[wrapped], func(b *testing.B) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer listener.Close()
			var l Line
			conn, err := l.Dial(b.Context(), "tcp", listener.Addr().String(), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			if !wrapped {
				conn = conn.(*Conn).inner
			}
			peer, err := listener.Accept()
			if err != nil {
				b.Fatal(err)
			}
			defer peer.Close()
			event, p := []byte("data: benchmark\n\n"), make([]byte, 512)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := peer.Write(event); err != nil {
					b.Fatal(err)
				}
				if _, err := conn.Read(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
