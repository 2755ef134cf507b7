package broker

import (
	"errors"
	"os"
	"time"
)

// conn is the way to one client. try, write and start are never called at the same time, close at any time.
type conn interface {
	// try writes what the peer takes without blocking, perhaps nothing.
	try(p []byte) (n int, err error)
	// write blocks until p is written, each piece of it within timeout.
	write(p []byte, timeout time.Duration) error
	// start runs pump where it may block.
	start(pump func())
	// chunked reports whether events are written as HTTP/1.1 chunks.
	chunked() bool
	// ending returns the last bytes of a stream, farewell included, not nil.
	ending(farewell []byte) []byte
	// close ends the connection, cleanly if all of a stream was written, and releases a blocked write.
	close(clean bool)
}

// pieceBytes is how much must be written within one write deadline.
const pieceBytes = 16 << 10

func writePieces(p []byte, write func([]byte) error) error {
	for len(p) > 0 {
		piece := p[:min(len(p), pieceBytes)]
		if err := write(piece); err != nil {
			return err
		}
		p = p[len(piece):]
	}
	return nil
}

func reasonOf(err error) endReason {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return endStuck
	}
	return endGone
}
