package scenarios

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// SubscribeVars is what a subscription's templates can use.
type SubscribeVars struct {
	Stream     string   // the first of Streams
	Streams    []string // all that the subscriber follows
	Subscriber int
	Token      string // minted as the target's auth says, "" without
}

// PublishVars is what a publication's templates can use.
type PublishVars struct {
	Stream string
	Data   string
	Type   string
	Number uint64
	Token  string
	ID     string // of the event, where the publisher chooses it
	HasID  bool   // also for an empty one
}

// Request is one rendered HTTP request.
type Request struct {
	Method string
	URL    string
	Header http.Header // the caller's own
	Body   []byte      // nil for a subscription
}

// Prepare compiles the target's templates. A target that was loaded is prepared; one that code put together need not be, but
// is much faster when it is. Call it before the target is in use.
func (t *Target) Prepare() error {
	made, problems := compileRequests(t)
	if len(problems) > 0 {
		return fmt.Errorf("target %s: %s: %w", t.Name, problems[0].key, problems[0].err)
	}
	t.requests = made
	return nil
}

func (t *Target) prepared() (*requests, error) {
	if t.requests != nil {
		return t.requests, nil
	}
	copied := *t
	err := copied.Prepare()
	return copied.requests, err
}

// SubscribeRequest renders the request that opens a stream. It sets neither Accept nor Last-Event-ID: those are the client's.
// Values are escaped where they enter the URL. Safe for concurrent use, as PublishRequest and Claims are.
func (t *Target) SubscribeRequest(vars SubscribeVars) (Request, error) {
	r, err := t.prepared()
	if err != nil {
		return Request{}, err
	}
	return r.subscribe.render(vars.complete())
}

func (v SubscribeVars) complete() SubscribeVars {
	if v.Stream == "" && len(v.Streams) > 0 {
		v.Stream = v.Streams[0]
	}
	if v.Streams == nil && v.Stream != "" {
		v.Streams = []string{v.Stream}
	}
	return v
}

// PublishRequest renders the request that publishes one message, with its Content-Type. Values are escaped where they enter
// the URL, a form or JSON; a plain body takes them as they are, unless it says {{.Data | json}}.
func (t *Target) PublishRequest(vars PublishVars) (Request, error) {
	r, err := t.prepared()
	if err != nil {
		return Request{}, err
	}
	if r.publish == nil {
		return Request{}, errors.New("the target cannot publish")
	}
	return r.publish.render(vars)
}

// Claims renders the claims of a subscriber's token; nil when the target's tokens have none.
func (t *Target) Claims(vars SubscribeVars) (map[string]any, error) {
	r, err := t.prepared()
	if err != nil || r.claims == nil {
		return nil, err
	}
	rendered, err := renderTree(r.claims, vars.complete())
	claims, _ := rendered.(map[string]any)
	return claims, err
}

// FollowsMany says whether one connection can follow several streams.
func (t *Target) FollowsMany() bool {
	r, err := t.prepared()
	return err == nil && r.subscribe.uses("Streams")
}

// Can says whether the target declares the capability.
func (t *Target) Can(c Capability) bool { return slices.Contains(t.Capabilities, c) }

// Accepts says whether an answer means that the target took a message.
func (t *Target) Accepts(status int, body []byte) bool {
	accepted := defaultAccept
	if t.Publish != nil && len(t.Publish.Accept) > 0 {
		accepted = t.Publish.Accept
	}
	r, err := t.prepared()
	return err == nil && slices.Contains(accepted, status) &&
		(r.accept == nil || r.accept.Match(body)) && (r.reject == nil || !r.reject.Match(body))
}

// AnswerBytes is how much of the body of an answer to a publish is looked at.
const AnswerBytes = 4 << 10

var defaultAccept = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}
