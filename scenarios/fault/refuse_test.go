package fault

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestRefuseConcernsNewConnectionsOnly(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	conn, peer := socketPair(t, l)
	refuseFault.Begin(l, Params{Step: 1})
	bit.want(t, 0)
	for range 3 {
		_, err := l.Dial(t.Context(), "tcp", "target.test:80", func(context.Context, string, string) (net.Conn, error) {
			t.Error("a refused connection was dialled")
			return nil, errors.New("dialled")
		})
		wantFault(t, err)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("error is %v, want connection refused", err)
		}
	}
	bit.want(t, 1)
	send(t, peer, "the old one lives on")
	receive(t, conn, "the old one lives on")
	refuseFault.End(l, Params{Step: 1})
	socketPair(t, l)
}
