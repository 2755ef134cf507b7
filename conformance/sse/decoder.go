package sse

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// DefaultMaxEventBytes bounds a line, and the data of one event, unless a decoder says otherwise.
const DefaultMaxEventBytes = 16 << 20

// MaxRetry is the longest reconnection time that is reported: the largest number of milliseconds
// in a signed 32-bit integer, about 25 days. A longer hint is clamped to it, however many digits it has.
const MaxRetry = math.MaxInt32 * time.Millisecond

// ErrTooLong says that a line or the data of one event exceeded MaxEventBytes.
var ErrTooLong = errors.New("event too long")

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	message       = []byte("message")
)

// Decoder turns the bytes of an event stream into events (WHATWG HTML 9.2.6), however they are cut
// into pieces. The zero value is ready. It is not safe for concurrent use.
//
// An idle decoder holds nothing but its last event id: what is unfinished between two calls of Feed
// lives in a pooled buffer, and an event that lies wholly inside one call is never copied.
//
// Data is handed on as the bytes that were sent. The standard decodes the stream as UTF-8 first,
// which differs only for invalid UTF-8; [AppendText] gives that reading.
type Decoder struct {
	// MaxEventBytes bounds a line, and the data of one event; 0 means DefaultMaxEventBytes.
	MaxEventBytes int

	id      []byte // committed at the end of a block
	held    *held  // nil unless a block is unfinished
	started bool   // the first line was read, so a BOM is an ordinary character
	afterCR bool   // a LF that comes next belongs to the line end before it
}

// fields is what the lines of one block have set so far.
type fields struct {
	data, kind, id          []byte
	hasData, hasKind, hasID bool
	joined                  bool // data lies in held.data
	mixed                   bool // see [Event]
}

// held carries an unfinished block from one Feed to the next.
type held struct {
	fields
	line           []byte // bytes of a line whose end has not arrived
	data, kind, id []byte // the memory behind fields
}

var heldPool = sync.Pool{New: func() any { return new(held) }}

// LastEventID is the id to resume from: that of the last completed block that had one.
func (d *Decoder) LastEventID() string { return string(d.id) }

// SetLastEventID sets where a new connection resumes. Call it between connections only.
func (d *Decoder) SetLastEventID(id string) { d.id = append(d.id[:0], id...) }

// Reset prepares for a new connection: an unfinished block is dropped, the last event id is kept.
// HTML would blank the id at the first block of a connection that sends none; like the web
// platform tests and every browser, this decoder lets it survive.
func (d *Decoder) Reset() {
	d.release()
	d.started, d.afterCR = false, false
}

// Pending says that bytes of an unfinished block were read. At the end of a stream that is an
// event which was cut in the middle. Complete comment and retry lines leave nothing pending.
func (d *Decoder) Pending() bool {
	if d.held == nil {
		return false
	}
	onlyMark := !d.started && bytes.HasPrefix(byteOrderMark, d.held.line)
	return !onlyMark
}

// Feed decodes the next bytes of the stream. After an error, its own (ErrTooLong) or the
// handler's, the decoder must be Reset before it is fed again.
func (d *Decoder) Feed(p []byte, h Handler) error {
	if d.afterCR && len(p) > 0 {
		d.afterCR = false
		if p[0] == '\n' {
			p = p[1:]
		}
	}
	var f fields
	if d.held != nil {
		f = d.held.fields
	}
	// The next LF and CR are remembered so that a stream which uses only one of them is not
	// searched to its end for the other at every line.
	at, lf, cr := 0, -1, -1
	for at < len(p) {
		if lf < at {
			lf = indexFrom(p, at, '\n')
		}
		if cr < at {
			cr = indexFrom(p, at, '\r')
		}
		end := min(lf, cr)
		if end == len(p) {
			break
		}
		line := d.whole(p[at:end])
		at = end + 1
		if end == cr {
			if at == len(p) {
				d.afterCR = true
			} else if p[at] == '\n' {
				at++
			}
		}
		if err := d.line(line, &f, h); err != nil {
			d.release()
			return err
		}
	}
	return d.hold(&f, p[at:])
}

func indexFrom(p []byte, at int, c byte) int {
	if i := bytes.IndexByte(p[at:], c); i >= 0 {
		return at + i
	}
	return len(p)
}

