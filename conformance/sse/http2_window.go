package sse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
)

// windowGuard is a connection that ends before a peer's WINDOW_UPDATE makes the window of a stream larger than HTTP/2 has it. The standard
// library's stack waits for its own lock when it comes to that (Go 1.26, processWindowUpdate), and with it everything on the connection, for
// ever and whatever the deadline. RFC 9113, 6.9.1 leaves open whether the stream or the connection has to end.
type windowGuard struct {
	net.Conn

	in      *bufio.Reader
	frame   []byte            // what was read ahead and not handed on
	payload int               // bytes of the frame that follow, of no interest here
	initial uint32            // largest window that the peer gave to new streams
	given   map[uint32]uint32 // and what it added to that, by stream
}

// guardedStreams bounds for how many streams of a connection the peer may add to a window, which it does for requests with a body.
const guardedStreams = 1 << 16

var errWindow = errors.New("the peer makes the window of a stream larger than 2^31-1 bytes")

func guardWindows(conn net.Conn) *windowGuard {
	return &windowGuard{Conn: conn, in: bufio.NewReaderSize(conn, largerBuffer), initial: 1<<16 - 1, given: map[uint32]uint32{}}
}

func (g *windowGuard) Read(p []byte) (int, error) {
	if len(g.frame) == 0 && g.payload == 0 {
		if err := g.next(); err != nil && len(g.frame) == 0 {
			return 0, err
		}
	}
	if len(g.frame) > 0 {
		n := copy(p, g.frame)
		g.frame = g.frame[n:]
		return n, nil
	}
	n, err := g.in.Read(p[:min(len(p), g.payload)])
	g.payload -= n
	return n, err
}

// next reads the head of a frame (RFC 9113, 4.1), and the whole of one that concerns windows.
func (g *windowGuard) next() error {
	const (
		head, most             = 9, 16 << 10 // a larger frame is refused behind this
		settings, windowUpdate = 4, 8
	)
	frame := make([]byte, head, head+4)
	n, err := io.ReadFull(g.in, frame)
	if g.frame = frame[:n]; err != nil {
		return err // of what was cut off, the stack tells
	}
	g.payload = int(binary.BigEndian.Uint32(frame) >> 8)
	kind, stream := frame[3], binary.BigEndian.Uint32(frame[5:])&math.MaxInt32
	if kind != settings && kind != windowUpdate || g.payload > most {
		return nil
	}
	frame = append(frame, make([]byte, g.payload)...)
	n, err = io.ReadFull(g.in, frame[head:])
	g.frame, g.payload = frame[:head+n], 0
	switch {
	case err != nil:
		return err
	case kind == settings:
		g.setInitial(frame[head:])
	case n == 4 && stream != 0 && !g.allows(stream, binary.BigEndian.Uint32(frame[head:])&math.MaxInt32):
		g.frame = nil
		return errWindow
	}
	return nil
}

func (g *windowGuard) setInitial(settings []byte) {
	const initialWindowSize = 4
	for ; len(settings) >= 6; settings = settings[6:] {
		if binary.BigEndian.Uint16(settings) == initialWindowSize {
			g.initial = max(g.initial, binary.BigEndian.Uint32(settings[2:]))
		}
	}
}

func (g *windowGuard) allows(stream, more uint32) bool {
	given, known := g.given[stream]
	if !known && len(g.given) == guardedStreams || uint64(g.initial)+uint64(given)+uint64(more) > math.MaxInt32 {
		return false
	}
	g.given[stream] = given + more
	return true
}
