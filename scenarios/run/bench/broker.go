package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/reference/broker"
)

// newBroker is the reference broker with its defaults.
func newBroker(context.Context, setup) (*role, error) {
	b, err := broker.New(broker.Config{})
	if err != nil {
		return nil, err
	}
	server, err := broker.Start(b, broker.ServerConfig{})
	if err != nil {
		return nil, err
	}
	return &role{url: server.URL(), count: func() (int, uint64) {
		stats := b.Stats()
		return stats.Connections, stats.Delivered
	}}, nil
}

// publishTo publishes to a broker over HTTP, as the harness does, until ctx ends. It stands for the harness beside a reader
// that cannot publish.
func publishTo(ctx context.Context, s setup, url string, perS float64) {
	publishEvenly(ctx, s, perS, func(stream int, _ uint64, data []byte) {
		target := url + "/publish?stream=" + streamName(stream)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(data))
		if err != nil {
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return // it is missed in the number of events
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	})
}

func streamName(i int) string { return "s" + strconv.Itoa(i) }

// payload is like what the harness publishes.
func payload(s setup, stream int, number uint64) []byte {
	m := token.Message{Run: "bench0", Stream: int32(stream), Number: number, Due: time.Duration(number) * time.Millisecond}
	return token.Append(nil, m, nil, nil, s.Payload)
}
