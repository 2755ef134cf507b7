package broker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPayloadsArriveAsPublished holds the publish vectors of SSE-FORM-003 to SSE-FORM-008.
func TestPayloadsArriveAsPublished(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	e := get(t, url+"/events?stream=a")
	for data, want := range map[string]string{
		"a\nb": "a\nb", "a\rb": "a\nb", "a\r\nb": "a\nb",
		"x\n\nevent: admin\nid: 999\ndata: pwned\n\n": "x\n\nevent: admin\nid: 999\ndata: pwned\n\n",
		"x\rid: 999\rretry: 1":                        "x\nid: 999\nretry: 1",
		" lead":                                       " lead", "a\n  b": "a\n  b", "\tx": "\tx",
		"x\n": "x\n", "x\n\n": "x\n\n", "\n": "\n", "x\r": "x\n", "": "",
		"a\u2028b\u2029c\u0085d\x0be\x0cf": "a\u2028b\u2029c\u0085d\x0be\x0cf", "a\x00b": "a\x00b",
		`{"e":"` + "\U0001f3e9" + `"}`: `{"e":"` + "\U0001f3e9" + `"}`,
	} {
		id := publish(t, b, "a", data)[0]
		if diff := cmp.Diff(received{ID: id, Data: want, HasData: true}, e.next()); diff != "" {
			t.Errorf("published %q (-want +got):\n%s", data, diff)
		}
	}
}

func TestStreamOpensAtOnceWithRetryAndPosition(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	id := publish(t, b, "other", "x")[0]
	e := get(t, url+"/events?stream=a")
	got, err := e.block()
	if diff := cmp.Diff(received{Retry: "2000", ID: id}, got); diff != "" || err != nil {
		t.Errorf("opens with (-want +got):\n%s%v", diff, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no",
		"Sse-Resume": "fresh", "Content-Length": "",
	} {
		if got := e.response.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestHTTP10IsEndedByTheConnection(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /events?stream=a HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
	publish(t, b, "a", "x")
	go func() { _ = b.Drain(t.Context()) }()
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(text), "\r\n\r\n")
	if strings.Contains(head, "Transfer-Encoding") || !strings.Contains(body, "\ndata: x\n\n") {
		t.Errorf("head %q, body %q", head, body)
	}
	if !strings.HasPrefix(body, "retry: ") {
		t.Errorf("body %q is framed", body)
	}
}

func TestEveryEventIsOneChunk(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{Heartbeat: -1})
	c := stuck(t, url, "/events?stream=a")
	eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
	ids := publish(t, b, "a", "one", "two\nlines")
	want := fmt.Sprintf("\r\n%x\r\nid: %s\ndata: one\n\n\r\n", len(ids[0])+16, ids[0]) +
		fmt.Sprintf("%x\r\nid: %s\ndata: two\ndata: lines\n\n\r\n", len(ids[1])+28, ids[1])
	var got []byte
	for buf := make([]byte, 4096); !bytes.HasSuffix(got, []byte(want)); {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil || len(got) > 1000 {
			t.Fatalf("got %q, %v, want it to end with %q", got, err, want)
		}
	}
}

func TestVanishedClientIsNoticedWhileIdle(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*net.TCPConn) error{
		"FIN": (*net.TCPConn).Close,
		"RST": func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, url := newURL(t, Config{Heartbeat: -1})
			c := stuck(t, url, "/events?stream=a")
			eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
			if err := leave(c.(*net.TCPConn)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "gone", func() bool { return b.Stats().Ended["gone"] == 1 })
		})
	}
}

func FuzzPayloadSurvivesTheWire(f *testing.F) {
	for _, data := range []string{"", "\n", "\r", "a\r\nb", " x", "\ufeff", "data: x\n\n", "a\r\r\n\n"} {
		f.Add("t", data)
	}
	f.Fuzz(func(t *testing.T, eventType, data string) {
		if checkType(eventType) != nil || checkData([]byte(data), 1<<20) != nil {
			t.Skip()
		}
		text := EncodeEvent(Event{ID: "e-1", Type: eventType, Data: []byte(data)})
		stream := events{t: t, lines: bufio.NewReader(bytes.NewReader(text))}
		got, err := stream.block()
		want := received{ID: "e-1", Type: eventType, Data: lineBreaks.Replace(data), HasData: true}
		// The client of these tests trims one space, as all do, so a type that begins with one shows it was kept.
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%q came as %q: %v\n%s", data, text, err, diff)
		}
		if _, err := stream.block(); !errors.Is(err, io.EOF) {
			t.Fatalf("%q holds more than one event: %v", text, err)
		}
	})
}
