package mutant

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// Clients is every mutant that the cases of a client must catch: its Kills are requirements. Client is called once for each
// subscription, so what it keeps is that subscription's.
var Clients = slices.Concat(clientLineMutants, clientFieldMutants, clientTextMutants, clientAPIMutants, clientReconMutants, clientDelayMutants, clientHBCMutants, clientHTTPCMutants, clientAnswerMutants)

// tampered makes a tamper of one that has a hook.
func tampered(t client.Tamper) func(*client.Config) {
	return func(c *client.Config) {
		own := t
		c.Tamper = &own
	}
}

// bodied puts a filter between each connection's body and the decoder; newFilter is called at its beginning.
func bodied(newFilter func() func(p []byte) []byte) func(*client.Config) {
	return tampered(client.Tamper{Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
		d.Reset()
		return feed(s, d, h, newFilter())
	}})
}

// feed decodes a body behind a filter.
func feed(s *sse.Stream, d *sse.Decoder, h sse.Handler, filter func(p []byte) []byte) error {
	listener, _ := h.(sse.Listener)
	return s.Body(func(p []byte) error {
		err := d.Feed(filter(p), h)
		if err == nil && listener != nil {
			listener.Heard()
		}
		return err
	})
}

// lined changes each line before it is decoded. change gets it without its end and returns what takes its place, which may have further
// lines in front; keep is false when the line goes with its end. newChange is called at the beginning of each connection.
func lined(newChange func() func(line []byte) (changed []byte, keep bool)) func(*client.Config) {
	return bodied(func() func(p []byte) []byte {
		change := newChange()
		var line []byte
		afterCR, dropped, long := false, false, false
		return func(p []byte) []byte {
			var out []byte
			for _, b := range p {
				switch {
				case b == '\n' && afterCR:
					afterCR = false
					if !dropped {
						out = append(out, b)
					}
				case b == '\n' || b == '\r':
					afterCR = b == '\r'
					if long {
						out, line = append(append(out, line...), b), line[:0]
						long, dropped = false, false
						continue
					}
					changed, keep := change(line)
					if dropped = !keep; keep {
						out = append(append(out, changed...), b)
					}
					line = line[:0]
				default:
					afterCR = false
					line = append(line, b)
				}
			}
			if long = long || len(line) > longLine; long {
				out, line = append(out, line...), line[:0]
			}
			return out
		}
	})
}

// longLine is from where on a line is not kept for a change, but handed on as it comes.
const longLine = 8 << 10

// eachLine is lined for a change that remembers nothing.
func eachLine(change func(line []byte) (changed []byte, keep bool)) func(*client.Config) {
	return lined(func() func(line []byte) ([]byte, bool) { return change })
}

// field is a line's name and value; a comment has the name "" and a blank line too.
func field(line []byte) (name string, value []byte) {
	before, value, _ := bytes.Cut(line, []byte(":"))
	return string(before), bytes.TrimPrefix(value, []byte(" "))
}

func asField(name string, value []byte) []byte { return append([]byte(name+": "), value...) }

// handled puts a handler between the decoder and the client; newHandler is called at the beginning of each connection.
func handled(newHandler func(h sse.Listener) sse.Handler) func(*client.Config) {
	return tampered(client.Tamper{Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
		return s.Pump(d, newHandler(h.(sse.Listener)))
	}})
}

// handler is a Listener some of whose methods are replaced.
type handler struct {
	sse.Listener

	event func(e sse.Event) error
	heard func()
}

func (h *handler) Event(e sse.Event) error {
	if h.event == nil {
		return h.Listener.Event(e)
	}
	return h.event(e)
}

func (h *handler) Heard() {
	if h.heard != nil {
		h.heard()
	}
	h.Listener.Heard()
}

// eachEvent changes the events; keep is false for one that is lost.
func eachEvent(change func(e *sse.Event) (keep bool)) func(*client.Config) {
	return handled(func(l sse.Listener) sse.Handler {
		return &handler{Listener: l, event: func(e sse.Event) error {
			if !change(&e) {
				return nil
			}
			return l.Event(e)
		}}
	})
}

// observed puts an observer between a client and its own.
func observed(wrap func(c *client.Client, o client.Observer) client.Observer) func(*client.Config) {
	return tampered(client.Tamper{Observe: wrap})
}

// positioned replaces the position that connections resume from.
func positioned(newPosition func() func(position string) string) func(*client.Config) {
	return func(c *client.Config) {
		position := newPosition()
		c.Tamper = &client.Tamper{Position: func(_ *client.Client, correct string) string { return position(correct) }}
	}
}

// delayed replaces the delays.
func delayed(delay func(c *client.Config, w client.Wait) time.Duration) func(*client.Config) {
	return func(c *client.Config) {
		c.Tamper = &client.Tamper{Delay: func(w client.Wait) time.Duration { return delay(c, w) }}
	}
}

// observer is an Observer some of whose methods are replaced.
type observer struct {
	client.Observer

	request func(ctx context.Context, position string) (*sse.Request, error)
	opened  func(r *sse.Response)
	event   func(e sse.Event) error
	comment func(text []byte)
	heard   func()
	lost    func(l client.Loss)
}

func (o *observer) Request(ctx context.Context, position string) (*sse.Request, error) {
	if o.request == nil {
		return o.Observer.Request(ctx, position)
	}
	return o.request(ctx, position)
}

func (o *observer) Opened(r *sse.Response) {
	if o.opened == nil {
		o.Observer.Opened(r)
		return
	}
	o.opened(r)
}

func (o *observer) Event(e sse.Event) error {
	if o.event == nil {
		return o.Observer.Event(e)
	}
	return o.event(e)
}

func (o *observer) Comment(text []byte) {
	if o.comment == nil {
		o.Observer.Comment(text)
		return
	}
	o.comment(text)
}

func (o *observer) Heard() {
	if o.heard != nil {
		o.heard()
	}
	o.Observer.Heard()
}

func (o *observer) Lost(l client.Loss) {
	if o.lost == nil {
		o.Observer.Lost(l)
		return
	}
	o.lost(l)
}
