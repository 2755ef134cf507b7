package fault

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// slowSegment is the largest segment that a slow line offers: the least that a network must carry. A sender lets its own buffer grow
// with the segments that it may have on their way, to megabytes for those of loopback.
const slowSegment = 536

// Control is for a net.Dialer's ControlContext: on a slow line it makes the receive buffer and the segments small before they are offered.
func Control(ctx context.Context, _, _ string, raw syscall.RawConn) error {
	if size, ok := ctx.Value(receiveBuffer{}).(int); ok {
		return raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, slowSegment)
		})
	}
	return nil
}

// narrow makes a live socket's receive buffer small. The window that it offered before stays offered.
func narrow(conn net.Conn, size int) {
	control(conn, func(fd int) {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
	})
}

// widen gives the receive buffer back to the kernel's own tuning, and lifts the bound that a small buffer put on the window of a
// connection made with it.
func widen(conn net.Conn) {
	const usual = 128 << 10
	control(conn, func(fd int) {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, usual)
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BUF_LOCK, 0)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_WINDOW_CLAMP, 1<<30)
	})
}

// unread is how many bytes the kernel holds for a socket's reader; −1: that cannot be seen.
func unread(conn net.Conn) int {
	n := -1
	control(conn, func(fd int) {
		if held, err := unix.IoctlGetInt(fd, unix.SIOCINQ); err == nil {
			n = held
		}
	})
	return n
}

// discard reads away what has arrived, without waiting for more.
func discard(conn net.Conn) {
	const most = 64 // pieces: a target that never stops must not keep us
	control(conn, func(fd int) {
		var piece [16 << 10]byte
		for range most {
			if n, err := unix.Read(fd, piece[:]); n <= 0 || err != nil {
				return
			}
		}
	})
}

func control(conn net.Conn, f func(fd int)) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}
