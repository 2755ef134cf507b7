package main

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/builtin"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/scenarios"
)

// builtinClient is a client of this process.
type builtinClient struct {
	name string
	kind string // client | reference
	make func() subject.Client
}

// builtinClients are those that --client names. The first is judged when nothing else is named.
var builtinClients = []builtinClient{
	{"reference", "reference", func() subject.Client { return new(embedded.Client) }},
	{"go-sse", "client", func() subject.Client { return builtin.GoSSE{} }},
	{"net-http", "client", func() subject.Client { return builtin.NetHTTP{} }},
}

func (f *clientFlags) builtin() (*clientSubject, error) {
	names := make([]string, len(builtinClients))
	for i, b := range builtinClients {
		names[i] = b.name
		if f.client != b.name && (f.client != "" || i > 0) {
			continue
		}
		s := &clientSubject{kind: b.kind, start: always(subject.Local(b.make()))}
		if f.client != "" {
			s.words = []string{"--client", f.client}
		}
		return s, nil
	}
	return nil, fmt.Errorf("--client %s: there is no such client built in: %s", f.client, scenarios.Suggest(f.client, names))
}
