package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// listeningAt is a listener of which only the address is of interest.
type listeningAt struct {
	net.Listener

	at net.Addr
}

func (l listeningAt) Addr() net.Addr { return l.at }

func called(t *testing.T, asked, method, host string, header ...string) (int, string) {
	t.Helper()
	ip := net.ParseIP("127.0.0.1")
	if name, _, _ := net.SplitHostPort(asked); net.ParseIP(name) != nil {
		ip = net.ParseIP(name)
	} else if name == "" {
		ip = net.IPv6unspecified
	}
	done := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	handler := admit(done, asked, listeningAt{at: &net.TCPAddr{IP: ip, Port: 9000}}, []string{"Gauge.example"})
	r := httptest.NewRequestWithContext(t.Context(), method, "/", http.NoBody)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(text)
}

func TestOnlyNamesOfThisMachineAreAnswered(t *testing.T) {
	t.Parallel()
	const loopback, everywhere, lan = "127.0.0.1:0", ":9000", "192.0.2.7:9000"
	for _, c := range []struct {
		asked, host string
		want        bool
	}{
		{loopback, "127.0.0.1:9000", true}, {loopback, "127.0.0.1", true}, {loopback, "localhost:9000", true}, {loopback, "LOCALHOST.:1", true},
		{loopback, "[::1]:9000", true}, {loopback, "a.localhost", true}, {loopback, "gauge.example:80", true}, {loopback, "127.8.8.8:1", true},
		{loopback, "evil.test", false}, {loopback, "evil.test:9000", false}, {loopback, "", false}, {loopback, "127.0.0.1.evil.test", false},
		{loopback, "localhost.evil.test", false}, {loopback, "evillocalhost", false}, {loopback, "192.0.2.7", false}, {loopback, "0.0.0.0:9000", false},
		{loopback, "evil.test@127.0.0.1", false}, {loopback, "x.gauge.example", false},
		{everywhere, "192.0.2.7:9000", true}, {everywhere, "[2001:db8::1]:9000", true}, {everywhere, "evil.test:9000", false},
		{lan, "192.0.2.7:9000", true}, {lan, "[::ffff:192.0.2.7]", true}, {lan, "192.0.2.8:9000", false}, {lan, "localhost", true},
		{"build-box:9000", "Build-Box:9000", true}, {"build-box:9000", "other-box:9000", false},
	} {
		code, text := called(t, c.asked, http.MethodPost, c.host)
		if (code == http.StatusNoContent) != c.want || !c.want && (code != http.StatusForbidden || !strings.Contains(text, "--allow-host")) {
			t.Errorf("listening at %q, Host %q: %d %q, want an answer: %t", c.asked, c.host, code, text, c.want)
		}
	}
}

func TestNoPageOfAnotherOriginIsAnswered(t *testing.T) {
	t.Parallel()
	const host = "localhost:9000"
	for _, c := range []struct {
		method string
		header []string
		want   bool
	}{
		{http.MethodPost, nil, true},
		{http.MethodPost, []string{"Origin", "http://localhost:9000"}, true},
		{http.MethodPost, []string{"Origin", "https://LOCALHOST:9000"}, true},
		{http.MethodPost, []string{"Sec-Fetch-Site", "same-origin"}, true},
		{http.MethodPost, []string{"Sec-Fetch-Site", "none"}, true},
		{http.MethodGet, []string{"Sec-Fetch-Site", "cross-site"}, true}, // a link to the page
		{http.MethodPost, []string{"Origin", "https://evil.test"}, false},
		{http.MethodPost, []string{"Origin", "http://localhost:9001"}, false},
		{http.MethodPost, []string{"Origin", "http://localhost"}, false},
		{http.MethodPost, []string{"Origin", "null"}, false},
		{http.MethodPost, []string{"Origin", ""}, false},
		{http.MethodPost, []string{"Origin", "file://localhost:9000"}, false},
		{http.MethodPost, []string{"Origin", "http://localhost:9000", "Origin", "https://evil.test"}, false},
		{http.MethodPost, []string{"Sec-Fetch-Site", "cross-site"}, false},
		{http.MethodPost, []string{"Sec-Fetch-Site", "same-site"}, false},
		{http.MethodGet, []string{"Origin", "https://evil.test"}, false},
		{http.MethodOptions, []string{"Origin", "https://evil.test"}, false},
	} {
		if code, text := called(t, "127.0.0.1:0", c.method, host, c.header...); (code == http.StatusNoContent) != c.want || !c.want && code != http.StatusForbidden {
			t.Errorf("%s with %q: %d %q, want an answer: %t", c.method, c.header, code, text, c.want)
		}
	}
}
