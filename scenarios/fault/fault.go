// Package fault is what the environment can do wrong to a subscriber or to the target: one file per fault.
//
// A fault on a subscriber takes effect on the harness's side of its connections: each subscriber dials through a Line, which
// wraps what it dials, below TLS. A fault on the target is carried out by a Target. A fault reports through Line.Bite when it
// really took effect; one that never does has proven nothing.
//
// A new fault is one file with its constructor, one entry in Faults, and one in the scenario format.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrFault is wrapped by every error that a fault causes, so that a client can tell the harness's doing from the target's.
var ErrFault = errors.New("fault of the harness")

// Fault is one thing that can go wrong. Either Begin is set, or OnTarget.
type Fault struct {
	Name     string
	About    string
	Lasting  bool                                                     // stays until End; the others are over at once or when they have bitten
	Begin    func(l *Line, p Params)                                  // does not block
	End      func(l *Line, p Params)                                  // lifts what Begin began with the same step; nil unless Lasting
	OnTarget func(ctx context.Context, target Target, p Params) error // an error is the harness's: the fault could not be caused
}

// Params is how one step of the timeline wants its fault. Each fault reads only what concerns it.
type Params struct {
	Step   int32         // index in the timeline; tells the faults in force on a line apart
	For    time.Duration // cut: how long it waits for data, 0 means 10 s
	Delay  time.Duration // latency
	Jitter time.Duration // latency: the delay varies by up to this in both directions
	Read   int64         // slow: bytes per second
	Least  int           // cut: bytes that an event has at least
	Seed   uint64        // decides everything random, together with the line's subscriber
}

// Target carries out the faults on a target. Both return when the target's owner says that it is done, which need not mean
// that it serves again.
type Target interface {
	Restart(ctx context.Context) error
	Drain(ctx context.Context) error
}

// Faults are all faults there are.
var Faults = []Fault{
	closeFault,
	resetFault,
	cutFault,
	stallFault,
	slowFault,
	refuseFault,
	latencyFault,
	restartFault,
	drainFault,
}

// ByName finds a fault; ok is false when there is none of that name.
func ByName(name string) (f Fault, ok bool) {
	for _, f := range Faults {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}

// lost is what a subscriber reads from a connection that a fault has ended.
func lost(fault string, step int32) error {
	return fmt.Errorf("connection lost to %s, step %d: %w", fault, step, ErrFault)
}
