package sse

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// SameOrigin says whether two addresses are of one origin (RFC 6454 §5): a port that is implied is one that is written out.
func SameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case strings.EqualFold(u.Scheme, "https"):
		return "443"
	}
	return "80"
}

const maxRedirects = 10

var errRedirects = errors.New("too many redirects")

// FollowBare lets an [http.Client] follow redirects. What has once left the origin of the first request carries nothing more of what
// that was given, not even where it comes from: net/http would tell its query in Referer, and take every field along but Authorization
// and Cookie.
func FollowBare(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
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
	case len(via) >= maxRedirects:
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
