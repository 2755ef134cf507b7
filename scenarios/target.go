package scenarios

import (
	"time"

	"github.com/streamgauge/streamgauge/conformance/secret"
)

// Target is a server under test, as a target file describes it.
type Target struct {
	Name         string
	About        string
	Protocol     string // sse
	Subscribe    Subscribe
	Publish      *PublishRequest // nil: cannot publish
	Nodes        []string        // origins, as in https://a.example:8443, of a cluster whose nodes serve the same streams
	Ready        ReadyWhen
	Capabilities []Capability
	Heartbeat    time.Duration
	History      *HistoryLimit
	SlowPolicy   SlowPolicy
	TLS          TLS
	Auth         *Auth
	Admin        Admin
	Observe      Observe
	HTTP         string // "1.1" (default) | "2"
	GapEvent     string // type of the in-band event that tells of a hole after resume
	Order        string // total | per-publisher; "" when it promises neither: total is expected
	Ping         string // event type of application pings
	Greeting     string // event type of the greeting, "" when none

	requests *requests     // compiled templates, nil: not yet
	secrets  *secret.Hider // what must not be shown
}

// Subscribe is how a stream is opened. URL and header values are templates over .Stream, .Streams, .Subscriber, .Token.
type Subscribe struct {
	URL          string
	Headers      map[string]string
	LastEventID  string // how a position is sent: header (default) or query:NAME
	PositionFrom string // where a position is read from: id (default)
}

// PublishRequest is how a message is published. URL, headers and body parts are templates over .Stream, .Data, .Type, .Number, .Token.
type PublishRequest struct {
	Method  string
	URL     string
	Headers map[string]string
	Form    map[string]string
	JSON    any
	Body    string
	Accept  []int
	Timeout time.Duration
	Payload Payload // what it carries; "": what follows from where the request has its data
	Largest Bytes   // the largest payload that varying sizes reach; 0: no limit of its own

	AcceptBody string // the answer's body must match this regular expression, "" for any
	RejectBody string // and must not match this one
}

// ReadyWhen says from when on a message is owed.
type ReadyWhen string

const (
	ReadyHeaders    ReadyWhen = "headers"
	ReadyFirstByte  ReadyWhen = "first-byte"
	ReadyFirstEvent ReadyWhen = "first-event"
)

// HistoryLimit is how far back a subscriber can resume.
type HistoryLimit struct {
	Events int
	Age    time.Duration
}

// TLS is how the target's certificate is judged.
type TLS struct {
	CA         string
	ServerName string
	Insecure   bool
}

// Auth is how tokens are made: by a signing key (JWT, HS256) or by a command that prints one.
type Auth struct {
	Key     string
	Claims  map[string]any
	Command []string
	Cookie  string // the cookie that can carry a token as well, "" for none
}

// Admin is what may be done to the target from outside.
type Admin struct {
	Restart []string
	Drain   []string
	Revoke  []string // gets the token as STREAMGAUGE_TOKEN and its user as STREAMGAUGE_USER
}

// Observe is how the target's memory is seen.
type Observe struct {
	PID     int
	PIDFile string   // holds the process id
	Command []string // prints it
	Port    int      // its process listens there
	Metrics string   // URL of a Prometheus exposition with process_resident_memory_bytes
}

// Process says that a process of this machine is named.
func (o *Observe) Process() bool {
	return o.PID > 0 || o.PIDFile != "" || len(o.Command) > 0 || o.Port > 0
}

// Patience is how long nothing may come from the target before its connection can be taken for dead.
func (t *Target) Patience() time.Duration { return t.Heartbeat * 3 / 2 }

// Given says that there is something to look at.
func (o *Observe) Given() bool { return o.Process() || o.Metrics != "" }
