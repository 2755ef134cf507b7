package broker

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// publishReadTime bounds how long a body may take to arrive.
const publishReadTime = 10 * time.Second

func (b *Broker) servePublish(w http.ResponseWriter, r *http.Request) {
	published, why := b.publish(w, r)
	if why != nil {
		b.refuse(w, r, why, b.metrics.failures)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	b.config.Tamper.header(r, w.Header())
	_ = json.NewEncoder(w).Encode(published) // a client that left is not told
}

func (b *Broker) publish(w http.ResponseWriter, r *http.Request) (Published, *refusal) {
	if b.drainingFor(r) {
		return Published{}, unavailable()
	}
	claims, err := b.tokens.check(r)
	if err != nil {
		return Published{}, unauthorized(err)
	}
	stream, eventType, why := publishTarget(r)
	if why != nil {
		return Published{}, why
	}
	if !claims.mayPublish(stream) {
		return Published{}, forbidden()
	}
	if wait := b.limits.publish(b.user(r, claims)); wait > 0 {
		return Published{}, &refusal{status: http.StatusTooManyRequests, message: "too many messages", retryAfter: wait}
	}
	data, why := b.readData(w, r)
	if why != nil {
		return Published{}, why
	}
	published, err := b.Publish(stream, eventType, data)
	return published, refusalOf(err)
}

// publishTarget takes exactly one stream: an event without one belongs to nobody.
func publishTarget(r *http.Request) (stream, eventType string, why *refusal) {
	query, why := parameters(r)
	if why != nil {
		return "", "", why
	}
	if len(query["stream"]) != 1 || len(query["type"]) > 1 {
		return "", "", badRequest("want one stream and at most one type")
	}
	if checkStream(query.Get("stream")) != nil || checkType(query.Get("type")) != nil {
		return "", "", badRequest("the stream or the type cannot be sent")
	}
	return query.Get("stream"), query.Get("type"), nil
}

func (b *Broker) readData(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(publishReadTime)) // not every server can
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(b.config.MaxEventBytes)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, message: "the data is too large"}
	case err != nil:
		return nil, badRequest("the body did not arrive")
	}
	return data, nil
}

func refusalOf(err error) *refusal {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrDraining):
		return unavailable()
	case errors.Is(err, ErrTooManyStreams):
		return tooManyStreams()
	case errors.Is(err, errNotText):
		return badRequest("the data is not valid UTF-8")
	}
	return badRequest("the message cannot be sent")
}

func tooManyStreams() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, message: "too many streams", retryAfter: time.Minute}
}
