package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Trial is what a case uses: the subject, connections to it, and the verdicts of [conformance.Trial].
//
// Methods that obtain what a case takes for granted (a stream, an acknowledged publish) end the case as unknown when they cannot;
// the ones that return whether something came leave that to the case.
type Trial struct {
	*conformance.Trial

	Subject *Subject
	suite   *suite
	turn    conformance.Turn
	arrival time.Duration // bounds the wait for something that must come
	waited  atomic.Bool   // in vain

	unanswered atomic.Int32 // publishes in a row
}

// mostUnanswered is how many publishes in a row may get no answer: who does not answer these answers none.
const mostUnanswered = 5

// usualArrival is generous, because it decides nothing but that nothing came.
const usualArrival = 10 * time.Second

// Option changes a subscription.
type Option func(*opening)

// opening is a subscription in the making.
type opening struct {
	Subscription

	anonymous bool
	mistaken  bool
	strange   bool // with a token or a client of the case's own choice
	edit      []func(*sse.Request)
	options   sse.Options
	dial      sse.DialFunc
	unprimed  bool
	unread    bool
	insisting bool
	odd       []wrongOpening // answers that were asked for again
	most      int            // bytes of the body that are read; 0 for as many as any stream may have
}

// From resumes behind a position.
func From(position string) Option { return func(o *opening) { o.Position = position } }

// As subscribes as this client. Otherwise each subscription is that of a client of its own, or of the one whom its token was made for.
func As(client string) Option { return func(o *opening) { o.Client = client } }

// Again subscribes as the client of an earlier connection.
func Again(p *Tap) Option { return func(o *opening) { o.Client, o.Token = p.client, p.token } }

// Bearing subscribes with this token instead of one made for the streams.
func Bearing(token string) Option {
	return func(o *opening) { o.Token, o.Client, o.strange = token, "", true }
}

// Anonymous subscribes without credentials.
func Anonymous() Option { return func(o *opening) { o.anonymous = true } }

// Mistaken subscribes with credentials that are wrong.
func Mistaken() Option {
	return func(o *opening) { o.Token, o.Client, o.mistaken = "streamgauge-no-token", "", true }
}

// With sets a header field of the request; "" removes it, also one that is sent by default.
func With(name, value string) Option {
	return Editing(func(r *sse.Request) { r.Header.Set(name, value) })
}

// Editing changes the request just before it is sent; its header and URL are its own.
func Editing(edit func(*sse.Request)) Option {
	return func(o *opening) { o.edit = append(o.edit, edit) }
}

// Unprimed publishes nothing to make a head come that the subject holds back.
func Unprimed() Option { return func(o *opening) { o.unprimed = true } }

// Insisting tries even though the subject has not answered before.
func Insisting() Option { return func(o *opening) { o.insisting = true } }

// Unread leaves the body in the socket: a subscriber that does not read.
func Unread() Option { return func(o *opening) { o.unread = true } }

// Voluminous reads more than from a subject of which nothing is expected, because the case itself has it published.
func Voluminous() Option { return func(o *opening) { o.most = maxVolume } }

// Waiting bounds the wait for the response's head.
func Waiting(d time.Duration) Option { return func(o *opening) { o.options.HeadTimeout = d } }

// Dialing connects in a way of its own, as for a socket that reads slowly.
func Dialing(dial sse.DialFunc) Option { return func(o *opening) { o.dial = dial } }

// OverHTTP2 speaks HTTP/2 on connections shared through h.
func OverHTTP2(h *sse.HTTP2) Option { return func(o *opening) { o.options.HTTP2 = h } }

// Stream is a stream name that nobody else uses, unless the subject has only one stream.
func (t *Trial) Stream() string { return t.suite.name("s") }

// Unique is a text that occurs nowhere else: safe in URLs, headers, JSON and event data.
func (t *Trial) Unique() string { return t.suite.name("m") }

// mustOpen opens one connection that follows the streams. Without a stream of events it ends the case as unknown.
func (t *Trial) mustOpen(streams []string, options ...Option) *Tap {
	p, err := t.Open(streams, options...)
	switch {
	case err != nil:
		t.interrupted()
		t.Unknown("no stream could be opened: %v", err)
	case p.Status() != http.StatusOK || !p.Response.EventStream():
		t.Unknown("no stream could be opened: the answer was status %d with content type %q", p.Status(), p.Header("Content-Type"))
	}
	return p
}

