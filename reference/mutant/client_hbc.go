package mutant

import (
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// clientHBCMutants are wrong about silence.
var clientHBCMutants = []Mutant{
	{
		Name:   "silence-is-noticed-late",
		Bug:    "It notices a silence after three times its idle timeout.",
		SeenIn: "Yaffle/EventSource#143",
		Kills:  []string{"SSE-HBC-001"},
		May: []May{
			{"SSE-HBC-003", "it notices a silence later"}, {"SSE-HBC-004", "it takes no timeout literally"}, {"SSE-HBC-006", "it notices a silence later"},
		},
		Client: func(c *client.Config) { c.Options.IdleTimeout *= 3 },
	},
	{
		Name: "comments-are-no-life", ID: "MC-29",
		Bug:    "Only an event starts its idle timeout anew.",
		SeenIn: "open-mercato/open-mercato#5406",
		Kills:  []string{"SSE-HBC-002"},
		May:    []May{{"SSE-HBC-001", "it counts from an event, and not from the comment behind"}, {"SSE-HBC-003", "it counts from an event"}, {"SSE-HBC-004", "it counts from an event"}},
		Client: watched(func(*watchdog) {}),
	},
	{
		Name: "idle-timeout-is-polled", ID: "MC-29",
		Bug:    "It looks every T whether something came: a silence is noticed after up to 2 T.",
		SeenIn: "Yaffle/EventSource#151",
		Kills:  []string{"SSE-HBC-003"},
		May:    []May{{"SSE-HBC-001", "it notices a silence later"}, {"SSE-HBC-006", "it notices a silence later"}},
		Client: watched(func(w *watchdog) { w.polls = true }),
	},
	{
		Name: "no-timeout-means-the-default", ID: "MC-29",
		Bug:    "It takes an idle timeout of 0 for its default of three seconds.",
		SeenIn: "sguiheux/EventSource#22",
		Kills:  []string{"SSE-HBC-004"},
		Client: func(c *client.Config) {
			if c.Options.IdleTimeout == 0 {
				c.Options.IdleTimeout = 3 * time.Second
			}
		},
	},
	{
		Name:   "heartbeats-are-messages",
		Bug:    "It hands a comment to the application as a message.",
		SeenIn: "plausible",
		Kills:  []string{"SSE-HBC-005"},
		May:    []May{{"SSE-PARSE", "its streams have comments"}},
		Client: observed(func(c *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, comment: func(text []byte) {
				o.Comment(text)
				_ = o.Event(sse.Event{Type: []byte("message"), Data: text, ID: []byte(c.Position())}) // the loss it asks for can wait
			}}
		}),
	},
	{
		Name:   "half-an-event-is-waited-for",
		Bug:    "In the middle of an event it waits three times its idle timeout for the rest.",
		SeenIn: "plausible: a timer of its own for the parts of an event",
		Kills:  []string{"SSE-HBC-006"},
		Client: watched(func(w *watchdog) { w.patient, w.polls, w.often = true, true, true }),
	},
}

// watchdog is an idle timeout of a mutant's own, in place of the client's.
type watchdog struct {
	timeout time.Duration
	polls   bool // it is asked at times that are fixed when the connection begins, and anything starts it anew
	often   bool // these times are a hundredth of the timeout apart
	patient bool // three times as long in the middle of an event

	mu      sync.Mutex
	heard   time.Time
	inEvent bool
}

// watched replaces the idle timeout of a client by a watchdog; without polls only an event starts it anew.
func watched(form func(w *watchdog)) func(*client.Config) {
	return func(c *client.Config) {
		w := &watchdog{timeout: c.Options.IdleTimeout}
		if w.timeout == 0 {
			return
		}
		c.Options.IdleTimeout = 0
		form(w)
		c.Tamper = &client.Tamper{
			Observe: func(cl *client.Client, o client.Observer) client.Observer { return w.observer(cl, o) },
			Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
				d.Reset()
				return feed(s, d, h, func(p []byte) []byte {
					w.note(false)
					w.ends(p[len(p)-1] != '\n')
					return p
				})
			},
		}
	}
}

// note is told of an event or of a beginning, or else of bytes.
func (w *watchdog) note(event bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if event || w.polls {
		w.heard = time.Now()
	}
}

// ends is told how a piece of the stream ends.
func (w *watchdog) ends(inEvent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inEvent = inEvent
}

func (w *watchdog) observer(c *client.Client, o client.Observer) client.Observer {
	var stop chan struct{}
	return &observer{
		Observer: o,
		opened: func(r *sse.Response) {
			o.Opened(r)
			w.note(true)
			stop = make(chan struct{})
			go w.watch(c, stop)
		},
		event: func(e sse.Event) error {
			w.note(true)
			return o.Event(e)
		},
		lost: func(l client.Loss) {
			if stop != nil {
				close(stop)
				stop = nil
			}
			if l.Opened && sse.CauseOf(l.Err) == sse.CauseCanceled {
				l.Err = sse.ErrIdle
			}
			o.Lost(l)
		},
	}
}

// watch disconnects the client when it has heard nothing for long enough.
func (w *watchdog) watch(c *client.Client, stop <-chan struct{}) {
	every := w.timeout / 100
	if w.polls && !w.often {
		every = w.timeout
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			w.mu.Lock()
			longest := w.timeout
			if w.patient && w.inEvent {
				longest *= 3
			}
			silent := now.Sub(w.heard) >= longest
			w.mu.Unlock()
			if silent {
				c.Disconnect()
				return
			}
		}
	}
}
