package sse_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

func TestAnOriginIsSchemeHostAndPort(t *testing.T) {
	t.Parallel()
	for pair, same := range map[[2]string]bool{
		{"http://h/a", "http://H:80/b"}:           true,
		{"https://h:443", "HTTPS://h/"}:           true,
		{"http://u:p@h/", "http://h/"}:            true,
		{"http://[::1]:8080/", "http://[::1]/"}:   false,
		{"https://h/", "http://h/"}:               false,
		{"https://h:80/", "http://h:80/"}:         false,
		{"http://h:8080/", "http://h/"}:           false,
		{"http://h/", "http://sub.h/"}:            false,
		{"http://h.test.evil/", "http://h.test/"}: false,
	} {
		a, errA := url.Parse(pair[0])
		b, errB := url.Parse(pair[1])
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if got := sse.SameOrigin(a, b); got != same {
			t.Errorf("%v: same origin %t, want %t", pair, got, same)
		}
	}
}

func TestARedirectTakesNothingToAnotherOrigin(t *testing.T) {
	t.Parallel()
	var seen []*http.Request // in the order in which they came
	note := func(w http.ResponseWriter, r *http.Request) { seen = append(seen, r) }
	other := httptest.NewServer(http.HandlerFunc(note))
	defer other.Close()
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(w, r)
		switch r.URL.Path {
		case "/":
			http.Redirect(w, r, "/within", http.StatusFound)
		case "/within":
			http.Redirect(w, r, other.URL+"/out", http.StatusFound)
		}
	}))
	defer home.Close()
	for name, follow := range map[string]struct {
		policy   func(*http.Request, []*http.Request) error
		requests int
	}{"bare": {sse.FollowBare, 3}, "within": {sse.StayWithin, 2}} {
		seen = nil
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, home.URL+"/?token=secret", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"X-Api-Key": {"secret"}, "Authorization": {"secret"}, "Cookie": {"a=secret"}, "User-Agent": {"secret"}}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: follow.policy}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if len(seen) != follow.requests {
			t.Fatalf("%s: %d requests, want %d", name, len(seen), follow.requests)
		}
		if seen[1].Header.Get("X-Api-Key") != "secret" {
			t.Errorf("%s: the origin itself no longer gets the header", name)
		}
		for _, r := range seen[2:] {
			for field, values := range r.Header {
				switch field {
				case "Accept-Encoding", "Connection":
				case "User-Agent":
					if values[0] != "secret" {
						break
					}
					fallthrough
				default:
					t.Errorf("%s: another origin got %s: %v", name, field, values)
				}
			}
		}
	}
}
