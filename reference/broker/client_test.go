package broker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

func newBroker(t testing.TB, config Config) *Broker {
	t.Helper()
	b, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func newServer(t testing.TB, b *Broker) *Server {
	t.Helper()
	s, err := Start(b, ServerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newURL(t testing.TB, config Config) (*Broker, string) {
	t.Helper()
	b := newBroker(t, config)
	return b, newServer(t, b).URL()
}

// received is one block of a stream, whatever it holds.
type received struct {
	Type, ID, Data, Comment, Retry string
	HasData                        bool
}

// events is the client's end of a stream.
type events struct {
	t        testing.TB
	response *http.Response
	lines    *bufio.Reader
	cancel   context.CancelFunc
}

var errPatience = errors.New("patience ended")

// get opens a stream and skips its opening block, which must be there.
func get(t testing.TB, url string, header ...string) *events {
	t.Helper()
	e := open(t, url, header...)
	if e.response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, e.response.Status)
	}
	return e
}

func open(t testing.TB, url string, header ...string) *events {
	t.Helper()
	return openWith(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, url, header...)
}

func openWith(t testing.TB, client *http.Client, url string, header ...string) *events {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, errPatience)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	e := &events{t: t, response: response, lines: bufio.NewReader(response.Body), cancel: cancel}
	t.Cleanup(e.close)
	return e
}

func (e *events) close() {
	e.cancel()
	_ = e.response.Body.Close()
}

// block returns the next block, or the error that ended the stream.
func (e *events) block() (received, error) {
	var r received
	var data []string
	for {
		line, err := e.lines.ReadString('\n')
		if err != nil {
			if line != "" || r != (received{}) {
				return r, fmt.Errorf("stream ended inside a block at %q %+v: %w", line, r, err)
			}
			return r, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n":
			r.Data = strings.Join(data, "\n")
			return r, nil
		case field == "":
			r.Comment = value
		case field == "data":
			data, r.HasData = append(data, value), true
		case field == "id":
			r.ID = value
		case field == "event":
			r.Type = value
		case field == "retry":
			r.Retry = value
		default:
			return r, fmt.Errorf("unknown field in %q", line)
		}
	}
}

// next returns the next event and fails the test when there is none.
func (e *events) next() received {
	e.t.Helper()
	for {
		r, err := e.block()
		if err != nil {
			e.t.Fatalf("waiting for an event: %v", err)
		}
		if r.HasData {
			return r
		}
	}
}

// rest returns the blocks up to the end of the stream, and how it ended.
func (e *events) rest() (blocks []received, err error) {
	for {
		r, err := e.block()
		if err != nil {
			return blocks, err
		}
		blocks = append(blocks, r)
	}
}

func (e *events) expect(data ...string) (last received) {
	e.t.Helper()
	for i, want := range data {
		last = e.next()
		if last.Data != want {
			e.t.Fatalf("event %d of %d is %+v, want data %q", i+1, len(data), last, want)
		}
	}
	return last
}

func (e *events) expectResume(want Resume) {
	e.t.Helper()
	if got := e.response.Header.Get("Sse-Resume"); got != string(want) {
		e.t.Fatalf("Sse-Resume is %q, want %q", got, want)
	}
}

func publish(t testing.TB, b *Broker, stream string, data ...string) (ids []string) {
	t.Helper()
	for _, d := range data {
		p, err := b.Publish(stream, "", []byte(d))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	return ids
}

// do sends one request and returns the answer with its body read.
func do(t testing.TB, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

func dataOf(t testing.TB, r received) (g gap) {
	t.Helper()
	if r.Type != "gap" || r.ID != "" {
		t.Fatalf("%+v is not a gap event without id", r)
	}
	if err := json.Unmarshal([]byte(r.Data), &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// stuck opens a stream and never reads from it.
func stuck(t testing.TB, url, target string) net.Conn {
	t.Helper()
	dialer := net.Dialer{Timeout: patience}
	c, err := dialer.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := errors.Join(c.SetDeadline(time.Now().Add(patience)), c.(*net.TCPConn).SetReadBuffer(32<<10)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target); err != nil {
		t.Fatal(err)
	}
	return c
}