// Subscribe opens one connection that follows the streams and waits until it is ready. Without a stream of events it ends the case
// as unknown.
func (t *Trial) Subscribe(streams []string, options ...Option) *Tap {
	p := t.mustOpen(streams, options...)
	if coding := p.unasked(); coding != "" {
		t.Unknown("the stream came with the content coding %s, which was not asked for: see SSE-HTTPS-009", coding)
	}
	if !t.ready(p) {
		t.interrupted()
		t.Unknown("the stream was not ready within %v", t.arrival)
	}
	return p
}

// Open is Subscribe for a case that judges the answer: any answer will do, but one that tells of the subject's load and not of what was
// asked. Then it comes back, and ends the case as unknown when there is never room: others may take it, cases of this check among them. It
// comes back as well after an answer that is none to what was asked, now and then: that is counted, and told by a requirement of its own.
func (t *Trial) Open(streams []string, options ...Option) (*Tap, error) {
	o := t.opening(streams)
	for _, option := range options {
		option(o)
	}
	if t.suite.mute && !o.insisting {
		return nil, t.suite.obstacle
	}
	admitted := 0 // plain ones, while this one was not
	for attempt := 1; ; attempt++ {
		t.mustHaveRoom()
		p, err := t.open(o)
		if err == nil && t.noted(o, p) && attempt < timesTurnedAway && t.asksAgain() {
			p.discard()
			continue
		}
		if err != nil || !t.turnedAway(p) || t.judgesRoom() || t.suite.obstacle != nil {
			return p, err
		}
		if t.admitsPlain(streams) {
			admitted++
		}
		if attempt == timesTurnedAway {
			if p.Status() == http.StatusServiceUnavailable && admitted >= attempt-1 {
				if p, told, err := t.alternate(o, streams); told {
					return p, err
				}
			}
			if t.seekRoom(p) {
				p.discard()
				attempt--
				continue
			}
			t.Unknown("there was no room: %d attempts were answered with status %d, although a stream could be opened before: %s", attempt, p.Status(), t.suite.roomier())
		}
		p.discard()
		t.Allow(comesBackAfter(p))
		t.wait(comesBackAfter(p))
	}
}

// alternate tells an answer to this kind of subscription from a want of room that comes and goes: plain ones are admitted, each time, and this
// one is not. told is false for a want of room.
func (t *Trial) alternate(o *opening, streams []string) (p *Tap, told bool, err error) {
	for n := 1; t.admitsPlain(streams); n++ {
		p, err = t.open(o)
		if err != nil || !t.turnedAway(p) || n == alternations {
			return p, true, err
		}
		p.discard()
	}
	return nil, false, nil
}

// alternations in a row are no accident.
const alternations = 8

// opening is the plainest of subscriptions.
func (t *Trial) opening(streams []string) *opening {
	o := &opening{Subscription: Subscription{Streams: streams}}
	o.options = sse.Options{TLS: t.Subject.TLS, DialTimeout: t.arrival, HeadTimeout: t.arrival}
	return o
}

// roomier says what would leave more room: fewer cases at once, unless there was but one.
func (s *suite) roomier() string {
	if s.joined.Parallel == 1 {
		return "one case at a time ran already, so see who else is connected to the target, or raise its limit"
	}
	return "streamgauge check --parallel 1 needs the least"
}

// timesTurnedAway is how often a case is turned away before it gives up.
const timesTurnedAway = 4

// judgesRoom says whether the case is about when and how subscriptions are turned away.
func (t *Trial) judgesRoom() bool {
	id := t.Requirement.ID
	return slices.Contains(roomJudged, id) || slices.Contains(roomJudged, conformance.AreaOf(id))
}

var roomJudged = []string{"LIMIT", "DRAIN", "PROXY", "SSE-HTTPS-018", "SSE-HTTPS-019", "SSE-HTTPS-025", "SSE-AUTH-012", "SSE-DELIV-015", "SSE-DELIV-016"}

// admitsPlain says whether there is room for a subscription of the same streams with nothing special about it.
func (t *Trial) admitsPlain(streams []string) bool {
	p, err := t.open(t.opening(streams))
	if err != nil {
		return false
	}
	defer p.discard()
	return !turnsAway(p.Status())
}

