package sse

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// SameOrigin says whether two addresses are of one origin (RFC 6454 §5): a port that is implied is one that is written out.
func SameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(HostPort(a), HostPort(b))
}

// HostPort is where an address of HTTP is dialled, "host:port".
func HostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port == "" && strings.EqualFold(u.Scheme, "https"):
		port = "443"
	case port == "":
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// MaxRedirects is how many redirects in a row are followed.
const MaxRedirects = 10

var errRedirects = errors.New("too many redirects")

// FollowBare lets an [http.Client] follow redirects. What has once left the origin of the first request carries nothing more of what
// that was given, not even where it comes from: net/http would tell its query in Referer, and take every field along but Authorization
// and Cookie.
func FollowBare(req *http.Request, via []*http.Request) error {
	if len(via) >= MaxRedirects {
		return errRedirects
	}
	if leaves(req, via) {
		req.Header = http.Header{}
	}
	return nil
}

// StayWithin lets an [http.Client] follow redirects within one origin; beyond it the redirect is the answer.
func StayWithin(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= MaxRedirects:
		return errRedirects
	case leaves(req, via):
		return http.ErrUseLastResponse
	}
	return nil
}

func leaves(req *http.Request, via []*http.Request) bool {
	for _, before := range append(via[1:len(via):len(via)], req) {
		if !SameOrigin(via[0].URL, before.URL) {
			return true
		}
	}
	return false
}
