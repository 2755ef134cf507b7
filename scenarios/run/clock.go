package run

import "time"

// clock tells the time since a run began, monotonic.
type clock struct{ epoch time.Time }

func newClock() clock { return clock{epoch: time.Now()} }

func (c clock) now() time.Duration { return time.Since(c.epoch) }

// sleep waits until the run is d old; it says false when done was closed first.
func (c clock) sleep(d time.Duration, done <-chan struct{}) bool {
	wait := d - c.now()
	if wait <= 0 {
		select {
		case <-done:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}

// at is how old the run was at an instant.
func (c clock) at(t time.Time) time.Duration { return t.Sub(c.epoch) }
