package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// replay reads the observations of one run from a history, which another program may have written: it says of each line that cannot be
// right where it stands, and fills in what such a program need not tell.
type replay struct {
	reader  *history.Reader
	config  *check.Config
	foreign bool                // it was not written by a run of this program
	sent    map[[2]int32][]sent // by stream and publisher, of the message with the index as its number less 1
	over    bool                // the run said that it was over
	wrong   []error
}

// sent is when a message was due and when it was sent.
type sent struct{ due, at time.Duration }

// mostWrong bounds how many lines are complained of.
const mostWrong = 20

func newReplay(r *history.Reader, c *check.Config) *replay {
	return &replay{reader: r, config: c, foreign: c.Run == "", sent: map[[2]int32][]sent{}}
}

// run hands on every observation. What is wrong with the lines is returned together.
func (p *replay) run(observe func(*history.Observation)) error {
	var o history.Observation
	for {
		err := p.reader.Read(&o)
		var line *history.LineError
		switch {
		case errors.Is(err, io.EOF):
			return errors.Join(p.wrong...)
		case errors.As(err, &line):
			p.complain(err)
		case err != nil:
			return errors.Join(append(p.wrong, err)...)
		default:
			if text := p.misplaced(&o); text != "" {
				p.complain(&history.LineError{Line: p.reader.Line(), Err: errors.New(text)})
				continue
			}
			p.complete(&o)
			if len(p.wrong) == 0 {
				observe(&o)
			}
		}
		if len(p.wrong) > mostWrong {
			return errors.Join(append(p.wrong[:mostWrong], errors.New("and more lines that are wrong"))...)
		}
	}
}

func (p *replay) complain(err error) { p.wrong = append(p.wrong, err) }

// misplaced says why an observation names what the header does not plan, "" when it does not.
func (p *replay) misplaced(o *history.Observation) string {
	subscribers, streams := int32(len(p.config.Subscribers)), int32(len(p.config.Streams))
	switch o.Kind {
	case history.Publish, history.Ack, history.Ready:
		if o.Stream < 0 || o.Stream >= streams {
			return fmt.Sprintf("%q is %d, but config.streams has %s", "st", o.Stream, upToIndex(streams))
		}
		if publishers := p.config.PublishersOf(int(o.Stream)); o.Publisher < 0 || o.Publisher >= publishers {
			return fmt.Sprintf("%q is %d, but config.publishers gives stream %d %s", "p", o.Publisher, o.Stream, upToIndex(publishers))
		}
		if o.Number == 0 {
			return `"n", the number of the message from 1, is missing`
		}
		if o.Kind != history.Ready {
			return ""
		}
	case history.Phase, history.Memory, history.Anomaly, history.Receipt, history.FaultBegin, history.FaultBite, history.FaultEnd, history.SlowBegin, history.SlowEnd:
		return ""
	}
	if first := p.config.First; o.Subscriber < first || o.Subscriber >= first+subscribers {
		return fmt.Sprintf("%q is %d, but config.subscribers has %s", "s", o.Subscriber, upToIndex(subscribers))
	}
	return ""
}

func upToIndex(n int32) string {
	switch n {
	case 0:
		return "none"
	case 1:
		return "one, with the index 0"
	}
	return fmt.Sprintf("%d, from 0 to %d", n, n-1)
}

// complete fills in when a message was due, where only the times of its publish and delivery are told.
func (p *replay) complete(o *history.Observation) {
	key := [2]int32{o.Stream, o.Publisher}
	switch o.Kind {
	case history.Phase:
		p.over = p.over || o.Text == "end" || o.Text == "interrupted"
	case history.Publish:
		if !p.foreign {
			return
		}
		if o.Due == 0 {
			o.Due = o.At
		}
		if next := uint64(len(p.sent[key])) + 1; o.Number == next {
			p.sent[key] = append(p.sent[key], sent{o.Due, o.At})
		}
	case history.Deliver:
		if known := p.sent[key]; p.foreign && o.Due == 0 && o.Sent == 0 && o.Number > 0 && o.Number <= uint64(len(known)) {
			o.Due, o.Sent = known[o.Number-1].due, known[o.Number-1].at
		}
	}
}

// notes say what was left out of the history.
func (p *replay) notes() (notes []string) {
	unknown := p.reader.Unknown()
	for _, kind := range slices.Sorted(maps.Keys(unknown)) {
		lines := "a line"
		if n := unknown[kind]; n > 1 {
			lines = conformance.Plural(n, "line")
		}
		notes = append(notes, fmt.Sprintf("%s of the kind %q, which this version does not know, left out%s", lines, kind, nearKind(kind)))
	}
	return notes
}

// nearKind names the kind that was probably meant.
func nearKind(kind string) string {
	if text := hint(kind, history.Kinds(), ""); text != "" {
		return ": " + strings.TrimSuffix(text, "?") + "?"
	}
	return ""
}
