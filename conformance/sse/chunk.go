package sse

import (
	"errors"
	"io"
	"math"
)

// chunks decodes the chunked transfer coding (RFC 9112, 7.1) byte by byte, so that chunk boundaries may
// fall anywhere in relation to reads. It is strict: CRLF ends every line, nothing but digits makes a size.
type chunks struct {
	remain int64  // of the chunk's data
	offset int64  // bytes consumed, for error messages
	line   uint16 // length of the current size, extension or trailer line
	state  chunkState
}

type chunkState uint8

const (
	chunkSize        chunkState = iota // at least one digit is needed
	chunkSizeMore                      // further digits, an extension or the line's end
	chunkExtension                     // skipped up to the line's end
	chunkSizeLF                        // after the CR of a size line
	chunkData                          //
	chunkDataCR                        // the CRLF behind the data
	chunkDataLF                        //
	chunkTrailer                       // start of a trailer line, or of the last CRLF
	chunkTrailerMore                   // inside a trailer line
	chunkTrailerLF                     // after the CR of a trailer line
	chunkLastLF                        // after the CR that ends the body
	chunkEnd
)

// maxChunkLine bounds a size line with its extensions, and the trailer section as a whole.
const maxChunkLine = 4 << 10

// next returns the next piece of data in p and what follows it; io.EOF once the last chunk and its
// trailer were read.
func (c *chunks) next(p []byte) (body, rest []byte, err error) {
	for i := 0; ; {
		if c.state == chunkEnd {
			return nil, p[i:], io.EOF
		}
		if i == len(p) {
			return nil, nil, nil
		}
		if c.state == chunkData {
			n := int(min(int64(len(p)-i), c.remain))
			c.remain -= int64(n)
			c.offset += int64(n)
			if c.remain == 0 {
				c.state = chunkDataCR
			}
			return p[i : i+n], p[i+n:], nil
		}
		if what := c.step(p[i]); what != "" {
			var m *MalformedError
			err := malformed(what, p[i:])
			if errors.As(err, &m) {
				m.Offset = c.offset
			}
			return nil, nil, err
		}
		c.offset++
		i++
	}
}

// step takes one byte outside of the data. It returns what is malformed, or "".
func (c *chunks) step(b byte) (wrong string) {
	c.line++
	if c.line > maxChunkLine {
		return "chunk line, longer than 4 KiB"
	}
	switch c.state {
	case chunkSize, chunkSizeMore:
		return c.size(b)
	case chunkExtension:
		if b == '\r' {
			c.state = chunkSizeLF
		} else if b == '\n' {
			return "chunk extension"
		}
	case chunkSizeLF:
		next := chunkData
		if c.remain == 0 {
			next = chunkTrailer
		}
		return c.expect(b, '\n', next, "chunk size")
	case chunkDataCR:
		return c.expect(b, '\r', chunkDataLF, "end of chunk")
	case chunkDataLF:
		return c.expect(b, '\n', chunkSize, "end of chunk")
	case chunkTrailer, chunkTrailerMore:
		return c.trailer(b)
	case chunkTrailerLF:
		return c.expect(b, '\n', chunkTrailer, "trailer")
	case chunkLastLF:
		return c.expect(b, '\n', chunkEnd, "end of the last chunk")
	}
	return ""
}

func (c *chunks) size(b byte) (wrong string) {
	digit, ok := hexDigit(b)
	switch {
	case ok:
		if c.remain > math.MaxInt64>>4 {
			return "chunk size, too large"
		}
		c.remain = c.remain<<4 | digit
		c.state = chunkSizeMore
	case c.state == chunkSize:
		return "chunk size"
	case b == '\r':
		c.state = chunkSizeLF
	case b == ';' || b == ' ' || b == '\t':
		c.state = chunkExtension
	default:
		return "chunk size"
	}
	return ""
}

func (c *chunks) trailer(b byte) (wrong string) {
	switch {
	case b == '\n':
		return "trailer"
	case b != '\r':
		c.state = chunkTrailerMore
	case c.state == chunkTrailer:
		c.state = chunkLastLF
	default:
		c.state = chunkTrailerLF
	}
	return ""
}

func (c *chunks) expect(b, want byte, next chunkState, what string) (wrong string) {
	if b != want {
		return what
	}
	c.state = next
	if next == chunkSize || next == chunkData {
		c.line = 0
	}
	return ""
}

func hexDigit(b byte) (int64, bool) {
	switch {
	case b >= '0' && b <= '9':
		return int64(b - '0'), true
	case b >= 'a' && b <= 'f':
		return int64(b-'a') + 10, true
	case b >= 'A' && b <= 'F':
		return int64(b-'A') + 10, true
	}
	return 0, false
}
