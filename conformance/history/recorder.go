package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

const (
	recorderShards = 16
	shardBytes     = 2 << 20 // that may wait in one shard; what comes beyond is dropped
	drainEvery     = 50 * time.Millisecond
)

// Recorder is an Observer that writes histories: Begin, any number of Observe, End, and again for the next run; then Close. It
// never makes an observer wait for the disk: each observation is encoded into one of several buffers, which one goroutine
// drains. When it cannot keep up, or the disk fails, observations are dropped and counted.
//
// Lines are in the order in which Observe was called: an observation whose call returned before another's began precedes it. So
// a message's publish stands before its deliveries, and a history can be judged again in one pass.
//
// A nil Recorder keeps nothing.
type Recorder struct {
	// Redact hides the secrets in a text before it is written; nil: there are none. It is set before Begin.
	Redact func(text string) string

	mode   Mode
	out    *bufio.Writer
	order  atomic.Uint64
	drops  atomic.Uint64
	most   int64       // bytes of observations that are written; 0: as many as come
	ended  atomic.Bool // those were
	shards [recorderShards]shard
	open   atomic.Bool // between Begin and End

	wake    chan struct{}
	done    chan struct{}
	stopped chan struct{}

	queues [recorderShards]lines // of the draining goroutine while open
	err    error                 // likewise; the first one, for good
	size   int64                 // likewise: bytes of observations that were written
}

// shard is where some of the observers leave their lines.
type shard struct {
	mu    sync.Mutex
	lines lines
	_     [64]byte // keeps neighbours' locks in different cache lines
}

// lines are encoded observations, ascending by their place in the whole.
type lines struct {
	text []byte
	ends []line
	next int // the first that is not written
}

type line struct {
	order uint64
	end   int // of it, in text
}

// NewRecorder returns a recorder that writes to out what mode keeps.
func NewRecorder(out io.Writer, mode Mode) *Recorder {
	return &Recorder{mode: mode, out: bufio.NewWriterSize(out, 1<<18)}
}

// Limit bounds what is written of observations, over all runs, in bytes. What comes beyond is dropped and counted, and a history stays
// readable. Call it before Begin.
func (r *Recorder) Limit(bytes int64) { r.most = bytes }

// Limited is the limit, once it was reached; 0 before.
func (r *Recorder) Limited() int64 {
	if r == nil || !r.ended.Load() {
		return 0
	}
	return r.most
}

// Begin begins the history of a run. The header's format, version and mode are set by it.
func (r *Recorder) Begin(h Header) error {
	if r == nil || r.mode == Off {
		return nil
	}
	if r.open.Load() {
		return errors.New("beginning a history: the one before has not ended")
	}
	h.Format, h.Version, h.Mode, h.Config = formatName, Version, r.mode, r.redactedJSON(h.Config)
	r.drops.Store(0)
	if r.writeJSON(h); r.err != nil {
		return r.err
	}
	r.wake, r.done, r.stopped = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	r.open.Store(true)
	go r.run()
	return nil
}

// Observe keeps o if the mode keeps its kind. It may be called concurrently.
func (r *Recorder) Observe(o *Observation) {
	if r == nil || !r.mode.keeps(o.Kind) {
		return
	}
	o = r.redacted(o)
	s := &r.shards[uint32(o.Subscriber^o.Stream)%recorderShards]
	s.mu.Lock()
	if len(s.lines.text) >= shardBytes || !r.open.Load() || r.ended.Load() {
		s.mu.Unlock()
		r.drops.Add(1)
		return
	}
	s.lines.text = append(Append(s.lines.text, o), '\n')
	s.lines.ends = append(s.lines.ends, line{r.order.Add(1), len(s.lines.text)})
	filling := len(s.lines.text) > shardBytes/4
	s.mu.Unlock()
	if filling {
		select {
		case r.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// Drops is how many observations of the run could not be kept.
func (r *Recorder) Drops() uint64 {
	if r == nil {
		return 0
	}
	return r.drops.Load()
}

// End writes what is left and ends the history of the run. Nothing may be observed any more. It returns the first error that
// writing has met, also in earlier runs.
func (r *Recorder) End(e End) error {
	if r == nil || r.mode == Off || !r.open.Load() {
		return nil
	}
	r.open.Store(false)
	close(r.done)
	<-r.stopped
	e.Drops, e.Limit, e.Health = r.Drops(), r.Limited(), r.redactedJSON(e.Health)
	r.writeJSON(e)
	return r.err
}

// Close ends the recorder. A run that was not ended stays without its end, as if it had been cut off.
func (r *Recorder) Close() error {
	if r == nil {
		return nil
	}
	if r.open.Swap(false) {
		close(r.done)
		<-r.stopped
	}
	return r.err
}

func (r *Recorder) run() {
	defer close(r.stopped)
	defer crash.Catch()
	ticker := time.NewTicker(drainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-r.done:
			r.drain()
			return
		case <-ticker.C:
		case <-r.wake:
		}
		r.drain()
	}
}

// drain writes what has come, in order. A line is held back as long as one that precedes it may still be on its way: a place is
// taken under the lock of a shard, so all places up to the one read before the shards are emptied are in them, or written.
func (r *Recorder) drain() {
	last := r.order.Load()
	for i := range r.shards {
		r.take(&r.shards[i], &r.queues[i])
	}
	for {
		var first *lines
		for i := range r.queues {
			if q := &r.queues[i]; q.waits(last) && (first == nil || q.order() < first.order()) {
				first = q
			}
		}
		if first == nil {
			break
		}
		r.write(first.pop())
	}
	if r.err == nil {
		r.fail(r.out.Flush())
	}
}

// take moves a shard's lines to its queue.
func (r *Recorder) take(s *shard, q *lines) {
	empty := q.next == len(q.ends)
	if empty {
		q.text, q.ends, q.next = q.text[:0], q.ends[:0], 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if empty {
		s.lines, *q = *q, s.lines
		return
	}
	before := len(q.text)
	for _, l := range s.lines.ends {
		q.ends = append(q.ends, line{l.order, before + l.end})
	}
	q.text = append(q.text, s.lines.text...)
	s.lines.text, s.lines.ends = s.lines.text[:0], s.lines.ends[:0]
}

func (q *lines) order() uint64 { return q.ends[q.next].order }

func (q *lines) waits(last uint64) bool { return q.next < len(q.ends) && q.order() <= last }

func (q *lines) pop() []byte {
	start := 0
	if q.next > 0 {
		start = q.ends[q.next-1].end
	}
	text := q.text[start:q.ends[q.next].end]
	q.next++
	return text
}

func (r *Recorder) write(text []byte) {
	if r.size += int64(len(text)); r.most > 0 && r.size > r.most {
		r.ended.Store(true) // for good, so that what is left has no holes
	}
	if r.err != nil || r.ended.Load() {
		r.drops.Add(1)
		return
	}
	_, err := r.out.Write(text)
	r.fail(err)
}

// writeJSON writes a header or an end.
func (r *Recorder) writeJSON(v any) {
	if r.err != nil {
		return
	}
	text, err := json.Marshal(v)
	if err == nil {
		_, err = r.out.Write(append(text, '\n'))
	}
	if err == nil {
		err = r.out.Flush()
	}
	r.fail(err)
}

func (r *Recorder) fail(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("writing the history: %w", err)
	}
}
