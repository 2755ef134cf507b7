package sse

import (
	"bytes"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// Response is the head of a response, and how long it took to get it.
type Response struct {
	Proto  string // "HTTP/1.1"
	Status int
	Header http.Header
	Timing Timing
}

// Timing tells where the time of opening a stream went.
type Timing struct {
	Start time.Time     // when the dial began
	Dial  time.Duration // until the connection stood; 0 when an HTTP/2 connection was shared
	TLS   time.Duration // the handshake; 0 without TLS
	Head  time.Duration // from writing the request to the end of the response's head
}

// EventStream says that the content type's essence is text/event-stream.
func (r *Response) EventStream() bool {
	essence, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.Trim(essence, " \t"), "text/event-stream")
}

// encoding is the content coding of the body, "" when it is sent as it is.
func (r *Response) encoding() string {
	coding := strings.Trim(strings.Join(r.Header.Values("Content-Encoding"), ", "), " \t,")
	if strings.EqualFold(coding, "identity") {
		return ""
	}
	return coding
}

// parseHead reads a response's status line and header fields (RFC 9112, 4 and 5). The head ends
// before its blank line. Lines may end in a bare LF, as section 2.2 allows a recipient to accept.
func parseHead(head []byte) (*Response, error) {
	// One copy and one list serve all fields: ten thousand heads that come at once leave less garbage behind.
	first, rest, _ := strings.Cut(string(head), "\n")
	values := make([]string, 0, strings.Count(rest, "\n"))
	r, err := parseStatusLine(strings.TrimSuffix(first, "\r"))
	if err != nil {
		return nil, err
	}
	r.Header = make(http.Header)
	last := ""
	for len(rest) > 0 {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		if folded := line[0] == ' ' || line[0] == '\t'; folded && last != "" {
			values := r.Header[last]
			values[len(values)-1] += " " + strings.Trim(line, " \t")
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return nil, malformed("header line", []byte(line))
		}
		last = textproto.CanonicalMIMEHeaderKey(name)
		value = strings.Trim(value, " \t")
		if earlier := r.Header[last]; len(earlier) > 0 {
			r.Header[last] = append(earlier, value)
			continue
		}
		values = append(values, value)
		r.Header[last] = values[len(values)-1 : len(values) : len(values)]
	}
	return r, nil
}

func parseStatusLine(line string) (*Response, error) {
	proto, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || status < 100 || (proto != "HTTP/1.1" && proto != "HTTP/1.0") {
		return nil, malformed("status line", []byte(line))
	}
	return &Response{Proto: proto, Status: status}, nil
}

func isToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return len(name) > 0
}

// MalformedError says that the peer's bytes are not HTTP.
type MalformedError struct {
	What   string // "status line", "header line", "chunk size", …
	Offset int64  // where in the body, for chunks; else 0
	Bytes  []byte // at most the first 64 of the offending ones
}

func (e *MalformedError) Error() string {
	if e.Offset > 0 {
		return fmt.Sprintf("malformed %s at byte %d of the body: %q", e.What, e.Offset, e.Bytes)
	}
	return fmt.Sprintf("malformed %s: %q", e.What, e.Bytes)
}

func malformed(what string, p []byte) error {
	return &MalformedError{What: what, Bytes: bytes.Clone(p[:min(len(p), 64)])}
}
