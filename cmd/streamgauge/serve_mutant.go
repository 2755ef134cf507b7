package main

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// defect is what is broken on purpose, whatever is broken by it.
type defect struct {
	name, bug, seenIn string
	kills             []string
	broker            func(*broker.Config) // nil for a gateway's and a hub's
	gateway           *mutant.Gateway      // nil for a broker's
	hub               *mutant.Hub          // nil for a broker's
	server            bool                 // its kills are requirements
	scenario          string               // of the mutants' package, for one that runs catch
}

// defectNamed finds what --mutant names.
func defectNamed(name string) (*defect, error) {
	if m, ok := mutant.ByName(name); ok {
		if m.Broker == nil {
			return nil, fmt.Errorf("mutant %s is a client, not a broker: it breaks what connects, so there is nothing to serve", name)
		}
		server := len(m.Kills) > 0 && conformance.RequirementByID(m.Kills[0]) != nil
		return &defect{name: m.Name, bug: m.Bug, seenIn: m.SeenIn, kills: m.Kills, broker: m.Broker, server: server, scenario: m.Scenario}, nil
	}
	names := []string{}
	for _, m := range slices.Concat(mutant.All, mutant.Server) {
		if m.Broker != nil {
			names = append(names, m.Name)
		}
	}
	for i := range mutant.Gateways {
		m := &mutant.Gateways[i]
		if m.Name == name {
			return &defect{name: m.Name, bug: m.Bug, seenIn: m.SeenIn, kills: m.Kills, gateway: m, server: true}, nil
		}
		names = append(names, m.Name)
	}
	for i := range mutant.Hubs {
		m := &mutant.Hubs[i]
		if m.Name == name {
			return &defect{name: m.Name, bug: m.Bug, seenIn: m.SeenIn, kills: m.Kills, hub: m, server: true}, nil
		}
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("there is no mutant %q: %s", name, hint(name, names, "see streamgauge list mutants"))
}

// announce says what is broken, and where that was seen.
func (d *defect) announce(w io.Writer) {
	fmt.Fprintf(w, "broken on purpose: %s\n  %s\n  seen in  %s\n  breaks   %s\n", d.name, d.bug, d.seenIn, strings.Join(d.kills, ", "))
}

// config is the configuration of a right broker in which the defect shows.
func (d *defect) config() (broker.Config, error) {
	if !d.server {
		text, err := mutant.Scenario(d.scenario)
		if err != nil {
			return broker.Config{}, err
		}
		s, err := scenarios.ParseScenario(text, scenarios.Source{Name: d.scenario + ".yaml"})
		if err != nil {
			return broker.Config{}, err
		}
		return run.BrokerConfig(s), nil
	}
	c := embedded.Config()
	if !d.protected() {
		c.TokenKey, c.TokenIssuer, c.TokenAudience, c.MaxConnectionsPerUser = nil, "", "", 0
	}
	if !slices.Contains(d.kills, "SSE-LIMIT-004") {
		c.PublishRate, c.PublishBurst = 0, 0 // all that one tool publishes is one user's
	}
	return c, nil
}

// behindTokens are the requirements that show only where tokens tell users apart, beside those that say so themselves.
var behindTokens = []string{"SSE-HTTPS-013", "SSE-HTTPS-018", "SSE-HTTPS-019", "SSE-DELIV-005", "SSE-LIMIT-002", "SSE-LIMIT-003", "SSE-LIMIT-004"}

// protected says whether the defect shows only on streams that tokens protect.
func (d *defect) protected() bool {
	return slices.ContainsFunc(d.kills, func(id string) bool {
		r := conformance.RequirementByID(id)
		return slices.Contains(behindTokens, id) || r != nil && slices.ContainsFunc(r.Needs, func(a conformance.Access) bool {
			return a == conformance.AccessAuth || a == conformance.AccessTokens || a == conformance.AccessKey
		})
	})
}

// overTLS are the requirements that show only over TLS, where browsers speak HTTP/2.
var overTLS = []string{"SSE-HTTPS-022", "SSE-HTTPS-023", "SSE-HTTPS-024"}

// secure says whether the defect shows only over TLS.
func (d *defect) secure() bool {
	return slices.ContainsFunc(d.kills, func(id string) bool { return slices.Contains(overTLS, id) })
}

// settings are the --set flags that tell check what cannot be seen of this configuration.
func (d *defect) settings(declared broker.Config) string {
	text := ""
	for _, id := range d.kills {
		known := embedded.Parameters(declared)[id]
		for _, name := range slices.Sorted(maps.Keys(known)) {
			text += fmt.Sprintf(" --set %s.%s=%s", id, name, known[name])
		}
	}
	return text
}

// breakPromise turns the broker into the mutant. What was asked for by a flag stays, unless the defect itself is there.
func (o *serveOptions) breakPromise(d *defect, changed func(flag string) bool) error {
	c, err := d.config()
	if err != nil {
		return err
	}
	for flag, keep := range map[string]func(){
		"history":                  func() { c.HistoryEvents = o.broker.HistoryEvents },
		"history-age":              func() { c.HistoryAge = o.broker.HistoryAge },
		"slow-policy":              func() { c.SlowPolicy = o.broker.SlowPolicy },
		"queue":                    func() { c.Queue = o.broker.Queue },
		"heartbeat":                func() { c.Heartbeat = o.broker.Heartbeat },
		"retry":                    func() { c.Retry = o.broker.Retry },
		"max-connections":          func() { c.MaxConnections = o.broker.MaxConnections },
		"max-connections-per-user": func() { c.MaxConnectionsPerUser = o.broker.MaxConnectionsPerUser },
		"publish-rate":             func() { c.PublishRate = o.broker.PublishRate },
		"publish-burst":            func() { c.PublishBurst = o.broker.PublishBurst },
		"max-event-bytes":          func() { c.MaxEventBytes = o.broker.MaxEventBytes },
		"cors-origin":              func() { c.CORSOrigins = o.broker.CORSOrigins },
	} {
		if changed(flag) {
			keep()
		}
	}
	if len(o.broker.TokenKey) > 0 {
		c.TokenKey = o.broker.TokenKey
	}
	o.declared = c
	d.broker(&c)
	if o.broker = c; d.server {
		o.declared = c // the configuration is what it says of itself, and a tamper what it does
	}
	if d.secure() && o.server.TLS == nil {
		certificate, _, err := sse.SelfSigned(time.Now().AddDate(0, 1, 0), "127.0.0.1")
		if err != nil {
			return fmt.Errorf("making a certificate: %w", err)
		}
		o.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	return nil
}

// tokenForAll is good for a day and everything.
func tokenForAll(c broker.Config) (string, error) {
	now := time.Now()
	claims := map[string]any{
		"sub": "demo-" + rand.Text()[:6], "iat": now.Unix(), "exp": now.AddDate(0, 0, 1).Unix(),
		"subscribe": []string{"*"}, "publish": []string{"*"},
	}
	if c.TokenIssuer != "" {
		claims["iss"] = c.TokenIssuer
	}
	if c.TokenAudience != "" {
		claims["aud"] = c.TokenAudience
	}
	return server.SignToken(c.TokenKey, server.HS256(), claims)
}
