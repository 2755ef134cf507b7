package history

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// stored is an Observation as a line holds it.
type stored struct {
	At         *time.Duration `json:"t"`
	Kind       string         `json:"k"`
	Subscriber int32          `json:"s"`
	Connection int32          `json:"c"`
	Stream     int32          `json:"st"`
	Publisher  int32          `json:"p"`
	Number     uint64         `json:"n"`
	Due        time.Duration  `json:"due"`
	Sent       time.Duration  `json:"sent"`
	Took       time.Duration  `json:"took"`
	Low        time.Duration  `json:"low"`
	High       time.Duration  `json:"high"`
	Size       int64          `json:"b"`
	Attempt    int32          `json:"a"`
	Step       int32          `json:"step"`
	Status     int32          `json:"code"`
	Mark       Mark           `json:"mark"`
	Cause      string         `json:"why"`
	Acked      string         `json:"ack"`
	Half       bool           `json:"half"`
	Text       string         `json:"x"`
	Event      string         `json:"id"`
	Data       string         `json:"d"`

	Format string         `json:"streamgauge"` // set on a Header
	End    *time.Duration `json:"end"`         // set on an End
}

// observation fills o. A kind that this version does not know is no error and gives kind 0; a word it does not know is an error.
func (s *stored) observation(o *Observation) error {
	if s.At == nil {
		return errors.New("an observation has no time: \"t\" is missing")
	}
	if err := s.bounds(); err != nil {
		return err
	}
	*o = Observation{
		At: *s.At, Mark: s.Mark, Half: s.Half, Subscriber: s.Subscriber, Connection: s.Connection, Stream: s.Stream,
		Publisher: s.Publisher, Attempt: s.Attempt, Step: s.Step, Status: s.Status, Number: s.Number, Size: s.Size,
		Due: s.Due, Sent: s.Sent, Took: s.Took, Low: s.Low, High: s.High, Text: s.Text, Event: s.Event, Data: s.Data,
	}
	if i := slices.Index(kindNames[1:], s.Kind); i >= 0 {
		o.Kind = Kind(i + 1)
	}
	if s.Cause != "" {
		i := slices.Index(causeNames[:], s.Cause)
		if i < 0 {
			return fmt.Errorf("\"why\" is %q, want one of %s", s.Cause, strings.Join(causeNames[1:], ", "))
		}
		o.Cause = Cause(i)
	}
	if s.Acked != "" {
		i := slices.Index(ackedNames[:], s.Acked)
		if i < 0 {
			return fmt.Errorf("\"ack\" is %q, want acknowledged, rejected or indeterminate", s.Acked)
		}
		o.Acked = Acked(i)
	}
	return nil
}

// What no run reaches: a history comes from anywhere. A target may send whatever it likes: what was delivered has no bounds.
const (
	MaxNumber = 1 << 53                   // what JSON's numbers hold exactly (RFC 8259 §6)
	MaxTime   = 10 * 366 * 24 * time.Hour // either way
)

func (s *stored) bounds() error {
	if *s.At < -MaxTime || *s.At > MaxTime {
		return fmt.Errorf("\"t\" is %d ns, want at most ten years", *s.At)
	}
	if s.Kind == kindNames[Deliver] {
		return nil
	}
	if s.Number > MaxNumber || s.Size < -MaxNumber || s.Size > MaxNumber {
		return fmt.Errorf("\"n\" and \"b\" are at most %d", MaxNumber)
	}
	for _, d := range []time.Duration{s.Due, s.Sent, s.Took} {
		if d < -MaxTime || d > MaxTime {
			return fmt.Errorf("a time of %d ns, want at most ten years", d)
		}
	}
	return nil
}
