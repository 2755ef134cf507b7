// Command gosse is a server made with tmaxmax/go-sse: Joe with a replayer.
package main

import (
	"flag"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/streamgauge/streamgauge/conformance/peers/servers/internal/serve"
)

// history is how many messages the FiniteReplayer keeps, and lifetime how long the ValidReplayer does.
const (
	history  = 10_000
	lifetime = 10 * time.Minute
)

// heartbeats is a topic that every subscriber follows.
const heartbeats = "\x00heartbeats"

func main() {
	automatic := flag.Bool("automatic-ids", false, "a FiniteReplayer that makes the ids, instead of a ValidReplayer and ids of our own")
	plain := flag.Bool("plain", false, "leave the response headers to the library, which sends them with the first message")
	serve.Main(func() (*serve.Broker, error) { return newBroker(*automatic, *plain) })
}

func newBroker(automatic, plain bool) (*serve.Broker, error) {
	replayer, err := newReplayer(automatic)
	if err != nil {
		return nil, err
	}
	joe := &sse.Joe{Replayer: keeper{Replayer: replayer, plain: plain}}
	server := &sse.Server{Provider: joe, OnSession: topics}
	var newest atomic.Uint64
	return &serve.Broker{
		Subscribe: server.ServeHTTP,
		Publish: func(stream, kind, data string) error {
			m := &sse.Message{}
			if kind != "" {
				var err error
				if m.Type, err = sse.NewType(kind); err != nil {
					return serve.Refused{Status: http.StatusBadRequest}
				}
			}
			if !automatic {
				m.ID = sse.ID(strconv.FormatUint(newest.Add(1), 10))
			}
			m.AppendData(data)
			return server.Publish(m, stream)
		},
		Heartbeat: func() {
			m := &sse.Message{}
			m.AppendComment("heartbeat")
			_ = server.Publish(m, heartbeats) // it fails only when the server is closed
		},
	}, nil
}

func newReplayer(automatic bool) (sse.Replayer, error) {
	if automatic {
		return sse.NewFiniteReplayer(history, true)
	}
	return sse.NewValidReplayer(lifetime, false)
}

func topics(w http.ResponseWriter, r *http.Request) ([]string, bool) {
	streams := r.URL.Query()["stream"]
	if len(streams) == 0 {
		http.Error(w, "name a stream", http.StatusBadRequest)
		return nil, false
	}
	return append(streams, heartbeats), true
}

// keeper is a replayer that keeps no heartbeats.
type keeper struct {
	sse.Replayer

	plain bool
}

func (k keeper) Put(m *sse.Message, topics []string) (*sse.Message, error) {
	if topics[0] == heartbeats {
		return m, nil
	}
	return k.Replayer.Put(m, topics)
}

// Replay sends the response headers. Joe calls it in the same step in which it registers a subscriber, so whoever has seen them gets
// every message published from then on. OnSession, where the documentation would have them sent, runs before.
func (k keeper) Replay(s sse.Subscription) error {
	if !k.plain {
		if err := s.Client.Flush(); err != nil {
			return err
		}
	}
	return k.Replayer.Replay(s)
}
