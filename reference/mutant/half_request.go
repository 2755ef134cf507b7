package mutant

import (
	"net"
	"net/http"
	"sync"
)

// halfRequests are the connections of a server on which no head has ended yet.
type halfRequests struct {
	open sync.Map // by net.Conn
}

func (h *halfRequests) serve(s *http.Server) {
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			h.open.Store(c, true)
			return
		}
		h.open.Delete(c) // also once a head has ended
	}
}

// many says whether there are fifty.
func (h *halfRequests) many() bool {
	n := 0
	h.open.Range(func(any, any) bool { n++; return n < 50 })
	return n >= 50
}
