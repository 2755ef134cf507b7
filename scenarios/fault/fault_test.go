package fault

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/scenarios"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFaultsAreThoseOfTheScenarioFormat(t *testing.T) {
	t.Parallel()
	type kind struct {
		Name              string
		Lasting, OnTarget bool
	}
	var want, got []kind
	for _, f := range scenarios.Faults {
		want = append(want, kind{f.Name, slices.Contains(f.Needs, "for"), f.OnTarget})
	}
	for _, f := range Faults {
		got = append(got, kind{f.Name, f.Lasting, f.OnTarget != nil})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scenarios.Faults (-) and fault.Faults (+) differ:\n%s", diff)
	}
}

func TestEveryFaultIsWellFormed(t *testing.T) {
	t.Parallel()
	for _, f := range Faults {
		if f.About == "" {
			t.Errorf("%s has no sentence about it", f.Name)
		}
		if (f.Begin == nil) == (f.OnTarget == nil) {
			t.Errorf("%s: want either Begin or OnTarget", f.Name)
		}
		if f.Lasting != (f.End != nil) {
			t.Errorf("%s: lasting is %v, but End is set: %v", f.Name, f.Lasting, f.End != nil)
		}
		if found, ok := ByName(f.Name); !ok || found.Name != f.Name {
			t.Errorf("ByName(%q) finds %q, %v", f.Name, found.Name, ok)
		}
	}
	if _, ok := ByName("gremlins"); ok {
		t.Error("ByName finds gremlins")
	}
}

func TestUndisturbedLineIsSmall(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(Line{}); size > 64 {
		t.Errorf("a line has %d bytes, want at most 64", size)
	}
	if size := unsafe.Sizeof(Conn{}); size > 128 {
		t.Errorf("a connection has %d bytes, want at most 128", size)
	}
}

func TestEndWithoutBeginIsHarmless(t *testing.T) {
	t.Parallel()
	for _, f := range Faults {
		if !f.Lasting {
			continue
		}
		var l Line
		f.End(&l, Params{Step: 1})
		conn, peer := socketPair(t, &l)
		f.End(&l, Params{Step: 1})
		send(t, peer, "still here")
		receive(t, conn, "still here")
		if conn.trouble.Load() != nil {
			t.Errorf("%s: End alone has disturbed the connection", f.Name)
		}
	}
}

func TestLastingFaultsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	for _, f := range Faults {
		if !f.Lasting {
			continue
		}
		var l Line
		conn, peer := socketPair(t, &l)
		f.Begin(&l, Params{Step: 1, Read: 100, Delay: time.Hour})
		f.End(&l, Params{Step: 2}) // another step's
		if f.Name != "refuse" && conn.trouble.Load() == nil {
			t.Errorf("%s: another step's End has lifted it", f.Name)
		}
		f.End(&l, Params{Step: 1})
		if conn.trouble.Load() != nil || len(l.active) != 0 {
			t.Errorf("%s: the line is not as it was", f.Name)
		}
		send(t, peer, "as before")
		receive(t, conn, "as before")
	}
}

// bites counts the bites of a line.
type bites struct{ atomic.Int32 }

func (b *bites) line() *Line {
	return &Line{Subscriber: 42, Bite: func(_, _ int32) { b.Add(1) }}
}

func (b *bites) want(t *testing.T, want int32) {
	t.Helper()
	if got := b.Load(); got != want {
		t.Errorf("the fault bit %d times, want %d", got, want)
	}
}

// socketPair connects a line to a loopback socket.
func socketPair(t *testing.T, l *Line) (conn *Conn, peer *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err := l.Dial(t.Context(), "tcp", listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Lift()
		dialled.Close()
		accepted.Close()
	})
	return dialled.(*Conn), accepted.(*net.TCPConn)
}

// pipePair connects a line to a pipe, for virtual time.
func pipePair(t *testing.T, l *Line) (conn *Conn, peer net.Conn) {
	t.Helper()
	near, peer := net.Pipe()
	dialled, err := l.Dial(t.Context(), "pipe", "", func(context.Context, string, string) (net.Conn, error) { return near, nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Lift()
		dialled.Close()
		peer.Close()
	})
	return dialled.(*Conn), peer
}

func send(t *testing.T, to io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
}

// sendAside sends without waiting for the receiver, as a pipe would.
func sendAside(to io.Writer, text string) {
	go func() { _, _ = io.WriteString(to, text) }()
}

func receive(t *testing.T, from io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Fatalf("received %q, %v, want %q", got[:n], err, want)
	}
}

// later runs f and returns what it returns.
func later[T any](f func() T) <-chan T {
	done := make(chan T, 1)
	go func() { done <- f() }()
	return done
}

func readError(conn net.Conn) <-chan error {
	return later(func() error {
		_, err := conn.Read(make([]byte, 64))
		return err
	})
}

func wantFault(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrFault) {
		t.Errorf("error is %v, want one that wraps ErrFault", err)
	}
}

// wantTimeout reads until a deadline in virtual or real time and wants nothing to arrive.
func wantTimeout(t *testing.T, conn net.Conn, after time.Duration) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(after)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 64)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, %v, want none and a time-out", n, err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// numbered is a text in which every loss, repetition or swap shows.
func numbered(size int) []byte {
	b := make([]byte, 0, size+8)
	for n := uint64(0); len(b) < size; n++ {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b[:size]
}
