// Package flood is servers that flood: what they send never ends and never pauses, so that whoever reads has to stop by itself. They
// deliver what is published on the way, so that they pass for servers of event streams.
package flood

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Kind is one way to flood.
type Kind struct {
	Name string
	// Piece is what is sent again and again: number is how often it was before.
	Piece func(number int) []byte
	// Begin is sent before the first piece, and nothing but pieces behind it.
	Begin string
	Frame func(p []byte) []byte // nil: as net/http frames a body
	Head  string                // of the first frame, where Frame is given
}

// Kinds are all ways.
var Kinds = []Kind{
	{Name: "comments", Piece: again(strings.Repeat(":\n", piece/2))},
	{Name: "carriage-returns", Piece: again(strings.Repeat("\r", piece))},
	{Name: "empty-lines", Piece: again(strings.Repeat("\n", piece))},
	{Name: "one-byte-chunks", Piece: again(strings.Repeat(":\n", piece/16)), Frame: byteByByte},
	{Name: "one-chunk", Piece: again(strings.Repeat(":\n", piece/2)), Frame: asItIs, Head: "7fffffffffffffff\r\n"},
	{Name: "events", Piece: events},
	{Name: "foreign-events", Piece: again(strings.Repeat("event: a\ndata: b\n\n", piece/16))},
	{Name: "endless-line", Begin: "data: ", Piece: again(strings.Repeat("x", piece))},
	{Name: "endless-event", Begin: "data: x\n", Piece: again(strings.Repeat("data: x\n", piece/8))},
	{Name: "large-ids", Piece: again("id: " + strings.Repeat("i", 10<<20) + "\ndata: x\n\n")},
	{Name: "retries", Piece: again("retry: " + strings.Repeat("9", piece) + "\n\n")},
}

const piece = 32 << 10

func again(text string) func(int) []byte {
	p := []byte(text)
	return func(int) []byte { return p }
}

func events(number int) []byte {
	var p []byte
	for i := range 1000 {
		p = append(p, "id: "...)
		p = strconv.AppendInt(p, int64(number*1000+i), 10)
		p = append(p, "\ndata: x\n\n"...)
	}
	return p
}

func byteByByte(p []byte) []byte {
	framed := make([]byte, 0, 6*len(p))
	for _, b := range p {
		framed = append(framed, '1', '\r', '\n', b, '\r', '\n')
	}
	return framed
}

func asItIs(p []byte) []byte { return p }

// Handler floods every subscriber: GET /?s=STREAM is a subscription, POST /?s=STREAM publishes its body.
func (k Kind) Handler() http.Handler {
	return &server{kind: k, streams: map[string]map[chan []byte]bool{}}
}

type server struct {
	kind Kind

	mu      sync.Mutex
	streams map[string]map[chan []byte]bool
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	stream := r.URL.Query().Get("s")
	if r.Method == http.MethodPost {
		data, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.publish(stream, data)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	messages := make(chan []byte, 1000)
	s.join(stream, messages)
	defer s.leave(stream, messages)
	write, end, err := s.kind.answer(w)
	if err != nil {
		return
	}
	defer end()
	s.kind.carryOut(write, messages, r.Context().Done())
}

// answer sends the head and returns how to write to the body.
func (k Kind) answer(w http.ResponseWriter) (write func([]byte) error, end func(), err error) {
	if k.Frame == nil {
		w.Header().Set("Content-Type", "text/event-stream")
		out := http.NewResponseController(w)
		return func(p []byte) error {
			_, err := w.Write(p)
			if err == nil {
				err = out.Flush()
			}
			return err
		}, func() {}, out.Flush()
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	_, err = conn.Write([]byte(head + k.Head))
	return func(p []byte) error {
		_, err := conn.Write(k.Frame(p))
		return err
	}, func() { _ = conn.Close() }, err
}

// carryOut floods until the subscriber has left. What never ends begins behind the first message.
func (k Kind) carryOut(write func([]byte) error, messages <-chan []byte, left <-chan struct{}) {
	if k.Begin != "" {
		select {
		case data := <-messages:
			if write(append(event(data), k.Begin...)) != nil {
				return
			}
			messages = nil
		case <-left:
			return
		}
	}
	for number := 0; ; number++ {
		p := k.Piece(number)
		select {
		case data := <-messages:
			p = append(event(data), p...)
		case <-left:
			return
		default:
		}
		if write(p) != nil {
			return
		}
	}
}

func event(data []byte) []byte {
	return append(append([]byte("data: "), bytes.ReplaceAll(data, []byte("\n"), []byte("\ndata: "))...), "\n\n"...)
}

func (s *server) join(stream string, messages chan []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[stream] == nil {
		s.streams[stream] = map[chan []byte]bool{}
	}
	s.streams[stream][messages] = true
}

func (s *server) leave(stream string, messages chan []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams[stream], messages)
}

func (s *server) publish(stream string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for messages := range s.streams[stream] {
		select {
		case messages <- data:
		default: // nobody promised to deliver
		}
	}
}
