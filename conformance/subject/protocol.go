// Package subject is a client under test as the harness sees it: a program, a page or a piece of code behind an adapter that speaks
// JSON, one object a line. The harness tells it what to open and to close; the adapter reports, from the client's own
// callbacks, what an application would see.
//
// A [Session] is the harness's end of a conversation, [Serve] the adapter's, for clients written in Go. docs/adapters.md describes the
// protocol for everybody else.
package subject

import "time"

// Version is that of the protocol.
const Version = 1

// Hello is what an adapter says first.
type Hello struct {
	Proto   int      `json:"proto"`
	Name    string   `json:"name"`
	Version string   `json:"version,omitempty"`
	Lang    string   `json:"lang,omitempty"`
	Profile string   `json:"profile,omitempty"` // sdk-client, which is the default, or whatwg-client
	Caps    []string `json:"caps,omitempty"`
	Policy  *Policy  `json:"policy,omitempty"` // nil: nothing is declared
	Unsaid  []string `json:"unsaid,omitempty"` // what the client's interface does not tell: whether an error is fatal, its cause, what comes after it was closed
}

// Capability is an optional ability that an adapter declares.
type Capability string

const (
	Retry         Capability = "retry"           // open takes retry_ms, the first reconnection time
	LastEventID   Capability = "last-event-id"   // open takes last_event_id, a position to begin at
	Headers       Capability = "headers"         // open takes headers
	Method        Capability = "method"          // open takes method and body
	Post          Capability = "post"            // the same, for POST alone
	Comments      Capability = "comments"        // comments are reported
	Opens         Capability = "open"            // the beginning of each connection is reported
	State         Capability = "state"           // errors and opens say in which state the client is
	IdleTimeout   Capability = "idle-timeout"    // open takes idle_timeout_ms
	Backoff       Capability = "backoff"         // the client backs off as its policy says
	Restart       Capability = "restart"         // the command restart is understood
	RawBytes      Capability = "raw-bytes"       // data that are not UTF-8 are handed through
	HTTP2         Capability = "h2"              // speaks HTTP/2
	TLSCA         Capability = "tls-ca"          // open takes tls_ca, PEM of an authority to trust
	Redirects     Capability = "redirects"       // redirects are followed
	MaxEventBytes Capability = "max-event-bytes" // a documented limit of an event's size
	Multi         Capability = "multi"           // several connections at once
	TimeScale     Capability = "time-scale"      // open takes time_scale, which all times of the policy are multiplied by
	Dedupe        Capability = "dedupe"          // replayed events that were delivered before are dropped
	MaxAttempts   Capability = "max-attempts"    // open takes max_attempts, the failures in a row after which the client gives up
	Tokens        Capability = "tokens"          // open takes tokens, which a callback gives the client as bearer tokens, one for each attempt
	CORS          Capability = "cors"            // the client is a page of another origin, and its browser checks what it may read
)

// Capabilities are all that an adapter can declare.
var Capabilities = []Capability{
	Retry, LastEventID, Headers, Method, Post, Comments, Opens, State, IdleTimeout, Backoff, Restart, RawBytes, HTTP2, TLSCA, Redirects,
	MaxEventBytes, Multi, TimeScale, Dedupe, MaxAttempts, Tokens, CORS,
}

// Policy is what a client is meant to do about lost connections and failed attempts.
type Policy struct {
	RetryStatus []int  `json:"retry_status,omitempty"` // statuses after which it tries again
	StopStatus  []int  `json:"stop_status,omitempty"`  // statuses after which it gives up
	Backoff     *Delay `json:"backoff,omitempty"`      // nil: not declared
}

