package server

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// readable says whether the harness can read a body in a content coding (RFC 9110, 8.4.1).
func readable(coding string) bool {
	switch strings.ToLower(coding) {
	case "", "identity", "gzip", "x-gzip", "deflate":
		return true
	}
	return false
}

// coded says whether a content coding changes the body at all.
func coded(coding string) bool { return coding != "" && !strings.EqualFold(coding, "identity") }

// mostInflated bounds what a small compressed body may become.
const mostInflated = 8 << 20

// inflate is as much as can be decoded so far, also of what was flushed in an unusual way.
func inflate(coding string, body []byte) []byte {
	reader, err := sse.Decoding(coding, bytes.NewReader(body))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(reader, mostInflated)) // it is always cut off
	return text
}

// decoding hands on what a body in a content coding holds, as soon as it can be read.
type decoding struct {
	in   *io.PipeWriter
	done chan struct{}
	err  error // why it ended; valid once done
}

// decode starts a decoding whose output goes to take. Write to it, and close it.
func decode(coding string, take func(p []byte) error) *decoding {
	from, in := io.Pipe()
	d := &decoding{in: in, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		defer crash.Catch()
		d.err = drain(coding, from, take)
		from.CloseWithError(d.err)
	}()
	return d
}

func drain(coding string, from io.Reader, take func(p []byte) error) error {
	reader, err := sse.Decoding(coding, from)
	if err != nil {
		return fmt.Errorf("the body is not in the content coding %s that its head names: %w", coding, err)
	}
	p := make([]byte, 16<<10)
	for {
		n, err := reader.Read(p)
		if n > 0 {
			if err := take(p[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// end waits until all that was written has been handed on, and says why it ended when that was before the body did.
func (d *decoding) end() error {
	_ = d.in.Close() // never fails
	<-d.done
	return d.err
}
