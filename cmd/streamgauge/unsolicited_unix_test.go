//go:build unix

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestWhatNetHTTPLogsIsNotShown: it tells of bytes that come on an idle connection, whoever's secrets they are.
func TestWhatNetHTTPLogsIsNotShown(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	b := new(babbler)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go b.serve(c)
		}
	}()
	p := prepared(t, "", "run", "short.yaml", "--quiet", "--target", "target.yaml")
	const secret = "a-token-that-nobody-may-see"
	target := "name: babbler\nsubscribe: {url: http://" + listener.Addr().String() + "/events}\n" +
		"publish: {url: http://" + listener.Addr().String() + "/publish, headers: {Authorization: Bearer " + secret + "}, body: '{{.Data}}'}\n"
	if err := os.WriteFile(filepath.Join(p.Dir, "target.yaml"), []byte(target), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = p.Run() // whatever it says of such a target
	if b.published.Load() < 2 {
		t.Errorf("hardly anything was published: %s", &p.stderr)
	}
	if said := p.stderr.String(); strings.Contains(said, "Unsolicited") || strings.Contains(said, secret) {
		t.Errorf("it said %.500s", said)
	}
}

// babbler delivers what is published, and goes on behind its answers with what it was sent.
type babbler struct {
	published atomic.Int32

	mu      sync.Mutex
	streams []net.Conn
}

func (b *babbler) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for in := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		data, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n:\n\n")
			b.streams = append(b.streams, c)
		} else {
			for _, s := range b.streams {
				_, _ = io.WriteString(s, "data: "+string(data)+"\n\n")
			}
			b.published.Add(1)
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\nleak "+r.Header.Get("Authorization")+"\r\n")
		}
		b.mu.Unlock()
	}
}
