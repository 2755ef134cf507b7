package broker

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// A keep-alive probe that the kernel drops must not end a connection on which nothing else has to be acknowledged.
func TestOnlyAConnectionWithHeartbeatsEndsUnacknowledged(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for _, heartbeat := range []time.Duration{-1, time.Second} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		tcp := conn.(*net.TCPConn)
		tune(tcp, &Config{Heartbeat: heartbeat, WriteTimeout: time.Second})
		raw, err := tcp.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var limit int
		if err := raw.Control(func(fd uintptr) { limit, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout) }); err != nil {
			t.Fatal(err)
		}
		if limited := limit > 0; limited != (heartbeat > 0) {
			t.Errorf("with a heartbeat of %v the limit is %d ms", heartbeat, limit)
		}
		_ = conn.Close()
	}
}
