package crash

import (
	"bytes"
	"log"
)

// ServerLog is the ErrorLog of an HTTP server of ours: net/http recovers the panics of handlers itself, and tells of them there. What else it
// has to say is about its clients.
func ServerLog() *log.Logger { return log.New(serverLog{}, "", 0) }

type serverLog struct{}

// panicked begins the line of net/http.
const panicked = "http: panic serving "

func (serverLog) Write(p []byte) (int, error) {
	if what, found := bytes.CutPrefix(p, []byte(panicked)); found {
		first, stack, _ := bytes.Cut(what, []byte("\n"))
		Take(string(first), bytes.Clone(stack))
	}
	return len(p), nil
}
