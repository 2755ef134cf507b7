package broker

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// responseConn is a stream inside net/http: HTTP/2, TLS, or a server whose connections cannot be taken over.
type responseConn struct {
	response   http.ResponseWriter
	controller *http.ResponseController
	wake       chan func()

	mu       sync.Mutex
	returned bool // the response must not be touched any more
	clean    bool
	done     chan struct{}
}

func newResponseConn(w http.ResponseWriter) *responseConn {
	return &responseConn{
		response: w, controller: http.NewResponseController(w),
		wake: make(chan func(), 1), done: make(chan struct{}),
	}
}

func (c *responseConn) try([]byte) (int, error) { return 0, nil }

func (c *responseConn) write(p []byte, timeout time.Duration) error {
	return writePieces(p, func(piece []byte) error {
		if err := c.setDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		if _, err := c.response.Write(piece); err != nil {
			return err
		}
		if err := c.controller.Flush(); err != nil {
			return err
		}
		return c.setDeadline(time.Time{}) // HTTP/2 resets a stream at its deadline even when nothing is being written
	})
}

// setDeadline sets the write deadline, unless the stream was closed meanwhile.
func (c *responseConn) setDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed() {
		return net.ErrClosed
	}
	err := c.controller.SetWriteDeadline(at)
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

func (c *responseConn) closed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *responseConn) start(pump func()) { c.wake <- pump }

func (c *responseConn) chunked() bool { return false }

func (c *responseConn) ending(farewell []byte) []byte { return append([]byte{}, farewell...) }

func (c *responseConn) close(clean bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed() {
		return
	}
	c.clean = clean
	close(c.done)
	if !c.returned && !clean {
		_ = c.controller.SetWriteDeadline(time.Unix(1, 0))
	}
}

// serve runs the stream on the handler's goroutine and returns when it has ended.
func (c *responseConn) serve(ctx context.Context, s *subscriber) {
	for {
		select {
		case pump := <-c.wake:
			pump()
			continue
		case <-ctx.Done():
			s.end(endGone)
		case <-c.done:
		}
		break
	}
	c.leave()
}

// leave ends the use of the response. A stream that did not end cleanly must not look as if it had.
func (c *responseConn) leave() {
	c.mu.Lock()
	c.returned = true
	clean := c.clean
	c.mu.Unlock()
	if !clean {
		panic(http.ErrAbortHandler)
	}
}