// turnsAway says whether an answer tells of the server's load (RFC 6585, section 4; RFC 9110, section 15.6.4).
func turnsAway(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// turnedAway is turnsAway for a connection: a client's second one may come before the server has seen the end of the first.
func (t *Trial) turnedAway(p *Tap) bool {
	return turnsAway(p.Status()) || p.Status() == http.StatusConflict && p.returning
}

// comesBackAfter is how long who is turned away stays away: as long as it is told to, within bounds.
func comesBackAfter(p *Tap) time.Duration { return retryAfter(p.Header("Retry-After")) }

func retryAfter(field string) time.Duration {
	seconds, err := strconv.Atoi(field)
	if err != nil {
		return 500 * time.Millisecond
	}
	return min(max(time.Duration(seconds)*time.Second, 100*time.Millisecond), 5*time.Second)
}

// open opens one connection.
func (t *Trial) open(o *opening) (*Tap, error) {
	req, err := t.request(o)
	if err != nil {
		return nil, err
	}
	returning := t.suite.hasBeen(o.Client)
	stop := func() {}
	if !o.unprimed {
		stop = t.prime(o.Streams)
	}
	answered := t.Ask()
	stream, err := sse.Open(t.Context(), o.dial, req, o.options)
	answered(err == nil)
	stop()
	if err != nil {
		if o.options.HeadTimeout == t.arrival && sse.CauseOf(err) == sse.CauseHeadTimeout {
			t.inVain()
		}
		return nil, err
	}
	p := newTap(t.Subject, o.Streams, req, stream, o.Position)
	p.most, p.stock, p.sign, p.giveUp = o.most, &t.suite.stock, t.Sign, t.GiveUp
	p.client, p.token, p.returning = o.Client, o.Token, returning
	p.resumed, p.sent = o.Position != "", &t.suite.retries
	leave := t.suite.room.enter(p)
	if o.unread {
		close(p.done)
		t.Cleanup(leave)
	} else {
		t.suite.streams.Add(1)
		go func() {
			defer leave()
			defer t.suite.streams.Add(-1)
			defer crash.Catch()
			p.read()
		}()
	}
	t.Cleanup(p.discard)
	return p, nil
}

// request makes the subscription's request.
func (t *Trial) request(o *opening) (*sse.Request, error) {
	if o.Client == "" {
		o.Client = t.suite.clientOf(o.Token)
	}
	if o.Token == "" && !o.anonymous && t.Subject.Mint != nil {
		token, err := t.suite.mint(t.Context(), Grant{User: o.Client, Subscribe: o.Streams})
		if err != nil {
			return nil, fmt.Errorf("making a token: %w", err)
		}
		o.Token = token
	}
	made, err := t.Subject.Subscribe(t.Context(), o.Subscription)
	if err != nil {
		return nil, fmt.Errorf("preparing a subscription: %w", err)
	}
	req := *made
	address := *made.URL
	req.URL, req.Header = &address, maps.Clone(made.Header)
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if o.anonymous {
		req.Header.Del("Authorization")
		req.Header.Del("Cookie")
		carry(t.Subject.Credentials, req.Header, req.URL, noCredential)
	}
	if o.mistaken {
		carry(t.Subject.Credentials, req.Header, req.URL, wrongCredential)
	}
	for _, edit := range o.edit {
		edit(&req)
	}
	for name, values := range req.Header {
		if len(values) == 1 && values[0] == "" && name != "Last-Event-Id" {
			req.Header[name] = nil
		}
	}
	return &req, nil
}

// At makes a request go to another origin that serves the same, as with [Subject.Secure].
func At(origin string) Option {
	return Editing(func(r *sse.Request) {
		if u, err := url.Parse(origin); err == nil {
			r.URL.Scheme, r.URL.Host = u.Scheme, u.Host
		}
	})
}

// ready waits until messages are owed to the connection.
func (t *Trial) ready(p *Tap) bool {
	switch t.Subject.Ready {
	case "first-byte":
		return t.await(p, "the first byte is awaited", t.arrival, func(r *Record) bool { return r.Bytes > 0 })
	case "first-event":
		return t.await(p, "the first event is awaited", t.arrival, func(r *Record) bool { return len(r.Events) > 0 })
	}
	return true
}

// Await waits for what must come, and says whether it came before the stream ended or a generous time was over.
func (t *Trial) Await(p *Tap, what string, holds func(r *Record) bool) bool {
	began := time.Now()
	met := t.await(p, what, t.arrival, holds)
	if ended, _ := p.Ended(); !met && !ended {
		t.inVain()
	} else if met {
		t.suite.patience.came(time.Since(began))
	}
	return met
}

// AwaitFor is Await with a time of its own.
func (t *Trial) AwaitFor(p *Tap, what string, within time.Duration, holds func(r *Record) bool) bool {
	return t.await(p, what, within, holds)
}

func (t *Trial) await(p *Tap, what string, within time.Duration, holds func(r *Record) bool) bool {
	t.Doing("%s", what)
	met := p.Await(t.Context(), within, holds)
	if !met {
		t.interrupted()
		if _, end := p.Ended(); tooMuch(end) {
			t.Unknown("%s, and %v", what, end)
		}
	}
	return met
}

// Hold lets time pass, in which the stream is only watched; it returns early, false, when the stream ends.
func (t *Trial) Hold(p *Tap, d time.Duration) bool {
	t.Allow(d)
	t.Doing("the stream is watched for %v", d)
	p.Await(t.Context(), d, func(*Record) bool { return false })
	t.interrupted()
	ended, _ := p.Ended()
	return !ended
}

// interrupted ends the case when its time is over.
func (t *Trial) interrupted() {
	if t.Context().Err() != nil {
		t.Give()
	}
}

// Publish publishes one message, whatever becomes of it; but the case ends where too many in a row are not answered.
func (t *Trial) Publish(m Message) Receipt {
	r := t.publish(m, t.arrival)
	switch {
	case !errors.Is(r.Err, context.DeadlineExceeded): // one that is being restarted refuses connections
		t.unanswered.Store(0)
	case t.Context().Err() == nil && t.unanswered.Add(1) >= mostUnanswered:
		t.Unknown("%d publishes in a row were not answered: %s", mostUnanswered, r.String())
	}
	return r
}

func (t *Trial) publish(m Message, within time.Duration) Receipt {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	answered := t.Ask()
	r := t.Subject.Publish(ctx, m)
	answered(r.Err == nil)
	return r
}

// Send publishes data that must be acknowledged.
func (t *Trial) Send(stream, data string) { t.SendTyped(stream, "", data) }

// SendTyped is Send with an event type.
func (t *Trial) SendTyped(stream, eventType, data string) {
	r := t.Publish(Message{Stream: stream, Type: eventType, Data: data})
	if r.Acceptance == Acknowledged {
		t.Allow(0) // who goes on, however slowly, is given time
		return
	}
	t.interrupted()
	t.Unknown("a publish was not acknowledged: %s", r.String())
}

// Fence publishes a marker and waits until it arrives: what was not delivered by then was not delivered. It returns the marker, and
// false when not even that came.
func (t *Trial) Fence(p *Tap) (marker string, arrived bool) {
	marker = t.Unique()
	t.Send(p.Streams[0], marker)
	return marker, t.Await(p, "a marker is awaited", func(r *Record) bool { return r.contains(marker) })
}

// Between are the events after the one that carries a marker and before the one that carries another, without those that the
// subject sends on its own.
func (t *Trial) Between(p *Tap, from, to string) []Event {
	var between []Event
	p.Look(func(r *Record) {
		first, last := r.index(from)+1, r.index(to)
		if last >= first {
			between = append(between, r.Events[first:last]...)
		}
	})
	own := between[:0]
	for _, e := range between {
		if !t.signal(e) {
			own = append(own, e)
		}
	}
	return own
}

// signal says whether the subject sent an event on its own.
func (t *Trial) signal(e Event) bool {
	s := t.Subject
	return e.Type != "message" && (e.Type == s.Ping || e.Type == s.Gap || e.Type == s.Greeting) || t.primed(e)
}

// primed says whether an event is one that was published to make a head come.
func (t *Trial) primed(e Event) bool { return strings.Contains(e.Data, t.suite.primer) }

// String says what the answer was.
func (r Receipt) String() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	text := fmt.Sprintf("status %d", r.Status)
	if body := strings.TrimSpace(r.Body); body != "" {
		text += " " + sse.Escape([]byte(body))
	}
	return text
}

// endText words how a stream ended.
func endText(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return "the stream ended"
	}
	return err.Error()
}
