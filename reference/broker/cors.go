package broker

import (
	"net/http"
	"slices"
)

// cors answers preflight requests and marks the answers to requests of other origins.
type cors struct {
	origins []string
	next    http.Handler
}

func (c *cors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mark(w.Header(), r.Header.Get("Origin"))
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	c.next.ServeHTTP(w, r)
}

// mark sets what the origin is allowed. Credentials go to named origins alone, and never to "*".
func (c *cors) mark(h http.Header, origin string) {
	if len(c.origins) == 0 {
		return
	}
	named := slices.Contains(c.origins, origin)
	if !slices.Contains(c.origins, "*") || named {
		h.Add("Vary", "Origin")
	}
	switch {
	case origin == "":
		return
	case named:
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	case slices.Contains(c.origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		return
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Cache-Control, Content-Type, Last-Event-ID")
	h.Set("Access-Control-Expose-Headers", resumeHeader)
	h.Set("Access-Control-Max-Age", "600")
}