// whole completes a line with what earlier calls held of it, and removes the byte order mark.
func (d *Decoder) whole(line []byte) []byte {
	if d.held != nil && len(d.held.line) > 0 {
		d.held.line = append(d.held.line, line...)
		line = d.held.line
		d.held.line = d.held.line[:0] // overwritten only after hold has copied the fields
	}
	if !d.started {
		d.started = true
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return line
}

func (d *Decoder) line(line []byte, f *fields, h Handler) error {
	if len(line) == 0 {
		return d.dispatch(f, h)
	}
	if len(line) > d.limit() {
		return d.tooLong()
	}
	colon := bytes.IndexByte(line, ':')
	if colon == 0 {
		h.Comment(line[1:])
		return nil
	}
	name, value := line, line[len(line):]
	if colon > 0 {
		name, value = line[:colon], line[colon+1:]
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
	}
	switch string(name) {
	case "data":
		return d.data(value, f)
	case "event":
		f.mixed = f.mixed || len(f.kind) > 0 && !bytes.Equal(f.kind, value)
		f.kind, f.hasKind = value, true
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			f.mixed = f.mixed || len(f.id) > 0 && !bytes.Equal(f.id, value)
			f.id, f.hasID = value, true
		}
	case "retry":
		if wait, ok := parseRetry(value); ok {
			h.Retry(wait)
		}
	}
	return nil
}

func (d *Decoder) data(value []byte, f *fields) error {
	if !f.hasData {
		f.data, f.hasData = value, true
		return nil
	}
	if len(f.data)+1+len(value) > d.limit() {
		return d.tooLong()
	}
	d.acquire()
	if !f.joined {
		d.held.data = append(d.held.data[:0], f.data...)
		f.joined = true
	}
	d.held.data = append(d.held.data, '\n')
	d.held.data = append(d.held.data, value...)
	f.data = d.held.data
	return nil
}

func (d *Decoder) dispatch(f *fields, h Handler) error {
	if f.hasID {
		d.id = append(d.id[:0], f.id...)
	}
	if !f.hasData {
		*f = fields{}
		return nil
	}
	e := Event{Type: f.kind, Data: f.data, ID: d.id, HasID: f.hasID, Mixed: f.mixed}
	if len(e.Type) == 0 {
		e.Type = message
	}
	*f = fields{}
	return h.Event(e)
}

// hold keeps an unfinished block and the start of its next line until more bytes come.
func (d *Decoder) hold(f *fields, rest []byte) error {
	if !f.hasData && !f.hasKind && !f.hasID {
		if len(rest) == 0 && (d.held == nil || len(d.held.line) == 0) {
			d.release()
			return nil
		}
	}
	d.acquire()
	k := d.held
	if f.hasData && !f.joined {
		k.data = append(k.data[:0], f.data...)
		f.data, f.joined = k.data, true
	}
	if f.hasKind {
		k.kind = append(k.kind[:0], f.kind...)
		f.kind = k.kind
	}
	if f.hasID {
		k.id = append(k.id[:0], f.id...)
		f.id = k.id
	}
	k.fields = *f
	if len(k.line)+len(rest) > d.limit() {
		d.release()
		return d.tooLong()
	}
	k.line = append(k.line, rest...)
	return nil
}

func (d *Decoder) acquire() {
	if d.held == nil {
		d.held = heldPool.Get().(*held)
	}
}

// release gives the held buffers back. Large ones go to the garbage collector, so that one giant
// event does not stay in memory for the rest of a run.
func (d *Decoder) release() {
	k := d.held
	if k == nil {
		return
	}
	d.held = nil
	const keep = 64 << 10
	if cap(k.line)+cap(k.data)+cap(k.kind)+cap(k.id) > keep {
		return
	}
	k.line = k.line[:0]
	heldPool.Put(k)
}

func (d *Decoder) limit() int {
	if d.MaxEventBytes > 0 {
		return d.MaxEventBytes
	}
	return DefaultMaxEventBytes
}

func (d *Decoder) tooLong() error {
	return fmt.Errorf("decoding the event stream: more than %d bytes: %w", d.limit(), ErrTooLong)
}

// parseRetry reads one or more ASCII digits as milliseconds. HTML leaves an empty value open
// ("consists of only ASCII digits" is vacuously true of it); here it changes nothing.
func parseRetry(value []byte) (time.Duration, bool) {
	if len(value) == 0 {
		return 0, false
	}
	const most = int64(MaxRetry / time.Millisecond)
	var ms int64
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		ms = min(ms*10+int64(c-'0'), most)
	}
	return time.Duration(ms) * time.Millisecond, true
}
