package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// meet sees whether anyone answers at all, so that a wrong address is said at once; whether a stream can be opened, so that a
// hostile subject is not waited for by every case; and whether the head of a stream is held back until there is an event. It
// returns why nothing can be judged, "" when something can.
func (s *suite) meet(ctx context.Context) (reason string) {
	for _, patience := range []time.Duration{s.arrival, s.arrival / 2} { // who did not wake up by then does not
		began := time.Now()
		opened, _, helped, err := s.open(ctx, s.name("s"), patience)
		if err == nil {
			_ = opened.Close() // it was only looked at
			s.obstacle, s.mute, s.held = nil, false, helped
			if time.Since(began) <= s.arrival/2 {
				return ""
			}
			continue // the first one may have had to wake it up
		}
		if !said(err) {
			return "no stream could be opened: " + err.Error()
		}
		s.obstacle, s.mute = err, sse.CauseOf(err) == sse.CauseHeadTimeout
		if s.speaksTLS(ctx) {
			s.obstacle = fmt.Errorf("%w; the port speaks TLS: write https in the address", err)
			return ""
		}
	}
	if s.mute {
		s.obstacle = fmt.Errorf("the target takes connections and answers no subscription within %v: %w", s.arrival/2, s.obstacle)
	}
	return ""
}

// speaksTLS says whether what is spoken to in plain wants TLS.
func (s *suite) speaksTLS(ctx context.Context) bool {
	req, err := s.subject.Subscribe(ctx, Subscription{Client: s.name("u"), Streams: []string{s.name("s")}})
	if err != nil || req.URL.Scheme != "http" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is sent: it is only seen whether it is spoken
	c, err := dialer.DialContext(ctx, "tcp", sse.HostPort(req.URL))
	if err != nil {
		return false
	}
	_ = c.Close() // it was only looked at
	return true
}

// handshakeWithin is how long it is looked whether a port speaks TLS.
const handshakeWithin = time.Second

// open opens one stream and says whether its head did not come before it was helped along.
func (s *suite) open(ctx context.Context, stream string, patience time.Duration) (opened *sse.Stream, req *sse.Request, helped bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*s.arrival)
	defer cancel()
	patience = max(patience, 2*heldAfter) // what is helped along comes behind that
	subscription := Subscription{Client: s.name("u"), Streams: []string{stream}}
	if s.subject.Mint != nil {
		if subscription.Token, err = s.mint(ctx, Grant{User: subscription.Client, Subscribe: subscription.Streams}); err != nil {
			return nil, nil, false, fmt.Errorf("making a token: %w", err)
		}
	}
	if req, err = s.subject.Subscribe(ctx, subscription); err != nil {
		return nil, nil, false, fmt.Errorf("preparing a subscription: %w", err)
	}
	stop := s.help(ctx, stream)
	opened, err = sse.Open(ctx, nil, req, sse.Options{TLS: s.subject.TLS, DialTimeout: patience, HeadTimeout: patience})
	helped = stop()
	if err != nil {
		return nil, nil, helped, err
	}
	if r := opened.Response(); s.subject.Origin == nil && (r.Status != http.StatusOK || !r.EventStream()) {
		_ = opened.Close() // it was only looked at
		return nil, nil, helped, &noStreamError{status: r.Status, contentType: r.Header.Get("Content-Type")}
	}
	return opened, req, helped, nil
}

// help publishes into a stream whose head does not come. The function it returns ends that, and says whether it came to it.
func (s *suite) help(ctx context.Context, stream string) (stop func() (helped bool)) {
	if s.subject.Publish == nil {
		return func() bool { return false }
	}
	ctx, cancel := context.WithCancel(ctx)
	published := make(chan struct{})
	timer := time.AfterFunc(heldAfter, func() {
		defer close(published)
		defer crash.Catch()
		s.subject.Publish(ctx, Message{Stream: stream, Data: s.primer + "-0"})
	})
	return func() bool {
		if timer.Stop() {
			cancel()
			return false
		}
		cancel() // whoever does not answer the one may not answer the other
		<-published
		return true
	}
}

// heldAfter is how long a head may take before it is helped along with an event.
const heldAfter = 2 * time.Second

// noStreamError is an answer that is no stream.
type noStreamError struct {
	status      int
	contentType string
}

func (e *noStreamError) Error() string {
	return fmt.Sprintf("the answer was status %d with content type %q", e.status, e.contentType)
}

// said says whether an error of opening a stream is something to judge, and not that there is nobody.
func said(err error) bool {
	if errors.As(err, new(*noStreamError)) {
		return true
	}
	switch sse.CauseOf(err) {
	case sse.CauseMalformed, sse.CauseTooLong, sse.CauseEncoded, sse.CauseNoResponse, sse.CauseHeadTimeout, sse.CauseReset:
		return true
	}
	return false
}

// prime publishes into the streams from time to time while a subscription is opened, for a subject that holds its head back until
// there is an event. The function it returns ends that.
func (t *Trial) prime(streams []string) (stop func()) {
	if !t.suite.held || len(streams) == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer crash.Catch()
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				t.Subject.Publish(ctx, Message{Stream: streams[0], Data: fmt.Sprintf("%s-%d", t.suite.primer, n)})
			}
		}
	}()
	return func() { cancel(); <-done }
}
