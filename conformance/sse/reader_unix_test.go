//go:build unix

package sse

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// neverDry is a socket that never runs dry.
type neverDry struct{ *os.File }

func (neverDry) LocalAddr() net.Addr             { return nil }
func (neverDry) RemoteAddr() net.Addr            { return nil }
func (neverDry) SetReadDeadline(time.Time) error { return nil }

func TestAStreamThatNeverRunsDryIsLeft(t *testing.T) {
	t.Parallel()
	zeros, err := os.Open("/dev/zero")
	if err != nil {
		t.Skip(err)
	}
	s := &Stream{conn: neverDry{zeros}, response: new(Response)}
	errStill, came := errors.New("still read"), 0
	err = s.Body(func(p []byte) error {
		if came == 0 {
			_ = s.Close()
		}
		if came += len(p); came > 64*share {
			return errStill
		}
		return nil
	})
	if errors.Is(err, errStill) || came > share+bufferSize {
		t.Errorf("it ended with %v after %d bytes, want that it was closed, after at most %d", err, came, share+bufferSize)
	}
}
