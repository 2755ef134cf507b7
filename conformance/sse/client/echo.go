package client

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// echo watches how long a byte takes to a goroutine of this process and back over the loopback interface. On a busy machine that can be
// far longer than a timer is late: what a socket has for a goroutine is looked at last.
type echo struct {
	mu   sync.Mutex
	slow []trip
	sent time.Time // of the byte that is under way; zero when none is
}

// trip is a byte's way that took noticeably long.
type trip struct {
	back time.Time
	took time.Duration
}

const (
	echoEvery  = 20 * time.Millisecond
	noticeable = 5 * time.Millisecond
)

// newEcho watches until the context ends. Without a loopback interface it sees nothing.
func newEcho(ctx context.Context) *echo {
	e := &echo{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return e
	}
	go func() {
		defer listener.Close()
		defer crash.Catch()
		far, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(far, far) // it ends with the other side
		_ = far.Close()
	}()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return e
	}
	context.AfterFunc(ctx, func() { _ = near.Close() })
	go func() {
		defer crash.Catch()
		e.watch(near)
	}()
	return e
}

func (e *echo) watch(near net.Conn) {
	ticker := time.NewTicker(echoEvery)
	defer ticker.Stop()
	for b := []byte{0}; ; <-ticker.C {
		sent := time.Now()
		e.note(sent, 0)
		if _, err := near.Write(b); err != nil {
			return
		}
		if _, err := near.Read(b); err != nil {
			return
		}
		e.note(time.Time{}, time.Since(sent))
	}
}

func (e *echo) note(sent time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = sent
	if took > noticeable {
		e.slow = append(e.slow, trip{time.Now(), took})
	}
}

// worst is the longest way of a byte that came back since then, or is not yet back; 0 when none was noticeable.
func (e *echo) worst(since time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	var worst time.Duration
	for i := len(e.slow) - 1; i >= 0 && e.slow[i].back.After(since); i-- {
		worst = max(worst, e.slow[i].took)
	}
	if pending := time.Since(e.sent); !e.sent.IsZero() && pending > noticeable {
		worst = max(worst, pending)
	}
	return worst
}