// Delay is a declared backoff. Times are in milliseconds.
type Delay struct {
	BaseMS       float64 `json:"base_ms"`
	Factor       float64 `json:"factor,omitempty"`
	CapMS        float64 `json:"cap_ms,omitempty"`
	Jitter       float64 `json:"jitter,omitempty"` // share of the delay, 0 to 1
	Spread       string  `json:"spread,omitempty"` // where jitter moves it: up, down, both or full (0 to the delay); "" leaves that open
	Reset        string  `json:"reset,omitempty"`  // when growth starts anew: on-open, on-event or never; "" leaves that open
	ResetAfterMS float64 `json:"reset_after_ms,omitempty"`
	OwnTime      bool    `json:"own_time,omitempty"`     // retry: fields of the stream change nothing
	SilenceMS    float64 `json:"silence_ms,omitempty"`   // how long an open connection may be silent before it counts as dead; 0: for ever
	ComeBackOn   string  `json:"come_back_on,omitempty"` // the type of an event by which a server asks the client to come back
}

// Open is what a client is to open. The zero values of all but the URL leave the choice to the client.
type Open struct {
	URL           string            `json:"url"`
	Headers       map[string]string `json:"headers,omitempty"`
	Method        string            `json:"method,omitempty"`
	Body          string            `json:"body,omitempty"`
	LastEventID   string            `json:"last_event_id,omitempty"`
	RetryMS       int               `json:"retry_ms,omitempty"`
	IdleTimeoutMS *int              `json:"idle_timeout_ms,omitempty"`
	TimeScale     float64           `json:"time_scale,omitempty"` // 0 means 1
	MaxAttempts   int               `json:"max_attempts,omitempty"`
	Tokens        []string          `json:"tokens,omitempty"` // the last is given again and again
	TLSCA         string            `json:"tls_ca,omitempty"`
	Listen        []string          `json:"listen,omitempty"` // event types that must be asked for by name, where a client wants that
}

// Kinds of reports.
const (
	EvHello   = "hello"
	EvOpen    = "open"
	EvEvent   = "event"
	EvComment = "comment"
	EvError   = "error"
	EvClosed  = "closed"
	EvSync    = "sync"
)

// Report is one line of an adapter.
type Report struct {
	Ev          string  `json:"ev"`
	Conn        string  `json:"conn,omitempty"`
	Type        string  `json:"type,omitempty"`
	Data        *string `json:"data,omitempty"`
	DataB64     []byte  `json:"data_b64,omitempty"` // instead of Data, when that is not valid UTF-8
	LastEventID string  `json:"last_event_id,omitempty"`
	Text        string  `json:"text,omitempty"`
	State       string  `json:"state,omitempty"` // connecting | open | closed
	Fatal       bool    `json:"fatal,omitempty"`
	Cause       Cause   `json:"cause,omitempty"`
	Status      int     `json:"status,omitempty"`
	Message     string  `json:"message,omitempty"`
	Origin      string  `json:"origin,omitempty"`
	Seq         int     `json:"seq,omitempty"`

	At time.Time `json:"-"` // when the harness read it
}

// Cause is why an attempt or a connection failed, as the client tells.
type Cause string

const (
	CauseStatus  Cause = "status"
	CauseType    Cause = "type"
	CauseNetwork Cause = "network"
	CauseTimeout Cause = "timeout"
	CauseParse   Cause = "parse"
	CauseTLS     Cause = "tls"
)

// Causes are all that an adapter can name.
var Causes = []Cause{CauseStatus, CauseType, CauseNetwork, CauseTimeout, CauseParse, CauseTLS}

// Bytes are an event's data.
func (r *Report) Bytes() []byte {
	if r.Data != nil {
		return []byte(*r.Data)
	}
	return r.DataB64
}

// command is one line of the harness.
type command struct {
	Seq  int    `json:"seq,omitempty"`
	Cmd  string `json:"cmd"`
	Conn string `json:"conn,omitempty"`
	*Open
}

const (
	cmdOpen    = "open"
	cmdClose   = "close"
	cmdRestart = "restart"
	cmdSync    = "sync"
	cmdExit    = "exit"
)
