package server

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// stock is what a check keeps of all that its connections have received, in bytes, roughly.
type stock struct {
	budget *memory.Budget
	kept   atomic.Int64
}

// keep notes that so much more is kept, or less, and says why it may not be.
func (s *stock) keep(more int64) error {
	kept, room := s.kept.Add(more), s.budget.Keep(more)
	switch {
	case more <= 0:
	case kept > maxKept:
		return tooMuchError(fmt.Sprintf("more than %d MiB were to be kept of all connections together", maxKept>>20))
	case !room:
		return tooMuchError(fmt.Sprintf("the memory that it may use is used up: %v, see --memory", s.budget))
	}
	return nil
}

// tooMuchError is why the harness itself ended a connection.
type tooMuchError string

func (e tooMuchError) Error() string { return "the harness stopped reading: " + string(e) }

var errTooMuch = tooMuchError(fmt.Sprintf("more than %d MiB, %d pieces or %s came over one connection", maxBody>>20, maxPieces, conformance.Plural(maxEvents, "event")))

// tooMuch says whether the harness itself ended a connection.
func tooMuch(err error) bool { return errors.As(err, new(tooMuchError)) }
