// Package serve runs a broker made with somebody's library as a program: it says on standard output where it listens, and
// ends when it is interrupted or terminated.
package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Broker is what a library has to do, in the words that all of these programs share.
type Broker struct {
	// Subscribe serves GET /events?stream=NAME, as a stream.
	Subscribe http.HandlerFunc
	// Publish takes one message. An error is answered with status 500, and Refused with its own.
	Publish func(stream, kind, data string) error
	// Heartbeat sends a comment to every subscriber.
	Heartbeat func()
}

// Refused is that a message was not taken.
type Refused struct{ Status int }

func (r Refused) Error() string { return fmt.Sprintf("refused with status %d", r.Status) }

// What is left to the program and not to the library: how long the head of a request may take, and how large it may be.
const (
	headTime = 5 * time.Second
	headSize = 16 << 10
)

// sendBuffer keeps the kernel from hiding a slow reader for minutes, as it would by tuning a socket on the loopback device.
const sendBuffer = 64 << 10

// Main serves a broker until the program is to end. It adds the flags -addr and -heartbeat to those that are defined already.
func Main(newBroker func() (*Broker, error)) {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	heartbeat := flag.Duration("heartbeat", 5*time.Second, "interval of the comments that keep a silent stream alive")
	flag.Parse()
	if err := run(newBroker, *addr, *heartbeat); err != nil {
		log.Fatal(err)
	}
}

func run(newBroker func() (*Broker, error), addr string, heartbeat time.Duration) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b, err := newBroker()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", addr, err)
	}
	fmt.Fprintf(os.Stdout, "http://%s\n", listener.Addr())
	server := &http.Server{Handler: b.handler(), ReadHeaderTimeout: headTime, MaxHeaderBytes: headSize, ConnState: limitBuffer}
	go b.beat(ctx, heartbeat)
	go func() {
		<-ctx.Done()
		_ = server.Close() // every stream ends with it
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", addr, err)
	}
	return nil
}

func limitBuffer(conn net.Conn, state http.ConnState) {
	if c, ok := conn.(*net.TCPConn); ok && state == http.StateNew {
		_ = c.SetWriteBuffer(sendBuffer) // the kernel's own size is as right
	}
}

func (b *Broker) beat(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.Heartbeat()
		case <-ctx.Done():
			return
		}
	}
}

func (b *Broker) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", b.Subscribe)
	mux.HandleFunc("POST /publish", b.publish)
	return mux
}

func (b *Broker) publish(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "reading the message: "+err.Error(), http.StatusBadRequest)
		return
	}
	query := r.URL.Query()
	if err := b.Publish(query.Get("stream"), query.Get("type"), string(data)); err != nil {
		status := http.StatusInternalServerError
		if refused := (Refused{}); errors.As(err, &refused) {
			status = refused.Status
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
