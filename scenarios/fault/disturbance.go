package fault

import "time"

// disturbance is one fault in force, on a line or on some of its connections. Powers that are not set change nothing; those
// that are functions are called with the line locked, so that they may keep state.
type disturbance struct {
	fault  string
	step   int32
	bitten bool

	refuse bool // new connections fail
	joins  bool // connections made while it is in force are disturbed as well
	hold   bool // nothing passes, in either direction
	buffer int  // bytes of the socket's receive buffer; where it is set, segments are small as well. 0 leaves both alone

	// pace says how many bytes may be read from the socket now; when none, ready is the time to ask again.
	pace func(now time.Time) (most int, ready time.Time)
	// arrive sees and changes what was read from the socket, and says whether that was a bite.
	arrive func(now time.Time, a *arrival) (bit bool)
}

// arrival is what one read from the socket brought.
type arrival struct {
	data  []byte // of at least one byte
	delay time.Duration
	lost  error // ends the connection after data
	done  bool  // the fault is over for this connection
}
