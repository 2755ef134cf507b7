package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// callers are who may call an address that this program serves for whoever runs it: under a name that is this machine's, and from no page of
// another origin. So no page of a browser can act there, whatever its own name resolves to.
type callers struct {
	next    http.Handler
	host    string   // as it was asked to listen at, or ""
	anybody bool     // it listens at every address of this machine, so at any that is written in digits
	allowed []string // names that it goes by as well
}

// admit lets callers of an address that is listened at through to next.
func admit(next http.Handler, asked string, listener net.Listener, allowed []string) http.Handler {
	host, _, _ := net.SplitHostPort(asked)
	at, err := netip.ParseAddrPort(listener.Addr().String())
	return &callers{next: next, host: host, anybody: err == nil && at.Addr().IsUnspecified(), allowed: allowed}
}

func (c *callers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch origins := r.Header["Origin"]; {
	case !c.own(r.Host):
		http.Error(w, fmt.Sprintf("the Host %.200q is no name of this machine that is known here: use localhost or its address, or name it with --allow-host", r.Host), http.StatusForbidden)
	case len(origins) > 1 || len(origins) == 1 && !sameOrigin(origins[0], r):
		http.Error(w, fmt.Sprintf("a page of the origin %.200q may not call this", strings.Join(origins, " ")), http.StatusForbidden)
	case len(origins) == 0 && r.Method != http.MethodGet && r.Method != http.MethodHead && foreign(r.Header.Get("Sec-Fetch-Site")):
		http.Error(w, "a page of another site may not call this", http.StatusForbidden)
	default:
		c.next.ServeHTTP(w, r)
	}
}

// own says whether a Host header names this machine, whatever the port: it may be forwarded.
func (c *callers) own(header string) bool {
	name := hostOf(header)
	if address, err := netip.ParseAddr(name); err == nil {
		return address.IsLoopback() || c.anybody || sameAddress(c.host, address)
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") ||
		name != "" && slices.ContainsFunc(append([]string{c.host}, c.allowed...), func(known string) bool { return strings.EqualFold(hostOf(known), name) })
}

// hostOf is the host of "host:port", in small letters.
func hostOf(address string) string {
	host := address
	if name, _, err := net.SplitHostPort(address); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func sameAddress(host string, address netip.Addr) bool {
	own, err := netip.ParseAddr(hostOf(host))
	return err == nil && own.Unmap() == address.Unmap()
}

// sameOrigin says whether the origin of a page is the address that it calls, be it by way of a proxy that speaks HTTPS.
func sameOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	usual := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return strings.EqualFold(strings.TrimSuffix(u.Host, usual), strings.TrimSuffix(r.Host, usual))
}

func foreign(site string) bool { return site != "" && site != "same-origin" && site != "none" }
