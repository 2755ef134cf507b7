package server

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// valve decides how fast a socket is read: at will, not at all, or slowly. What is not read stays in the kernel's buffers, which are
// small, and then with the sender.
type valve struct {
	mu   sync.Mutex
	open chan struct{} // closed while reading is allowed
	pace time.Duration // between two reads of at most paced bytes; 0 for at will
}

// socketBuffer is the receive buffer asked of the kernel: small, and still larger than a segment on loopback, without which a reader
// that is fast again gets a trickle. paced is how much a slow reader takes at once.
const (
	socketBuffer = 128 << 10
	paced        = 4 << 10
)

// newValve is open.
func newValve() *valve {
	v := &valve{open: make(chan struct{})}
	close(v.open)
	return v
}

// Dial is a [sse.DialFunc] whose connections are read through the valve.
func (v *valve) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(socketBuffer) // with a larger one it only takes longer to fill
	}
	return &valvedConn{Conn: conn, valve: v, closed: make(chan struct{})}, nil
}

var _ sse.DialFunc = (*valve)(nil).Dial

// Shut stops the reading. A read under way may still take what is there.
func (v *valve) Shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = make(chan struct{})
}

// Open lets the reading go on.
func (v *valve) Open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.open:
	default:
		close(v.open)
	}
}

// Slow lets the reading go on with a pause after every few KiB.
func (v *valve) Slow(pause time.Duration) {
	v.mu.Lock()
	v.pace = pause
	v.mu.Unlock()
	v.Open()
}

func (v *valve) state() (open <-chan struct{}, pace time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open, v.pace
}

// valvedConn hides that it is a socket, so that all reading goes through Read.
type valvedConn struct {
	net.Conn

	valve  *valve
	once   sync.Once
	closed chan struct{}
}

func (c *valvedConn) Read(p []byte) (int, error) {
	open, pace := c.valve.state()
	select {
	case <-open:
	case <-c.closed:
		return 0, net.ErrClosed
	}
	if pace > 0 {
		pause := time.NewTimer(pace)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-c.closed:
			return 0, net.ErrClosed
		}
		p = p[:min(len(p), paced)]
	}
	return c.Conn.Read(p)
}

func (c *valvedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
