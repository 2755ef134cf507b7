package client

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Bounds of what a client may do to one scripted server. No case comes near them; beyond, nothing else can be judged.
const (
	mostConnections = 10_000
	mostOpen        = 1_000
)

// crowd counts the connections to a server.
type crowd struct {
	mu       sync.Mutex
	began    time.Time
	accepted int
	open     int
	over     string // why nothing is served any more; "" while all is well
	overrun  chan struct{}
}

// aboutRate are the requirements that such a crowd decides by itself: how soon a client may come back is what they ask.
var aboutRate = []string{"SSE-PARSE-037", "SSE-RECON-008"}

// bounded is a script that serves nothing more to a client which overruns its server: the case is given up, and the others go on.
func (t *Trial) bounded(script sse.Script) sse.Script {
	c := &crowd{began: time.Now(), overrun: make(chan struct{})}
	t.Go(func() {
		select {
		case <-c.overrun:
			t.Cleanup(func() { t.suite.discard(t.session) }) // it may go on like that when the case is over
			if slices.Contains(aboutRate, t.Requirement.ID) {
				t.Fail("few connections", c.over)
			}
			t.Unknown("%s, so that nothing else can be judged: see SSE-RECON-008 and SSE-API-011", c.over)
		case <-t.Context().Done():
		}
	})
	return func(conn *sse.Conn) error {
		if !c.admit() {
			return nil
		}
		defer c.leave()
		return script(conn)
	}
}

func (c *crowd) admit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != "" {
		return false
	}
	c.accepted++
	c.open++
	switch {
	case c.accepted > mostConnections:
		c.over = fmt.Sprintf("the client connected %s within %v", conformance.Plural(c.accepted, "time"), time.Since(c.began).Round(100*time.Millisecond))
	case c.open > mostOpen:
		c.over = fmt.Sprintf("the client holds %s open at once", conformance.Plural(c.open, "connection"))
	default:
		return true
	}
	close(c.overrun)
	return false
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}
