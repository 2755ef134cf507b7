package server

import (
	"context"
	"errors"
	"math"
	"net"
	"sync/atomic"
)

// fuse is a connection that is cut once so many more bytes were read from it, wherever in an event that is.
type fuse struct {
	net.Conn

	left atomic.Int64
}

var errCut = errors.New("the connection was cut by the harness")

// burn lets the connection live for so many bytes more.
func (f *fuse) burn(bytes int) { f.left.Store(int64(bytes)) }

// Read never returns a byte behind the cut.
func (f *fuse) Read(p []byte) (int, error) {
	left := f.left.Load()
	if left <= 0 {
		_ = f.Close() // it is meant to be broken
		return 0, errCut
	}
	n, err := f.Conn.Read(p[:min(int64(len(p)), left)])
	f.left.Add(-int64(n))
	return n, err
}

// dial connects as ever; the fuse does not burn yet.
func (f *fuse) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	f.Conn = conn
	f.left.Store(math.MaxInt64)
	return f, nil
}
