package fault

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
)

func TestResetIsSeenAsResetByTheTarget(t *testing.T) {
	t.Parallel()
	var bit bites
	l := bit.line()
	conn, peer := socketPair(t, l)
	lost := readError(conn)
	resetFault.Begin(l, Params{Step: 1})
	wantFault(t, <-lost)
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target read %v, want a reset", err)
	}
	bit.want(t, 1)
}

func TestResetReachesBelowTLS(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.StartTLS()
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	serverConfig := server.TLS.Clone()
	server.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		accepted, err := listener.Accept()
		if err != nil {
			ended <- err
			return
		}
		defer accepted.Close()
		_, err = io.Copy(io.Discard, tls.Server(accepted, serverConfig))
		ended <- err
	}()
	var l Line
	below, err := l.Dial(t.Context(), "tcp", listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	config = config.Clone()
	config.ServerName = "example.com"
	conn := tls.Client(below, config)
	defer conn.Close()
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost := readError(conn)
	resetFault.Begin(&l, Params{Step: 1})
	wantFault(t, <-lost)
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target read %v, want a reset", err)
	}
}

func TestResetEndsABlockedWrite(t *testing.T) {
	t.Parallel()
	var l Line
	conn, _ := socketPair(t, &l)
	started := make(chan struct{})
	written := later(func() error {
		close(started)
		_, err := conn.Write(make([]byte, 64<<20)) // more than the two sockets' buffers hold
		return err
	})
	<-started
	resetFault.Begin(&l, Params{Step: 1})
	wantFault(t, <-written)
}
