package fault

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestCutDeliversHalfAnEventAndResets(t *testing.T) {
	t.Parallel()
	const event = "id: 7\ndata: all or nothing\n\n"
	var bit bites
	l := bit.line()
	conn, peer := socketPair(t, l)
	cutFault.Begin(l, Params{Step: 1, Seed: 1})
	bit.want(t, 0)
	send(t, peer, event)
	got, err := io.ReadAll(conn)
	wantFault(t, err)
	if len(got) == 0 || len(got) >= len(event)-2 || !strings.HasPrefix(event, string(got)) {
		t.Errorf("delivered %q, want a true part of %q", got, event)
	}
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target read %v, want a reset", err)
	}
	bit.want(t, 1)
}

func TestCutIsStrictlyInsideALine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`(([a-f0-9]{1,3}\r\n)?((data|id): [a-z]{0,20}\n){1,4}\n(\r\n)?){1,5}`).Draw(rt, "events")
		size := rapid.IntRange(1, 64).Draw(rt, "size of the subscriber's buffer")
		var l Line
		conn, peer := pipePair(t, &l)
		cutFault.Begin(&l, Params{Seed: rapid.Uint64().Draw(rt, "seed")})
		go func() { _, _ = io.WriteString(peer, text) }()
		var got strings.Builder
		_, err := io.CopyBuffer(struct{ io.Writer }{&got}, conn, make([]byte, size))
		if !errors.Is(err, ErrFault) || got.Len() == 0 {
			rt.Fatalf("delivered %q, %v", got.String(), err)
		}
		before, after := got.String(), text[got.Len():]
		if !strings.HasPrefix(text, before) || strings.ContainsAny(before[len(before)-1:]+after[:1], "\r\n") {
			rt.Fatalf("cut between %q and %q, want inside a line", before, after)
		}
	})
}

func TestCutLetsHeadsAndCommentsPass(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	conn, peer := socketPair(t, l)
	cutFault.Begin(l, Params{Step: 1})
	for _, text := range []string{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", ":hb\n\n", "6\r\n: hb\n\n\r\n", "\n"} {
		send(t, peer, text)
		receive(t, conn, text)
	}
	bit.want(t, 0)
	send(t, peer, "data: now\n\n")
	_, err := io.ReadAll(conn)
	wantFault(t, err)
	bit.want(t, 1)
}

func TestCutWithoutDataInTimeDoesNotBite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, window := range []time.Duration{0, 3 * time.Second} {
			var bit bites
			l := bit.line()
			conn, peer := pipePair(t, l)
			cutFault.Begin(l, Params{Step: 1, For: window})
			if window == 0 {
				window = 10 * time.Second
			}
			wantTimeout(t, conn, window)
			sendAside(peer, "data: too late for a cut\n\n")
			receive(t, conn, "data: too late for a cut\n\n")
			bit.want(t, 0)
			wantTimeout(t, conn, time.Second)
			if conn.trouble.Load() != nil {
				t.Error("the connection is still disturbed")
			}
		}
	})
}

func TestHalfAnEventIsDelayedByLatencyToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Line
		conn, peer := pipePair(t, &l)
		cutFault.Begin(&l, Params{Step: 1})
		latencyFault.Begin(&l, Params{Step: 2, Delay: time.Second})
		began := time.Now()
		sendAside(peer, "data: half of this\n\n")
		got, err := io.ReadAll(conn)
		wantFault(t, err)
		if took := time.Since(began); len(got) == 0 || took != time.Second {
			t.Errorf("%q and the loss came after %v, want half an event after one second", got, took)
		}
	})
}

func TestSameSeedCutsAtTheSameByte(t *testing.T) {
	t.Parallel()
	cut := func(seed uint64) string {
		l := Line{Subscriber: 3}
		conn, peer := socketPair(t, &l)
		cutFault.Begin(&l, Params{Seed: seed})
		send(t, peer, "data: "+strings.Repeat("x", 1000)+"\n\n")
		got, _ := io.ReadAll(conn)
		return string(got)
	}
	if first, second, third := cut(1), cut(1), cut(2); first != second || first == third {
		t.Errorf("cut after %d and %d bytes with one seed, %d with another", len(first), len(second), len(third))
	}
}

func TestCutLetsWhatIsNoMessagePass(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	conn, peer := socketPair(t, l)
	cutFault.Begin(l, Params{Step: 1, Least: 80})
	send(t, peer, "retry: 3000\n\n")
	receive(t, conn, "retry: 3000\n\n")
	bit.want(t, 0)
	send(t, peer, "data: "+string(numbered(80))+"\n\n")
	_, err := io.ReadAll(conn)
	wantFault(t, err)
	bit.want(t, 1)
}
