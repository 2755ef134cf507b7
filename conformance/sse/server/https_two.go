package server

import (
	"crypto/tls"
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "HTTP/2 responses carry no Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding or Upgrade header."
func http2HasNoConnectionFields(t *Trial) {
	p := t.Subscribe([]string{t.Stream()}, overHTTP2(t, new(sse.HTTP2))...)
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"} {
		if value := p.Header(name); value != "" {
			t.Deviation("no field that is about one connection", name+": "+value, p.Head())
		}
	}
	t.Conclude("no field that is about one connection")
}

// "HTTP/2 (or 3) is offered so that browsers are not limited to six connections per origin."
func http2IsOffered(t *Trial) {
	shared := new(sse.HTTP2)
	options := overHTTP2(t, shared)
	wanted := int(t.Number("streams"))
	for range wanted {
		t.Subscribe([]string{t.Stream()}, options...)
	}
	t.Count(wanted)
	if n := shared.Connections(); n > 1 {
		t.Fail(fmt.Sprintf("%s on one connection", conformance.Plural(wanted, "stream")), fmt.Sprintf("they took %s", conformance.Plural(n, "connection")))
	}
	t.Pass(fmt.Sprintf("%s on one connection", conformance.Plural(wanted, "stream")))
}

// "On one h2 connection a stream that is not read (window exhausted) does not stall other streams."
func unreadStreamStallsNoOther(t *Trial) {
	options := overHTTP2(t, new(sse.HTTP2))
	stuck := t.Subscribe([]string{t.Stream()}, append(options, Unread())...)
	other := t.follow([]string{t.Stream()}, options...) // a stream that ends, as for its age, is not one that stalls
	if !other.goesOn() {
		silent(t, other.tap())
	}
	v := t.volume(stuck.Streams[0], 64*kib)
	v.send(100) // the window of a stream is 4 MiB, as the library behind it asks for, and a coding may make less of them
	const events = 5
	for range events {
		if other.goesOn() {
			continue
		}
		if other.refused != "" {
			t.Unknown("the stream beside it ended, and could not be opened again: %s", other.refused)
		}
		t.Late(t.arrival, "every event of a stream that is read",
			fmt.Sprintf("an event did not come within %v while another stream of the same connection was not read", t.arrival), other.tap().Evidence())
	}
	t.Count(events)
	t.Pass("the stream beside it got every event")
}

// overHTTP2 are the options for HTTP/2 where the subject offers it over TLS; the case is skipped where there is no TLS.
func overHTTP2(t *Trial, shared *sse.HTTP2) []Option {
	options := []Option{OverHTTP2(shared)}
	if t.Subject.Secure != "" {
		options = append(options, At(t.Subject.Secure))
	}
	t.Cleanup(func() { _ = shared.Close() }) // its streams have ended
	req := t.Request([]string{t.Stream()}, options...)
	if req.URL.Scheme != "https" {
		t.Skip("the target is reached without TLS, where browsers do not speak HTTP/2")
	}
	if protocol := negotiated(t, req); protocol != "h2" {
		if t.Requirement.ID == "SSE-HTTPS-023" {
			t.Fail("HTTP/2 in the TLS handshake", fmt.Sprintf("%q: a browser opens at most six streams", protocol))
		}
		t.Skip("the target does not offer HTTP/2")
	}
	return options
}

// negotiated is the protocol that the peer chooses in the TLS handshake (ALPN).
func negotiated(t *Trial, req *sse.Request) string {
	config := t.Subject.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	config.NextProtos = []string{"h2", "http/1.1"}
	dialer := tls.Dialer{Config: config}
	conn, err := dialer.DialContext(t.Context(), "tcp", sse.HostPort(req.URL))
	if err != nil {
		t.interrupted()
		t.Unknown("no TLS connection could be made: %v", err)
	}
	defer func() { _ = conn.Close() }() // only the handshake mattered
	if secured, ok := conn.(*tls.Conn); ok {
		return secured.ConnectionState().NegotiatedProtocol
	}
	return ""
}
