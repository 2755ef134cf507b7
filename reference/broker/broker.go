package broker

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmaxmax/go-sse"
)

// Errors of Publish; test for them with errors.Is.
var (
	ErrDraining       = errors.New("broker is draining")
	ErrTooManyStreams = errors.New("too many streams")
)

// Broker keeps the streams and serves them. It outlives the servers in front of it: a second server over the same
// Broker continues with its history and ids, a new Broker knows nothing of them.
//
// It is safe for concurrent use. It has no goroutine of its own while nobody is connected and nothing is published.
type Broker struct {
	config  Config
	keep    retention
	epoch   string
	began   time.Time
	shards  []*shard
	gate    gate
	limits  *limits
	tokens  *tokens
	metrics *metrics
	wire    wireText
	handler http.Handler

	mu       sync.Mutex // orders all publishing: a sequence is assigned and its event appended under it
	streams  map[string]*stream
	sequence atomic.Uint64 // of the newest event; every event up to it can be seen in its stream
}

// New returns a broker. Its errors name every field of config that is wrong.
func New(config Config) (*Broker, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("configuring the broker: %w", err)
	}
	b := &Broker{
		config:  config,
		keep:    retention{config.HistoryEvents, config.Queue, config.HistoryBytes, config.HistoryAge},
		epoch:   config.Tamper.epoch(newEpoch()),
		began:   time.Now(),
		shards:  make([]*shard, runtime.GOMAXPROCS(0)),
		streams: map[string]*stream{},
		limits:  newLimits(config),
		tokens:  newTokens(config),
		wire:    newWireText(config),
	}
	for i := range b.shards {
		b.shards[i] = &shard{catch: config.Catch}
	}
	b.metrics = newMetrics(b)
	b.handler = newHandler(b)
	return b, nil
}

// Handler serves the broker over HTTP. Over plaintext HTTP/1.1 a stream takes its connection over from net/http, so
// that an idle one costs little; http.Server.Close does not see those, Close and Drain do.
func (b *Broker) Handler() http.Handler { return b.handler }

// Publish appends a message to a stream. When it returns, the event is in the history and on its way to every subscriber.
// It fails when the stream's or the type's name or the data cannot be sent, and while the broker drains.
func (b *Broker) Publish(streamName, eventType string, data []byte) (Published, error) {
	if err := b.checkPublish(streamName, eventType, data); err != nil {
		return Published{}, fmt.Errorf("publishing to stream %q: %w", streamName, err)
	}
	message := newMessage(eventType, data)
	source := b.config.Tamper.source(streamName, eventType, data)
	published, st, err := b.append(streamName, message, source, len(data))
	if err != nil {
		return Published{}, fmt.Errorf("publishing to stream %q: %w", streamName, err)
	}
	b.metrics.published.Add(1)
	st.announce()
	if source != nil {
		b.leak(source)
	}
	return published, nil
}

func (b *Broker) checkPublish(streamName, eventType string, data []byte) error {
	if b.gate.draining() {
		return ErrDraining
	}
	if err := checkStream(streamName); err != nil {
		return err
	}
	if err := checkType(eventType); err != nil {
		return err
	}
	return checkData(data, b.config.MaxEventBytes)
}

func (b *Broker) append(name string, message *sse.Message, source *Event, size int) (Published, *stream, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gate.draining() { // again, so that nothing is accepted that a drain does not see
		return Published{}, nil, ErrDraining
	}
	st, err := b.stream(name)
	if err != nil {
		return Published{}, nil, err
	}
	e := &event{stream: st, sequence: b.sequence.Load() + 1, number: st.last + 1, at: b.now(), source: source}
	published := Published{ID: formatID(b.epoch, e.sequence), Number: e.number}
	message.ID = sse.ID(published.ID)
	e.chunk, e.head = encodeChunk(message, size+size/8+128)
	if source != nil {
		source.ID, source.Number, source.Sequence = published.ID, e.number, e.sequence
		if !b.config.Tamper.stores(*source) {
			return published, st, nil
		}
	}
	st.append(e, b.keep)
	b.sequence.Store(e.sequence)
	return published, st, nil
}

// stream returns the stream of that name, a new one if need be. The caller holds b.mu.
func (b *Broker) stream(name string) (*stream, error) {
	if st := b.streams[name]; st != nil {
		return st, nil
	}
	if len(b.streams) >= b.config.MaxStreams {
		return nil, ErrTooManyStreams
	}
	st := &stream{name: name}
	b.streams[name] = st
	return st, nil
}

// release gives up the use of a stream, which ends one that nobody follows and nothing was ever published to: its
// numbering has not begun.
func (b *Broker) release(st *stream) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.releaseLocked(st)
}

func (b *Broker) releaseLocked(st *stream) {
	st.refs--
	if st.refs == 0 && st.last == 0 {
		delete(b.streams, st.name)
	}
}

// newest returns the sequence of the newest event that a Publish has accepted.
func (b *Broker) newest() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sequence.Load()
}

func (b *Broker) now() time.Duration { return time.Since(b.began) }

// Revoke ends every connection of a token's subject, which gets no further event, and refuses the tokens issued to it so far.
func (b *Broker) Revoke(subject string) {
	b.tokens.revoke(subject)
	for _, s := range b.gate.subscribers() {
		if s.subject == subject && b.config.Tamper.revokes(s.info) {
			s.finish(endRevoked, 0, nil, time.Second)
		}
	}
}

// Close cuts every connection at once and forgets what was published: whoever still refers to the broker, as net/http's timers do for
// minutes, keeps little.
func (b *Broker) Close() {
	b.gate.cut()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, st := range b.streams {
		st.forget()
	}
	clear(b.streams)
}
