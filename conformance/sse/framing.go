package sse

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// framing finds a body's bytes among those of its connection. It keeps no buffer.
type framing struct {
	kind   uint8
	remain int64 // of a sized body
	chunks chunks
}

const (
	untilClose uint8 = iota
	sized
	chunked
)

// frame reads how the body is delimited (RFC 9112, 6.3).
func frame(r *Response) (framing, error) {
	if r.Status < 200 || r.Status == http.StatusNoContent || r.Status == http.StatusNotModified {
		return framing{kind: sized}, nil
	}
	if coding := strings.Join(r.Header.Values("Transfer-Encoding"), ","); coding != "" {
		if !strings.EqualFold(strings.TrimSpace(coding), "chunked") {
			return framing{}, malformed("transfer encoding, want chunked", []byte(coding))
		}
		return framing{kind: chunked}, nil
	}
	lengths := r.Header.Values("Content-Length")
	if len(lengths) == 0 {
		return framing{kind: untilClose}, nil
	}
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil || len(slices.Compact(slices.Clone(lengths))) != 1 {
		return framing{}, malformed("content length", []byte(strings.Join(lengths, ", ")))
	}
	return framing{kind: sized, remain: int64(n)}, nil
}

// next returns the body bytes at the start of p, which alias it, and what follows them. The body may be
// empty although more follows. io.EOF means that the body is complete.
func (f *framing) next(p []byte) (body, rest []byte, err error) {
	switch f.kind {
	case chunked:
		return f.chunks.next(p)
	case sized:
		if f.remain == 0 {
			return nil, nil, io.EOF
		}
		n := min(int64(len(p)), f.remain)
		f.remain -= n
		return p[:n], p[n:], nil
	}
	return p, nil, nil
}

// complete says that the body has ended, although no byte after it may have arrived.
func (f *framing) complete() bool {
	switch f.kind {
	case chunked:
		return f.chunks.state == chunkEnd
	case sized:
		return f.remain == 0
	}
	return false
}
