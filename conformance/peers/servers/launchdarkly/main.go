// Command launchdarkly is a server made with launchdarkly/eventsource and a repository.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"sync"

	"github.com/launchdarkly/eventsource"

	"github.com/streamgauge/streamgauge/conformance/peers/servers/internal/serve"
)

func main() {
	own := flag.Bool("own-repository", false, "a repository of our own instead of the library's SliceRepository")
	serve.Main(func() (*serve.Broker, error) { return newBroker(*own), nil })
}

// repository is what keeps events for those who come back.
type repository interface {
	eventsource.Repository
	Add(channel string, event eventsource.Event)
}

type broker struct {
	server     *eventsource.Server
	repository repository

	mu       sync.Mutex
	channels map[string]bool

	publishing sync.Mutex // so that ids, the repository and subscribers have one order
	newest     uint64
}

func newBroker(own bool) *serve.Broker {
	b := &broker{server: eventsource.NewServer(), channels: map[string]bool{}}
	b.repository = eventsource.NewSliceRepository()
	if own {
		b.repository = newLog()
	}
	return &serve.Broker{Subscribe: b.subscribe, Publish: b.publish, Heartbeat: b.heartbeat}
}

func (b *broker) subscribe(w http.ResponseWriter, r *http.Request) {
	channel := r.URL.Query().Get("stream")
	b.register(channel)
	b.server.Handler(channel)(w, r)
}

func (b *broker) register(channel string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.channels[channel] {
		b.channels[channel] = true
		b.server.Register(channel, b.repository)
	}
}

// publish keeps an event before it sends it: the other way round, an event could miss a subscriber that comes between the two.
func (b *broker) publish(channel, kind, data string) error {
	b.register(channel)
	b.publishing.Lock()
	defer b.publishing.Unlock()
	b.newest++
	// SliceRepository compares ids as texts, so they are of one length.
	e := event{id: fmt.Sprintf("%012d", b.newest), kind: kind, data: data}
	b.repository.Add(channel, e)
	<-b.server.PublishWithAcknowledgment([]string{channel}, e)
	return nil
}

func (b *broker) heartbeat() {
	b.mu.Lock()
	channels := make([]string, 0, len(b.channels))
	for channel := range b.channels {
		channels = append(channels, channel)
	}
	b.mu.Unlock()
	b.server.PublishComment(channels, "heartbeat")
}

type event struct{ id, kind, data string }

func (e event) Id() string    { return e.id } //nolint:revive // the library's interface spells it so
func (e event) Event() string { return e.kind }
func (e event) Data() string  { return e.data }
