//go:build !linux

package fault

import (
	"context"
	"net"
	"syscall"
)

// Control is for a net.Dialer's ControlContext. Here it changes nothing: a slow line's buffers shrink once connected.
func Control(context.Context, string, string, syscall.RawConn) error { return nil }

func narrow(conn net.Conn, size int) {
	if socket, ok := conn.(interface{ SetReadBuffer(bytes int) error }); ok {
		_ = socket.SetReadBuffer(size)
	}
}

func widen(conn net.Conn) { narrow(conn, 128<<10) }

func unread(net.Conn) int { return -1 }

func discard(net.Conn) {}
