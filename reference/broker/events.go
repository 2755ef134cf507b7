package broker

import (
	"net/http"
	"strings"
	"time"
)

const resumeHeader = "Sse-Resume"

// subscription is a request for events that may be served.
type subscription struct {
	streams     []string
	lastEventID string
	user        string
	claims      *Claims
	server      *Server
}

func (b *Broker) serveEvents(w http.ResponseWriter, r *http.Request) {
	sub, why := b.subscription(r)
	if why == nil && r.Method == http.MethodHead {
		b.streamHeaders(w.Header(), r, b.headResume(sub))
		return
	}
	if why == nil {
		why = b.serve(w, r, sub)
	}
	if why != nil {
		b.refuse(w, r, why, b.metrics.refused)
	}
}

// subscription checks a request. Rights are checked before anything that depends on what is published.
func (b *Broker) subscription(r *http.Request) (*subscription, *refusal) {
	if b.drainingFor(r) {
		return nil, unavailable()
	}
	claims, err := b.tokens.check(r)
	if err != nil {
		return nil, unauthorized(err)
	}
	if !acceptsEvents(r.Header.Values("Accept")) {
		return nil, &refusal{status: http.StatusNotAcceptable, message: "only text/event-stream is served"}
	}
	query, why := parameters(r)
	if why != nil {
		return nil, why
	}
	streams, why := b.requestedStreams(query["stream"])
	if why != nil {
		return nil, why
	}
	for _, stream := range streams {
		if !b.config.Tamper.authorizes(claims.maySubscribe(stream), stream) {
			return nil, forbidden()
		}
	}
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = query.Get("lastEventId")
	}
	if len(id) > maxIDBytes {
		return nil, badRequest("the last event id is too long")
	}
	return &subscription{streams, id, b.user(r, claims), claims, serverOf(r)}, nil
}

// requestedStreams returns the streams asked for, each once. Names are compared exactly.
func (b *Broker) requestedStreams(names []string) ([]string, *refusal) {
	if len(names) == 0 || len(names) > b.config.MaxStreamsPerConnection {
		return nil, badRequest("want at least one stream and not too many")
	}
	var streams []string
	seen := map[string]bool{}
	for _, name := range names {
		if checkStream(name) != nil {
			return nil, badRequest("no stream can have this name")
		}
		if !seen[name] {
			seen[name] = true
			streams = append(streams, name)
		}
	}
	return streams, nil
}

// acceptsEvents reports whether an Accept header admits text/event-stream; an absent one admits everything.
func acceptsEvents(values []string) bool {
	if len(values) == 0 {
		return true
	}
	best, accepted := -1, false
	for _, part := range strings.Split(strings.Join(values, ","), ",") {
		mediaType, parameters, _ := strings.Cut(part, ";")
		if rank := acceptRank(mediaType); rank > best {
			best, accepted = rank, !zeroQuality(parameters)
		}
	}
	return accepted
}

// acceptRank returns how specifically a media range names text/event-stream, -1 when it does not.
func acceptRank(mediaRange string) int {
	switch strings.ToLower(strings.TrimSpace(mediaRange)) {
	case "text/event-stream":
		return 2
	case "text/*":
		return 1
	case "*/*", "":
		return 0
	}
	return -1
}

func zeroQuality(parameters string) bool {
	for _, p := range strings.Split(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") && strings.Trim(value, "0.") == "" {
			return true
		}
	}
	return false
}

// streamHeaders sets the headers of a stream beside those of CORS.
func (b *Broker) streamHeaders(h http.Header, r *http.Request, resume Resume) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Set(resumeHeader, string(resume))
	b.config.Tamper.header(r, h)
}

// serve joins a subscriber and carries its stream until it ends or, once the connection is taken over, returns at once.
func (b *Broker) serve(w http.ResponseWriter, r *http.Request, sub *subscription) *refusal {
	if why := b.admit(sub.user); why != nil {
		return why
	}
	s, opening, resume, why := b.join(sub)
	if why != nil {
		b.limits.leave(sub.user)
		return why
	}
	b.streamHeaders(w.Header(), r, resume)
	if plain := takeOver(w, r, &b.config); plain != nil {
		s.begin(plain, append(responseHead(w.Header(), plain.http1), frameOpening(opening, plain.http1)...))
		go plain.carry(s)
		return nil
	}
	response := newResponseConn(w)
	w.WriteHeader(http.StatusOK)
	_ = response.controller.Flush() // a client that left is noticed when the stream is served
	s.begin(response, opening)
	response.serve(r.Context(), s)
	return nil
}

func frameOpening(opening []byte, chunked bool) []byte {
	if len(opening) == 0 {
		return nil
	}
	return appendFramed(nil, opening, chunked)
}

func (b *Broker) admit(user string) *refusal {
	switch b.limits.enter(user) {
	case tooMany:
		return &refusal{status: http.StatusServiceUnavailable, message: "too many connections", retryAfter: b.retryAfter()}
	case tooManyOfUser:
		return &refusal{
			status: http.StatusTooManyRequests, message: "too many connections of this user", retryAfter: b.retryAfter(),
		}
	case admitted:
	}
	return nil
}

func (b *Broker) retryAfter() time.Duration { return max(time.Second, b.config.Retry) }
