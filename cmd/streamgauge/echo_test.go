package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// echo is a target that gives back all that it is sent, wherever it can: in errors, content types, header fields, the types, ids and data of
// events, in every encoding. What is published it delivers.
type echo struct {
	*httptest.Server

	mu      sync.Mutex
	heard   map[string]bool // values that came
	streams map[chan string]bool
	n       int
}

func startEcho(t *testing.T) *echo {
	e := &echo{heard: map[string]bool{}, streams: map[chan string]bool{}}
	e.Server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(func() { e.CloseClientConnections(); e.Close() })
	return e
}

// encodings are those in which a target may give back what it was sent.
var encodings = []func(string) string{
	func(s string) string { return s },
	url.QueryEscape, url.PathEscape, html.EscapeString,
	func(s string) string { text, _ := json.Marshal(s); return strings.Trim(string(text), `"`) },
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x:" + s)) },
	func(s string) string { return hex.EncodeToString([]byte(s)) },
	func(s string) string { return eachByte(`\u%04x`, s) },
	func(s string) string { return eachByte(`\%03o`, s) },
	func(s string) string { return eachByte("%02x ", s) },
	func(s string) string { return eachByte("=%02X", s) },
	func(s string) string { return fmt.Sprint([]byte(s)) },
	func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte("x:" + s))))
	},
	func(s string) string { // in ISO 8859-1
		return base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(s, "ä", "\xe4")))
	},
}

// eachByte is a text whose bytes are each written like that.
func eachByte(format, s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

// values are those of a request.
func (e *echo) values(r *http.Request, body []byte) (values []string) {
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "X-Plain", "Last-Event-Id"} {
		values = append(values, r.Header[name]...)
	}
	values = append(values, r.URL.RequestURI(), string(body))
	if _, password, ok := r.BasicAuth(); ok {
		values = append(values, password)
	}
	for _, words := range r.URL.Query() {
		values = append(values, words...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, v := range values {
		e.heard[v] = true
	}
	return values
}

func (e *echo) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	values := e.values(r, body)
	all := strings.Join(values, " ")
	plain := strings.NewReplacer("\r", " ", "\n", " ", `"`, "'").Replace(all)
	w.Header().Set("X-Echo", plain)
	w.Header().Set("Set-Cookie", "again="+plain)
	e.mu.Lock()
	e.n++
	n := e.n
	e.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/publish"):
		if n%5 == 0 {
			w.WriteHeader(http.StatusBadRequest)
		}
		e.deliver(published(body))
		_, _ = io.WriteString(w, echoed(values, n))
	case strings.HasSuffix(r.URL.Path, "/refused"):
		w.Header().Set("Content-Type", "text/plain; echo="+plain)
		w.WriteHeader([]int{http.StatusUnauthorized, http.StatusOK, http.StatusBadGateway}[n%3])
		_, _ = io.WriteString(w, echoed(values, n))
	case strings.HasSuffix(r.URL.Path, "/metrics"):
		fmt.Fprintf(w, "process_resident_memory_bytes %s\n", plain)
	default:
		w.Header().Set("Content-Type", "text/event-stream; echo=\""+plain+"\"")
		e.stream(w, r, values, plain)
	}
}

// echoed are values in an encoding of many, and at a place that moves over the edges of every excerpt.
func echoed(values []string, n int) string {
	encode := encodings[n%len(encodings)]
	var b strings.Builder
	b.WriteString(strings.Repeat("-", n*7%230))
	for _, v := range values {
		b.WriteString(" <" + encode(v) + ">")
	}
	return b.String()
}

// published is the data of a message, which is sent in a form or in JSON.
func published(body []byte) string {
	var object struct{ Data string }
	if json.Unmarshal(body, &object) == nil {
		return object.Data
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Has("data") {
		return form.Get("data")
	}
	return string(body)
}

func (e *echo) deliver(data string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.streams {
		select {
		case s <- data:
		default:
		}
	}
}

func (e *echo) stream(w http.ResponseWriter, r *http.Request, values []string, plain string) {
	events := make(chan string, 1000)
	e.mu.Lock()
	e.streams[events] = true
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.streams, events)
	}()
	flush := http.NewResponseController(w).Flush
	for n := range 3 * len(encodings) {
		text := strings.NewReplacer("\r", " ", "\n", " ").Replace(echoed(values, n))
		fmt.Fprintf(w, ": %s\nevent: e %s\nid: %d %s\ndata: %s\n\n", text, text, n, text, text)
		_, _ = fmt.Fprintf(w, "data: %s", plain[:len(plain)/2]) // in two pieces
		_ = flush()
		_, _ = fmt.Fprintf(w, "%s\n\n", plain[len(plain)/2:])
		_ = flush()
	}
	for n := 0; ; n++ {
		select {
		case data := <-events:
			if middle := len(data) / 2; n%3 == 1 { // for excerpts of what is changed to cut
				data = data[:middle] + strings.Repeat("-", n%12) + values[n%len(values)] + data[middle:]
			}
			fmt.Fprintf(w, "id: %d %s\ndata: %s\n\n", n, plain, strings.ReplaceAll(data, "\n", "\ndata: "))
			if flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
		if n == 40 {
			return // so that it comes back with a position
		}
	}
}
