package browser_test

import (
	"testing"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// follow has the browser open a stream that stays open behind an event.
func follow(t *testing.T, s *subject.Session) *subject.Conn {
	t.Helper()
	server, err := sse.Serve(t.Context(), sse.ServerOptions{}, func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if err := c.Send("data: a\n\n"); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	c, err := s.Open(subject.Open{URL: server.URL("/")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
