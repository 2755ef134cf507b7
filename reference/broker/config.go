package broker

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// SlowPolicy is what happens to a subscriber for which more than Config.Queue events wait.
type SlowPolicy string

const (
	// Disconnect closes its connection; it may resume.
	Disconnect SlowPolicy = "disconnect"
	// Drop skips its oldest waiting events and says so in a gap event.
	Drop SlowPolicy = "drop"
	// Coalesce skips all but the newest waiting event of each stream and says so in a gap event.
	Coalesce SlowPolicy = "coalesce"
	// Block keeps everything for it up to Config.BlockTimeout, then closes its connection.
	Block SlowPolicy = "block"
)

// SlowPolicies lists every policy, the default first.
var SlowPolicies = []SlowPolicy{Disconnect, Drop, Coalesce, Block}

// Config says how a broker behaves. The zero value is a working broker; a field's default applies when it is zero, and
// a negative value switches off what can be switched off.
type Config struct {
	HistoryEvents int           // events a stream keeps for resuming; default 10,000, negative for none
	HistoryBytes  int           // bytes a stream keeps at most, slow subscribers included; default 64 MiB
	HistoryAge    time.Duration // age up to which an event can be resumed from; default unlimited

	Queue        int           // events that may wait for one subscriber; default 1,024
	SlowPolicy   SlowPolicy    // default Disconnect
	BlockTimeout time.Duration // how long Block keeps a subscriber that is over its queue; default 5 s
	WriteTimeout time.Duration // for each write of at most 16 KiB; default 10 s
	SendBuffer   int           // bytes of the kernel's send buffer of one connection; default 64 KiB, negative leaves it

	Heartbeat time.Duration // longest silence before a comment is sent; default 15 s, negative for none
	Retry     time.Duration // reconnection time told to clients; default 2 s, negative for none

	MaxEventBytes           int     // largest payload; default 1 MiB
	MaxStreams              int     // streams that exist at once; default 100,000
	MaxStreamsPerConnection int     // default 256
	MaxConnections          int     // default unlimited
	MaxConnectionsPerUser   int     // default unlimited
	PublishRate             float64 // events per second and user over HTTP; default unlimited
	PublishBurst            int     // default: the events of one second

	CORSOrigins []string // origins allowed, or "*" for any without credentials; default none

	TokenKey      []byte // HS256 key; without one, everything is open
	TokenIssuer   string // required iss; default any
	TokenAudience string // required aud; default any

	// User names the user of a request for the limits; default the token's subject, else the remote address.
	User func(*http.Request) string

	Greeting      Signal        // the first event on each connection; default none
	Ping          Signal        // sent every PingEvery; default none
	PingEvery     time.Duration // default none
	SessionMaxAge time.Duration // connections are ended by the server at 90% to 100% of it; default never
	Farewell      Signal        // the last event before the server ends a connection because of its age; default none

	// Catch is deferred at the top of the broker's own goroutines, so that it can recover their panics; default: they end the process.
	Catch func()

	// Tamper breaks the broker on purpose, for mutants; nil is correct.
	Tamper *Tamper
}

// Signal is an event that the broker sends on its own. It has no id, so it never moves a position.
type Signal struct {
	Type string // event type; default message
	Data string
}

func (s Signal) set() bool { return s != Signal{} }

func (c Config) withDefaults() Config {
	setDefault(&c.HistoryEvents, 10_000)
	setDefault(&c.HistoryBytes, 64<<20)
	setDefault(&c.Queue, 1024)
	setDefault(&c.SlowPolicy, Disconnect)
	setDefault(&c.BlockTimeout, 5*time.Second)
	setDefault(&c.WriteTimeout, 10*time.Second)
	setDefault(&c.SendBuffer, 64<<10)
	setDefault(&c.Heartbeat, 15*time.Second)
	setDefault(&c.Retry, 2*time.Second)
	setDefault(&c.MaxEventBytes, 1<<20)
	setDefault(&c.MaxStreams, 100_000)
	setDefault(&c.MaxStreamsPerConnection, 256)
	setDefault(&c.PublishBurst, max(1, int(min(max(c.PublishRate, 0), mostPublishRate))))
	c.HistoryEvents = max(0, c.HistoryEvents)
	if c.Catch == nil {
		c.Catch = func() {}
	}
	return c
}

// mostPublishRate is more than any user publishes.
const mostPublishRate = 1e9

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	var errs []error
	if !c.SlowPolicy.known() {
		errs = append(errs, fmt.Errorf("slow policy is %q, want one of %v", c.SlowPolicy, SlowPolicies))
	}
	for name, value := range map[string]int{
		"history bytes": c.HistoryBytes, "queue": c.Queue, "max event bytes": c.MaxEventBytes,
		"max streams": c.MaxStreams, "max streams per connection": c.MaxStreamsPerConnection,
		"publish burst": c.PublishBurst,
	} {
		if value < 1 {
			errs = append(errs, fmt.Errorf("%s is %d, want > 0", name, value))
		}
	}
	for name, value := range map[string]time.Duration{
		"history age": c.HistoryAge, "ping interval": c.PingEvery, "session max age": c.SessionMaxAge,
	} {
		if value < 0 {
			errs = append(errs, fmt.Errorf("%s is %v, want >= 0", name, value))
		}
	}
	if !(c.PublishRate >= 0 && c.PublishRate <= mostPublishRate) { // also NaN
		errs = append(errs, fmt.Errorf("publish rate is %g, want 0 to %g", c.PublishRate, mostPublishRate))
	}
	for _, signal := range []Signal{c.Greeting, c.Ping, c.Farewell} {
		if err := checkType(signal.Type); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (p SlowPolicy) known() bool {
	for _, known := range SlowPolicies {
		if p == known {
			return true
		}
	}
	return false
}
