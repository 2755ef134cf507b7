package broker

import (
	"net"
	"syscall"
)

// trier writes to a file descriptor without blocking. It keeps its arguments and results in itself, because the function
// it hands to the runtime would otherwise allocate them for each event.
type trier struct {
	raw  syscall.RawConn // nil where the connection has no descriptor
	call func(fd uintptr) bool
	p    []byte
	n    int
	err  error
}

func (t *trier) open(c net.Conn) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := sc.SyscallConn(); err == nil {
		t.raw, t.call = raw, t.once
	}
}

func (t *trier) try(p []byte) (int, error) {
	if t.raw == nil {
		return 0, nil
	}
	t.p, t.n, t.err = p, 0, nil
	err := t.raw.Write(t.call)
	t.p = nil
	if err == nil {
		err = t.err
	}
	return t.n, err
}

// once always reports done: false would wait until the peer is ready.
func (t *trier) once(fd uintptr) bool {
	t.n, t.err = writeOnce(fd, t.p)
	return true
}
