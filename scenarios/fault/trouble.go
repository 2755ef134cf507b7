package fault

import "time"

const (
	maxRead     = 4 << 10  // bytes of one read from a disturbed connection's socket
	maxArrived  = 1 << 20  // bytes kept back for the subscriber; past it the socket is not read, which holds the target up
	maxWithheld = 64 << 10 // bytes kept back from the target; past it writes block
)

// trouble is the state of a disturbed connection, guarded by the line's lock.
type trouble struct {
	in       []*disturbance
	arrived  []parcel // not yet delivered
	size     int      // bytes in arrived
	buffer   []byte
	reading  bool   // the reader is in the socket, with a buffer that is not the subscriber's
	withheld []byte // written by the subscriber, not yet sent
	flushing bool
	lost     error         // the fault that ended the connection
	changed  chan struct{} // closed and replaced at each change
}

// parcel is data, or the error that ends it, to be delivered not before its due time and after all parcels before it. An error
// stays the last parcel for ever.
type parcel struct {
	data []byte
	err  error
	due  time.Time
}

func (t *trouble) keep(p parcel) {
	t.arrived = append(t.arrived, p)
	t.size += len(p.data)
}

// deliver moves what is due into p.
func (t *trouble) deliver(p []byte, now time.Time) (n int, err error) {
	for len(t.arrived) > 0 && !t.arrived[0].due.After(now) {
		head := &t.arrived[0]
		if head.err != nil {
			if n == 0 {
				err = head.err
			}
			break
		}
		moved := copy(p[n:], head.data)
		head.data = head.data[moved:]
		n, t.size = n+moved, t.size-moved
		if len(head.data) > 0 {
			break
		}
		*head = parcel{}
		t.arrived = t.arrived[1:]
	}
	return n, err
}

// window says how many bytes may be read from the socket now, and when to look again (zero: at the next change).
func (t *trouble) window(now time.Time) (most int, ready time.Time) {
	if t.holds() {
		return 0, time.Time{}
	}
	most = maxRead
	if n := len(t.arrived); n > 0 {
		ready = t.arrived[0].due
		if t.arrived[n-1].err != nil || t.size >= maxArrived {
			most = 0
		}
	}
	for _, d := range t.in {
		if d.pace == nil || most == 0 {
			continue
		}
		allowed, again := d.pace(now)
		most = min(most, allowed)
		if allowed == 0 {
			ready = earliest(ready, again)
		}
	}
	return most, ready
}

func (t *trouble) scratch(size int) []byte {
	if cap(t.buffer) < size {
		t.buffer = make([]byte, size)
	}
	return t.buffer[:size]
}

func (t *trouble) holds() bool {
	for _, d := range t.in {
		if d.hold {
			return true
		}
	}
	return false
}

// ended says that a fault has closed the socket.
func (t *trouble) ended() bool { return t.lost != nil }

func (t *trouble) over() bool {
	return len(t.in) == 0 && len(t.arrived) == 0 && len(t.withheld) == 0 && !t.reading && !t.flushing && !t.ended()
}

// earliest is the earlier of two times, where zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func passed(deadline, now time.Time) bool {
	return !deadline.IsZero() && !now.Before(deadline)
}

// wait returns at a change or at a time, where zero means never.
func wait(changed <-chan struct{}, until time.Time) {
	if until.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}
