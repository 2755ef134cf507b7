package broker

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the broker's own counts; what other parts count already is read from there.
type metrics struct {
	registry  *prometheus.Registry
	published atomic.Uint64
	delivered atomic.Uint64
	replayed  atomic.Uint64
	dropped   atomic.Uint64
	coalesced atomic.Uint64
	ends      map[endReason]*atomic.Uint64
	refused   *prometheus.CounterVec
	failures  *prometheus.CounterVec
}

func newMetrics(b *Broker) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), ends: map[endReason]*atomic.Uint64{}}
	m.registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	m.counter("events_published_total", "Messages accepted.", nil, &m.published)
	m.counter("events_delivered_total", "Events handed to a connection.", nil, &m.delivered)
	m.counter("events_replayed_total", "Delivered events that were older than the connection.", nil, &m.replayed)
	m.counter("events_dropped_total", "Events skipped by the slow policy drop.", nil, &m.dropped)
	m.counter("events_coalesced_total", "Events skipped by the slow policy coalesce.", nil, &m.coalesced)
	for _, reason := range endReasons {
		m.ends[reason] = &atomic.Uint64{}
		m.counter("disconnects_total", "Connections ended.", prometheus.Labels{"reason": string(reason)}, m.ends[reason])
	}
	m.refused = m.vector("subscribe_refused_total", "Subscriptions refused.", "status")
	m.failures = m.vector("publish_failures_total", "Messages refused over HTTP.", "status")
	m.gauge("connections", "Subscribers connected.", func() int { now, _ := b.gate.connections(); return now })
	m.gauge("connections_peak", "Most subscribers connected at once.", func() int { _, peak := b.gate.connections(); return peak })
	m.gauge("connections_peak_per_user", "Most subscribers of one user at once.", b.limits.peakOfUser)
	m.gauge("streams", "Streams known.", func() int { return b.history().streams })
	m.gauge("history_events", "Events held.", func() int { return b.history().events })
	m.gauge("history_bytes", "Bytes of events held.", func() int { return b.history().bytes })
	return m
}

const namespace = "streamgauge_broker"

func (m *metrics) counter(name, help string, labels prometheus.Labels, value *atomic.Uint64) {
	opts := prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: labels}
	m.registry.MustRegister(prometheus.NewCounterFunc(opts, func() float64 { return float64(value.Load()) }))
}

func (m *metrics) gauge(name, help string, value func() int) {
	opts := prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
	m.registry.MustRegister(prometheus.NewGaugeFunc(opts, func() float64 { return float64(value()) }))
}

func (m *metrics) vector(name, help, label string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) ended(reason endReason) { m.ends[reason].Add(1) }

func (m *metrics) skipped(reason string, events uint64) {
	switch reason {
	case "dropped":
		m.dropped.Add(events)
	case "coalesced":
		m.coalesced.Add(events)
	}
}

// holding is the size of all histories.
type holding struct{ streams, events, bytes int }

func (b *Broker) history() holding {
	b.mu.Lock()
	defer b.mu.Unlock()
	sum := holding{streams: len(b.streams)}
	for _, st := range b.streams {
		st.mu.Lock()
		sum.events += len(st.window())
		sum.bytes += st.bytes
		st.mu.Unlock()
	}
	return sum
}

// Stats is a glance at a broker.
type Stats struct {
	Connections int // subscribers connected
	Peak        int // most subscribers connected at once
	PeakPerUser int // most subscribers of one user at once

	Published, Delivered, Replayed uint64            // events
	Dropped, Coalesced             uint64            // events skipped by the slow policy
	Ended                          map[string]uint64 // connections, by reason
}

// Stats returns the current counts. They are read one after the other, so they need not add up while events flow.
func (b *Broker) Stats() Stats {
	now, peak := b.gate.connections()
	s := Stats{
		Connections: now, Peak: peak, PeakPerUser: b.limits.peakOfUser(),
		Published: b.metrics.published.Load(), Delivered: b.metrics.delivered.Load(), Replayed: b.metrics.replayed.Load(),
		Dropped: b.metrics.dropped.Load(), Coalesced: b.metrics.coalesced.Load(), Ended: map[string]uint64{},
	}
	for reason, count := range b.metrics.ends {
		if n := count.Load(); n > 0 {
			s.Ended[string(reason)] = n
		}
	}
	return s
}
