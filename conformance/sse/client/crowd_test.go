package client

import "testing"

func TestAClientThatConnectsWithoutEndIsNotServedAnyMore(t *testing.T) {
	t.Parallel()
	c := &crowd{overrun: make(chan struct{})}
	for range mostConnections {
		if !c.admit() {
			t.Fatalf("connection %d is refused: %s", c.accepted, c.over)
		}
		c.leave()
	}
	for range 2 {
		if c.admit() {
			t.Error("a connection too many is served")
		}
	}
	select {
	case <-c.overrun:
	default:
		t.Error("nobody is told")
	}
}
