package fault

import (
	"net"
	"syscall"
	"testing"
)

func TestAConnectionMadeOnASlowLineBecomesFastAgain(t *testing.T) {
	t.Parallel()
	var l Line
	slowFault.Begin(&l, Params{Step: 1, Read: 1})
	conn, _ := socketPair(t, &l)
	small := option(t, conn.inner, syscall.SOL_SOCKET, syscall.SO_RCVBUF)
	slowFault.End(&l, Params{Step: 1})
	if usual := option(t, conn.inner, syscall.SOL_SOCKET, syscall.SO_RCVBUF); usual < 8*small {
		t.Errorf("the receive buffer is %d bytes after the fault, %d during it", usual, small)
	}
	if clamp := option(t, conn.inner, syscall.IPPROTO_TCP, syscall.TCP_WINDOW_CLAMP); clamp < 8*small {
		t.Errorf("the window is at most %d bytes after the fault, with a buffer of %d during it", clamp, small)
	}
}

func TestCloseWithUnreadDataDoesNotResetTheTarget(t *testing.T) {
	t.Parallel()
	var l Line
	_, peer := socketPair(t, &l)
	send(t, peer, "unread")
	closeFault.Begin(&l, Params{})
	if errno := option(t, peer, syscall.SOL_SOCKET, syscall.SO_ERROR); errno != 0 {
		t.Errorf("the target's socket has failed: %v", syscall.Errno(errno))
	}
}

func option(t *testing.T, conn net.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	failed := raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, name) })
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	return value
}
