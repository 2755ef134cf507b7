package sse

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Request asks for one event stream.
type Request struct {
	Method      string      // "" means GET
	URL         *url.URL    // http or https
	Header      http.Header // read only, so many requests can share one; wins over what is set by default
	LastEventID string      // sent as Last-Event-ID unless empty
	Body        []byte
}

// address is where to dial, "host:port".
func (r *Request) address() (string, error) {
	if r.URL == nil {
		return "", fmt.Errorf("request has no url")
	}
	switch {
	case r.URL.Hostname() == "":
		return "", fmt.Errorf("url %q has no host", r.URL.Redacted())
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return "", fmt.Errorf("url %q: scheme is %q, want http or https", r.URL.Redacted(), r.URL.Scheme)
	}
	return HostPort(r.URL), nil
}

func (r *Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// implied is the header fields that the request gets unless its Header has them: what an
// EventSource sends. Nothing is said about compression.
func (r *Request) implied() [][2]string {
	fields := [][2]string{
		{"Accept", "text/event-stream"},
		{"Cache-Control", "no-cache"},
	}
	if r.LastEventID != "" {
		fields = append(fields, [2]string{"Last-Event-Id", r.LastEventID})
	}
	if user := r.URL.User; user != nil {
		password, _ := user.Password()
		basic := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		fields = append(fields, [2]string{"Authorization", "Basic " + basic})
	}
	return fields
}

// check refuses what would break out of its place in the request's head.
func (r *Request) check() error {
	if strings.ContainsAny(r.LastEventID, "\r\n\x00") {
		return fmt.Errorf("last event id %q cannot be sent in a header", r.LastEventID)
	}
	if !isToken(r.method()) {
		return fmt.Errorf("method %q is no token", r.Method)
	}
	for name, values := range r.Header {
		if !isToken(name) {
			return fmt.Errorf("header name %q is no token", name)
		}
		for _, value := range values {
			if strings.ContainsAny(value, "\r\n\x00") {
				return fmt.Errorf("header %s has a value with a line end or NUL", name) // it may be a secret
			}
		}
	}
	return nil
}

// append writes the HTTP/1.1 form of the request behind dst.
func (r *Request) append(dst []byte) []byte {
	dst = append(dst, r.method()...)
	dst = append(dst, ' ')
	dst = append(dst, r.URL.RequestURI()...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	if _, ok := r.Header["Host"]; !ok {
		dst = appendField(dst, "Host", r.URL.Host)
	}
	for _, f := range r.implied() {
		if _, ok := r.Header[f[0]]; !ok {
			dst = appendField(dst, f[0], f[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			dst = appendField(dst, name, value)
		}
	}
	if len(r.Body) > 0 || r.method() == http.MethodPost {
		dst = appendField(dst, "Content-Length", strconv.Itoa(len(r.Body)))
	}
	dst = append(dst, "\r\n"...)
	return append(dst, r.Body...)
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}
