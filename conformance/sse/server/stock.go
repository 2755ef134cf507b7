package server

import (
	"errors"
	"fmt"
	"sync/atomic"

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
		return tooMuchError(fmt.Sprintf("more than %s were to be kept of all connections together; --only judges fewer requirements at a time", memory.Size(int64(maxKept))))
	case !room:
		return tooMuchError(fmt.Sprintf("the memory that it may use is used up, which is %v: --memory allows it more", s.budget))
	}
	return nil
}

// tooMuchError is why the harness itself ended a connection.
type tooMuchError string

func (e tooMuchError) Error() string { return "the harness stopped reading: " + string(e) }

// over says which limit of a connection was passed. No flag raises one: each is far beyond what the case publishes.
func over(limit string) error {
	return tooMuchError(fmt.Sprintf("more than %s came over one connection, which is more than was published to it", limit))
}

// tooMuch says whether the harness itself ended a connection.
func tooMuch(err error) bool { return errors.As(err, new(tooMuchError)) }
