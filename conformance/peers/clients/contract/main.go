// Command contract is a test service for launchdarkly/sse-contract-tests, of the client of launchdarkly/eventsource. It says where it listens.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/launchdarkly/eventsource"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &service{streams: map[string]*eventsource.Stream{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"capabilities": ["headers", "last-event-id", "read-timeout"]}`)
	})
	mux.HandleFunc("POST /{$}", s.create)
	mux.HandleFunc("DELETE /streams/{id}", s.remove)
	fmt.Fprintf(os.Stdout, "http://%s\n", listener.Addr())
	log.Fatal((&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(listener))
}

// service keeps the streams that it was asked for.
type service struct {
	mu      sync.Mutex
	last    int
	streams map[string]*eventsource.Stream // nil: its first attempt failed
}

// create answers when the client has connected, or has failed to: its first attempt blocks.
func (s *service) create(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		StreamURL, CallbackURL, LastEventID string
		InitialDelayMS, ReadTimeoutMS       int
		Headers                             map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request, err := http.NewRequest(http.MethodGet, asked.StreamURL, http.NoBody)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for name, value := range asked.Headers {
		request.Header.Set(name, value)
	}
	options := []eventsource.StreamOption{
		eventsource.StreamOptionLastEventID(asked.LastEventID), eventsource.StreamOptionReadTimeout(time.Duration(asked.ReadTimeoutMS) * time.Millisecond),
	}
	if asked.InitialDelayMS > 0 {
		options = append(options, eventsource.StreamOptionInitialRetry(time.Duration(asked.InitialDelayMS)*time.Millisecond))
	}
	back := &callback{url: asked.CallbackURL}
	stream, err := eventsource.SubscribeWithRequestAndOptions(request, options...)
	if err != nil {
		back.tell(map[string]any{"kind": "error", "error": err.Error()})
	} else {
		go back.follow(stream)
	}
	s.mu.Lock()
	s.last++
	id := fmt.Sprint(s.last)
	s.streams[id] = stream
	s.mu.Unlock()
	w.Header().Set("Location", "/streams/"+id)
	w.WriteHeader(http.StatusCreated)
}

func (s *service) remove(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stream := s.streams[r.PathValue("id")]; stream != nil {
		stream.Close()
	}
	delete(s.streams, r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

// callback is where a stream's reports go, one after the other.
type callback struct {
	url  string
	sent int
}

func (b *callback) follow(stream *eventsource.Stream) {
	for {
		select {
		case e, ok := <-stream.Events:
			if !ok {
				return
			}
			id := e.Id()
			if last, ok := e.(eventsource.EventWithLastID); ok {
				id = last.LastEventID()
			}
			b.tell(map[string]any{"kind": "event", "event": map[string]string{"type": e.Event(), "data": e.Data(), "id": id}})
		case err, ok := <-stream.Errors:
			if ok {
				b.tell(map[string]any{"kind": "error", "error": err.Error()})
			}
		}
	}
}

func (b *callback) tell(what map[string]any) {
	b.sent++
	text, err := json.Marshal(what)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := http.Post(fmt.Sprintf("%s/%d", b.url, b.sent), "application/json", bytes.NewReader(text))
	if err != nil {
		return // nobody wants to know any more
	}
	resp.Body.Close()
}
