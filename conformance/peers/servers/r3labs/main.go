// Command r3labs is a server made with r3labs/sse v2, with the options that resuming needs.
package main

import (
	"net/http"
	"sync"

	"github.com/r3labs/sse/v2"

	"github.com/streamgauge/streamgauge/conformance/peers/servers/internal/serve"
)

func main() {
	serve.Main(func() (*serve.Broker, error) { return newBroker(), nil })
}

func newBroker() *serve.Broker {
	server := sse.New()
	server.AutoStream = true // a subscriber may come before the first message
	server.AutoReplay = true // without it, events have no ids
	server.SplitData = true  // without it, line breaks in data are written as they are
	var streams sync.Map
	return &serve.Broker{
		Subscribe: func(w http.ResponseWriter, r *http.Request) {
			streams.Store(r.URL.Query().Get("stream"), true)
			server.ServeHTTP(w, r)
		},
		Publish: func(stream, kind, data string) error {
			server.CreateStream(stream) // it may exist; publishing to one that does not does nothing
			server.Publish(stream, &sse.Event{Event: []byte(kind), Data: []byte(data)})
			return nil
		},
		Heartbeat: func() {
			streams.Range(func(stream, _ any) bool {
				server.Publish(stream.(string), &sse.Event{Comment: []byte("heartbeat")})
				return true
			})
		},
	}
}
