// Package server holds the cases that judge a server of event streams: one file per area of the catalogue, each case a
// transcript of what is sent, what is seen and what that amounts to.
//
// What the cases need of the outside is a [Subject], a struct of functions; what they use is a [Trial]. [NewSuite] joins the two with
// [Cases].
package server

import (
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Subject is a server under test and all the access to it that was granted. Functions that are nil are access that is missing.
type Subject struct {
	Name string
	Kind string // target | reference
	URL  string // where it is, without secrets

	// Subscribe makes the request of a subscription; required.
	Subscribe func(ctx context.Context, s Subscription) (*sse.Request, error)
	TLS       *tls.Config // for https
	Secure    string      // an https origin at which the same streams are served as well, "" for none
	Shared    bool        // there is one stream whatever its name: others may publish there too
	Many      bool        // one connection can follow several streams
	Ready     string      // headers | first-byte | first-event: from when on a message is owed

	Publish func(ctx context.Context, m Message) Receipt
	Types   bool // messages can be given a type
	IDs     bool // messages can be given an id, also an empty one

	Mint   func(ctx context.Context, g Grant) (string, error) // tokens
	Rights Rights                                             // what those tokens tell apart
	Key    []byte                                             // the HS256 key behind Mint, so that wrong tokens can be made
	Claims func(g Grant) (map[string]any, error)              // what Mint would sign, for wrong tokens

	Credentials []Credential // that each subscription carries beside tokens
	Admission   []Credential // that each publish carries, tokens among them

	Revoke func(ctx context.Context, g Grant, token string) error // withdraws what was granted with a token
	Cookie string                                                 // the cookie that can carry a token; "": none
	Nodes  []string                                               // origins of one cluster, which serve the same streams

	Restart func(ctx context.Context) error
	Drain   func(ctx context.Context) error
	Memory  func(ctx context.Context) (bytes uint64, err error)
	Files   func(ctx context.Context) (open int, err error)

	Processor func(ctx context.Context) (used time.Duration, err error) // of the process, since it began
	Processes conformance.Processes                                     // its processes; nil where it has none of its own

	Origin *OriginServer // behind a gateway; nil: the subject is a server

	Capabilities []string      // publish, resume, heartbeat, …: as the target file declares them
	Heartbeat    time.Duration // the longest silence it declares; 0: not declared
	History      int           // events that a stream keeps; 0: not declared
	HistoryAge   time.Duration // how old what it keeps becomes; 0: not declared
	SlowPolicy   string        // disconnect | drop | coalesce | block; "": not declared
	Gap          string        // event type that tells of a hole; "": none
	Greeting     string        // event type of a connection's first event; "": none
	Ping         string        // event type of application pings; "": none
	TotalOrder   bool          // all subscribers of a stream agree on its order

	// Parameters are requirement parameters that fit this subject better than the defaults: id → name → value.
	Parameters map[string]map[string]string
	// Redact hides the subject's secrets in a text; nil: there are none.
	Redact func(text string) string
	// RedactPieces is Redact for a text in pieces, over whose edges a secret may go; nil: there are none.
	RedactPieces func(pieces []string) []string
	// RedactHeader hides the secrets in the value of a header; nil: there are none.
	RedactHeader func(name, value string) string
}

// Subscription is what a subscriber asks for.
type Subscription struct {
	Client   string // who subscribes: two of one client are told from two of two by this alone
	Streams  []string
	Position string // Last-Event-ID, sent as the subject wants it; "" for none
	Token    string // "" for none
}

// Rights says by what tokens differ that differ in what they allow. The zero value is of tokens that say nothing of rights: whoever has one may
// do everything.
type Rights struct {
	Streams bool // by the streams that may be followed
	Clients bool // by the client, whose name is in the address of its subscription too
	Publish bool // by whether they allow publishing
}

// Credential is where a request carries something without which nobody is let in.
type Credential struct {
	In   string // header | query | userinfo
	Name string // of the field or the parameter
}

// Grant is what a token is to allow. A zero Life is long enough for any case.
type Grant struct {
	User      string
	Subscribe []string // streams
	Publish   []string
	Life      time.Duration
}

// Message is what is published.
type Message struct {
	Stream string
	Type   string
	Data   string
	Number uint64
	Token  string  // "" takes one of the harness's own
	ID     *string // nil leaves it to the subject

	Edit func(r *http.Request) // changes the request before it is sent; nil: leaves it
}

// Acceptance is what became of a publish.
type Acceptance uint8

const (
	Indeterminate Acceptance = iota // no answer: it may be delivered or not
	Acknowledged
	Rejected
)

// Receipt is the answer to a publish.
type Receipt struct {
	Acceptance Acceptance
	Status     int
	Header     map[string][]string
	Body       string // at most its first 4 KiB
	Err        error  // why there was no answer
	Began      time.Time
	Took       time.Duration
}

// Can says whether the subject declares a capability.
func (s *Subject) Can(capability string) bool { return slices.Contains(s.Capabilities, capability) }

// Declares says whether the subject promises something, in the words of the catalogue's declarations: what it declares it must keep.
func (s *Subject) Declares(word string) bool {
	switch word {
	case "publish":
		return s.Publish != nil
	case "headers":
		return s.Ready == "" || s.Ready == word
	case "heartbeat":
		return s.Heartbeat > 0
	case "history":
		return s.History > 0 || s.HistoryAge > 0
	case "slow_policy":
		return s.SlowPolicy != ""
	case "greeting":
		return s.Greeting != ""
	case "gap":
		return s.Gap != ""
	case "nodes":
		return len(s.Nodes) > 1
	case "drain":
		return s.Drain != nil
	case "through":
		return s.Origin != nil
	}
	return s.Can(word)
}

// lacks says why a requirement cannot be judged with the access there is; "" when it can.
func (s *Subject) lacks(r *conformance.Requirement) string {
	for _, need := range r.Needs {
		if reason, have := s.access(need); !have {
			return reason
		}
	}
	return ""
}

// protected says whether the subject's streams are not for everybody.
func (s *Subject) protected() bool { return s.Mint != nil || s.Can("auth") || len(s.Credentials) > 0 }

func (s *Subject) access(need conformance.Access) (reason string, have bool) {
	switch need {
	case conformance.AccessSubscribe:
		return "", true
	case conformance.AccessPublish:
		return "needs a publisher: describe publish in the target file", s.Publish != nil
	case conformance.AccessAuth:
		return "needs protected streams: describe auth in the target file, or add auth to its capabilities", s.protected()
	case conformance.AccessTokens:
		return "needs tokens: describe auth in the target file", s.Mint != nil
	case conformance.AccessKey:
		return "needs the signing key, to make wrong tokens: describe auth.jwt in the target file", len(s.Key) > 0
	case conformance.AccessCookie:
		return "needs authentication by cookie: describe auth.cookie in the target file", s.Cookie != "" && s.Mint != nil
	case conformance.AccessRevoke:
		return "needs a way to withdraw a token's rights: describe admin.revoke in the target file", s.Revoke != nil
	case conformance.AccessNodes:
		return "needs several addresses of one cluster: describe nodes in the target file", len(s.Nodes) > 1
	case conformance.AccessRestart:
		return "needs a command that restarts the target: describe admin.restart in the target file", s.Restart != nil
	case conformance.AccessDrain:
		return "needs a command that drains the target: describe admin.drain in the target file", s.Drain != nil
	case conformance.AccessMemory:
		return "needs to see the target's memory: describe observe in the target file", s.Memory != nil
	case conformance.AccessFiles:
		return "needs to see how many files the target has open: describe observe in the target file", s.Files != nil
	case conformance.AccessProxy:
		return "needs a gateway with the harness on both sides of it: see streamgauge check --through", s.Origin != nil
	default:
		return "needs " + string(need) + ", which a target file cannot grant yet", false
	}
}
