package broker

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tmaxmax/go-sse"
)

// Event is one published message.
type Event struct {
	Stream   string
	Type     string // empty for message
	Data     []byte
	ID       string // "<epoch>-<sequence>"
	Number   uint64 // dense per stream, from 1
	Sequence uint64 // dense per broker, from 1
}

// Published says where a message went.
type Published struct {
	ID     string `json:"id"`
	Number uint64 `json:"number"` // dense per stream, from 1
}

// event is a published message as all its receivers share it: encoded once, never changed.
type event struct {
	stream           *stream
	sequence, number uint64
	at               time.Duration // since the broker began
	chunk            []byte        // the event as one HTTP/1.1 chunk
	head             int           // length of the chunk's size line
	source           *Event        // kept for a Tamper alone
}

// bytes returns the event as it goes over a connection.
func (e *event) bytes(chunked bool) []byte {
	if chunked {
		return e.chunk
	}
	return e.chunk[e.head : len(e.chunk)-len(crlf)]
}

const crlf = "\r\n"

// chunkRoom holds the size line of any chunk: sixteen hexadecimal digits and a line break.
const chunkRoom = 16 + len(crlf)

// lineBreaks turns every line break of SSE into LF, so that appending one LF never merges with a trailing CR.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// newMessage prepares data for the wire. AppendData takes a trailing line break for the end of the last line and
// writes nothing for an empty string; the additional LF keeps both.
func newMessage(eventType string, data []byte) *sse.Message {
	var m sse.Message
	if eventType != "" {
		m.Type = sse.Type(eventType)
	}
	m.AppendData(lineBreaks.Replace(string(data)) + "\n")
	return &m
}

// encodeChunk writes m as one HTTP/1.1 chunk and returns it with the length of its size line.
func encodeChunk(m *sse.Message, sizeHint int) (chunk []byte, head int) {
	var room [chunkRoom]byte
	buf := bytes.NewBuffer(make([]byte, 0, chunkRoom+sizeHint+len(crlf)))
	buf.Write(room[:])
	_, _ = m.WriteTo(buf) // a bytes.Buffer never fails
	return frame(buf.Bytes())
}

// frame puts the size line in front of the text that begins at chunkRoom of b.
func frame(b []byte) (chunk []byte, head int) {
	line := strconv.AppendUint(make([]byte, 0, chunkRoom), uint64(len(b)-chunkRoom), 16)
	line = append(line, crlf...)
	copy(b[chunkRoom-len(line):], line)
	return append(b[chunkRoom-len(line):], crlf...), len(line)
}

// appendFramed appends text to b, as a chunk of its own when chunked.
func appendFramed(b, text []byte, chunked bool) []byte {
	if !chunked {
		return append(b, text...)
	}
	b = strconv.AppendUint(b, uint64(len(text)), 16)
	b = append(b, crlf...)
	b = append(b, text...)
	return append(b, crlf...)
}

var errNotText = errors.New("data is not valid UTF-8")

func checkData(data []byte, limit int) error {
	if len(data) > limit {
		return &TooLargeError{Bytes: len(data), Limit: limit}
	}
	if !utf8.Valid(data) {
		return errNotText
	}
	return nil
}

// TooLargeError reports a payload over Config.MaxEventBytes.
type TooLargeError struct{ Bytes, Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("data is %d bytes, want at most %d", e.Bytes, e.Limit)
}

const maxNameBytes = 256

func checkType(name string) error { return checkName("event type", name) }

func checkStream(name string) error {
	if name == "" {
		return errors.New("stream is empty")
	}
	return checkName("stream", name)
}

// checkName refuses what could create fields on the wire or ambiguity in a log.
func checkName(what, name string) error {
	switch {
	case len(name) > maxNameBytes:
		return fmt.Errorf("%s is %d bytes, want at most %d", what, len(name), maxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("%s %q is not valid UTF-8", what, name)
	case strings.ContainsAny(name, "\x00\r\n"):
		return fmt.Errorf("%s %q contains a line break or NUL", what, name)
	}
	return nil
}
