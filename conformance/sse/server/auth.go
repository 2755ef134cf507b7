package server

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// authCases are those of the area AUTH: who may follow and publish what, and for how long.
var authCases = []Case{
	{Requirement: "SSE-AUTH-001", On: anAnswer, Run: refusesWithoutCredentials},
	{Requirement: "SSE-AUTH-002", On: openStream, Turn: provoking, Run: refusesWrongTokens},
	{Requirement: "SSE-AUTH-003", On: openStream, Run: refusesStreamsNotGranted},
	{Requirement: "SSE-AUTH-004", Run: stopsWhenTheTokenExpires},
	{Requirement: "SSE-AUTH-005", Run: stopsWhenRightsAreWithdrawn},
	{Requirement: "SSE-AUTH-006", On: openStream, Run: takesNoTokenFromTheQuery},
	{Requirement: "SSE-AUTH-007", On: anAnswer, Run: neverRepeatsCredentials},
	{Requirement: "SSE-AUTH-008", Run: separatesPublishingFromSubscribing},
	{Requirement: "SSE-AUTH-009", Run: keepsPrivateWhatIsPrivate},
	{Requirement: "SSE-AUTH-010", Run: checksAgainOnReconnection},
	{Requirement: "SSE-AUTH-011", Run: cookiesAloneDoNotPublish},
	{Requirement: "SSE-AUTH-012", On: openStream, Turn: demanding, Run: refusesCheaply},
	{Requirement: "SSE-AUTH-013", Run: refusalsTellNothing},
	{Requirement: "SSE-AUTH-014", Run: refusesMadeUpCredentials},
	{Requirement: "SSE-AUTH-015", Run: publishesForNobody},
}

// "A protected stream without credentials gives 401 with WWW-Authenticate and no stream bytes."
func refusesWithoutCredentials(t *Trial) {
	refused(t, "without credentials", reply(t, []string{t.Stream()}, Anonymous()))
}

// "Credentials that are wrong open no stream."
func refusesMadeUpCredentials(t *Trial) {
	if len(t.Subject.Key) > 0 && len(t.Subject.Credentials) == 0 {
		t.Skip("a made-up token is one of those of SSE-AUTH-002")
	}
	if t.Subject.Mint == nil && len(t.Subject.Credentials) == 0 {
		t.Skip("it is not known how credentials are sent: describe them in the target file")
	}
	refused(t, "with wrong credentials", reply(t, []string{t.Stream()}, Mistaken()))
}

// "Who brings no credentials, or wrong ones, publishes nothing where publishers are to bring some."
func publishesForNobody(t *Trial) {
	if len(t.Subject.Admission) == 0 {
		t.Skip("a publish carries no credentials: there are none in its description")
	}
	stream := t.Stream()
	t.Send(stream, t.Unique()) // else a refusal means nothing
	ways := map[string]func(string) string{"without credentials": noCredential, "with wrong credentials": wrongCredential}
	for how, change := range ways {
		r := t.Publish(Message{Stream: stream, Data: t.Unique(), Edit: func(r *http.Request) { carry(t.Subject.Admission, r.Header, r.URL, change) }})
		t.interrupted()
		switch r.Acceptance {
		case Acknowledged:
			t.Deviation("a refusal of a publish "+how, "a publish "+how+": "+r.String())
		case Indeterminate:
			t.Tolerated("a refusal of a publish "+how, "a publish "+how+": "+r.String())
		case Rejected:
		}
	}
	t.Count(len(ways))
	t.Conclude("a publish without credentials, and one with wrong ones, was refused")
}

// refused judges the answer to a subscription that is not to be let in.
func refused(t *Trial, how string, p *Tap) {
	status, challenged := p.Status(), p.Header("WWW-Authenticate") != ""
	stream := p.Response.EventStream() && status < 300
	t.Classify(how+": "+answerText(p), append(p.Head(), p.Curl()),
		passes("status 401 with WWW-Authenticate, and no stream", status == http.StatusUnauthorized && challenged && !p.Response.EventStream()),
		tolerates("another refusal", status >= 300 && status < 500 && status != http.StatusUnauthorized && !stream),
	)
	t.Conclude(answerText(p))
}

// "Expired, not-yet-valid, malformed, wrongly signed, alg=none, wrong audience or issuer tokens give 401 invalid_token."
func refusesWrongTokens(t *Trial) {
	streams := []string{t.Stream()}
	admits(t, streams, minted(t, Grant{Subscribe: streams}))
	claims, err := t.Subject.Claims(Grant{Subscribe: streams})
	if err != nil {
		t.Unknown("a token could not be prepared: %v", err)
	}
	wrong := wrongTokens(t, claims)
	for _, w := range wrong {
		p := reply(t, streams, Bearing(w.text))
		expected := "status 401 for a token that is " + w.name
		switch {
		case p.Status() != http.StatusUnauthorized:
			t.Deviation(expected, fmt.Sprintf("a token that is %s: %s", w.name, answerText(p)), p.Head())
		case !strings.Contains(p.Header("WWW-Authenticate"), "invalid_token"):
			t.Tolerated(expected+`, with error="invalid_token" in the challenge`, fmt.Sprintf("a token that is %s: %s", w.name, answerText(p)), p.Head())
		}
		p.Close()
	}
	t.Count(len(wrong))
	t.Conclude(fmt.Sprintf("%d wrong tokens were refused with 401", len(wrong)))
}

// "A valid token without the right scope/topic gives 403 (or an empty subscription where documented), never the data."
func refusesStreamsNotGranted(t *Trial) {
	t.mustTellRights(t.Subject.Rights.Streams || t.Subject.Rights.Clients)
	granted, other, owner := t.Stream(), t.Stream(), t.Unique()
	stranger := t.stranger(granted, owner, other)
	asked := [][]string{{other}}
	if t.Subject.Rights.Streams {
		t.Subscribe([]string{granted}, stranger).Close() // else a refusal means nothing
		if t.Subject.Many {
			asked = append(asked, []string{granted, other})
		}
	} else {
		t.Subscribe([]string{other}, As(owner)).Close()
	}
	for _, streams := range asked {
		p := reply(t, streams, stranger)
		actual := fmt.Sprintf("a token for one stream, or client, asked for another (%s in all): %s", conformance.Plural(len(streams), "stream"), answerText(p))
		t.Classify(actual, p.Head(),
			conformance.Class{Outcome: conformance.Pass, Text: "status 403", Holds: p.Status() == http.StatusForbidden},
			conformance.Class{Outcome: conformance.Pass, Text: "404, which hides that there is such a stream", Holds: p.Status() == http.StatusNotFound},
			conformance.Class{Outcome: conformance.Warn, Text: "401", Holds: p.Status() == http.StatusUnauthorized},
			conformance.Class{Outcome: conformance.Warn, Text: "an empty subscription", Holds: p.Status() == http.StatusOK && hearsNothing(t, p, other, owner)},
		)
		p.Close()
	}
	t.Count(len(asked))
	t.Conclude("a stream that the token does not grant was refused")
}

// hearsNothing publishes into a stream and says whether the tap, which must not, gets none of it.
func hearsNothing(t *Trial, p *Tap, stream, client string) bool {
	if t.Subject.Publish == nil {
		t.Skip("the answer was 200 for a stream that the token does not grant; whether it stays empty needs a publisher: describe publish in the target file")
	}
	owner := t.Subscribe([]string{stream}, As(client))
	secret, arrived := t.Fence(owner)
	if !arrived {
		silent(t, owner)
	}
	return !leaked(t, p, secret)
}

// leaked says whether a secret reached a subscriber without a right to it, some time after it reached who has one.
func leaked(t *Trial, p *Tap, secret string) bool {
	p.Await(t.Context(), leakTime, func(r *Record) bool { return r.contains(secret) })
	t.interrupted()
	return bytes.Contains(p.Body(), []byte(secret))
}

// leakTime is how long a leak is waited for once the owner has the event.
const leakTime = 500 * time.Millisecond

// "When the token expires during the stream, delivery stops no later than exp + grace."
func stopsWhenTheTokenExpires(t *Trial) {
	life, grace := t.Duration("life"), t.Duration("grace")
	t.Allow(life + grace)
	t.eitherWay(func(w way) string {
		streams := []string{t.Stream()}
		token := minted(t, Grant{Subscribe: streams, Life: life})
		s := cutOff{t: t, how: w.how, what: "the token had expired", by: "the token expired", at: time.Now().Add(life), grace: grace}
		if s.tap = w.open(t, streams, Bearing(token)); s.tap == nil {
			return ""
		}
		s.watch()
		ended, err := s.tap.Ended()
		if early := s.at.Sub(s.endedAt()); ended && early > 2*time.Second { // a token may tell its expiry in whole seconds, so a stream can end a second early
			t.Unknown("%s %v before the token expired", endText(err), early.Round(time.Millisecond))
		}
		s.judge()
		return fmt.Sprintf("the stream ended %v after the expiry, to the second", s.endedAt().Sub(s.at).Round(time.Second))
	})
}

// "Long-lived bearer tokens are not accepted in the query string (short-lived single-use stream tickets excepted)."
func takesNoTokenFromTheQuery(t *Trial) {
	streams := []string{t.Stream()}
	token := minted(t, Grant{Subscribe: streams})
	admits(t, streams, token)
	if p := reply(t, streams, Anonymous()); p.Status() == http.StatusOK {
		t.Skip("the stream is open to everybody, with a token or without")
	}
	names := []string{"access_token", "token", "authorization", "auth", "jwt"}
	for _, name := range names {
		p := reply(t, streams, Anonymous(), inQuery(name, token))
		if p.Status() == http.StatusOK {
			t.Deviation("status 401 for a token in the query", fmt.Sprintf("a token of an hour in ?%s=: %s", name, answerText(p)), p.Head())
		}
		p.Close()
	}
	t.Count(len(names))
	t.Conclude("a token in the query was not accepted under any of " + strings.Join(names, ", "))
}

func inQuery(name, value string) Option {
	return Editing(func(r *sse.Request) {
		query := r.URL.Query()
		query.Set(name, value)
		r.URL.RawQuery = query.Encode()
	})
}

// "Tokens and cookies do not appear in access logs, error bodies, redirects or events."
func neverRepeatsCredentials(t *Trial) {
	streams := []string{t.Stream()}
	canary := "streamgauge-canary-" + t.Unique()
	token := minted(t, Grant{Subscribe: streams})
	attempts := []struct {
		name, secret string
		options      []Option
	}{
		{"a wrong token in Authorization", canary, []Option{Bearing(canary)}},
		{"a token in the query", canary, []Option{Anonymous(), inQuery("access_token", canary)}},
		{"a cookie", canary, []Option{Anonymous(), With("Cookie", "session="+canary)}},
		{"a right token", token, []Option{Bearing(token)}},
	}
	for _, a := range attempts {
		p := reply(t, streams, a.options...)
		settleAnswer(t, p)
		if where := occurrence(p, a.secret); where != "" {
			t.Deviation("no answer that repeats a credential", fmt.Sprintf("%s came back in the %s", a.name, where))
		}
		p.Close()
	}
	t.Count(len(attempts))
	t.Conclude("no answer repeated a token or a cookie; logs were not looked at")
}

// settleAnswer waits for what an answer has to say: to its end, or to a marker when it is a stream.
func settleAnswer(t *Trial, p *Tap) {
	if p.Status() != http.StatusOK {
		t.Await(p, "the end of a refusal is awaited", func(r *Record) bool { return r.Ended })
		return
	}
	if t.Subject.Publish == nil {
		t.AwaitFor(p, "the begin of a stream is awaited", leakTime, func(r *Record) bool { return r.Ended })
		return
	}
	t.Fence(p)
}

// occurrence says where in an answer a text is.
func occurrence(p *Tap, secret string) string {
	for name, values := range p.Response.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, secret) }) {
			return "header field " + name
		}
	}
	if bytes.Contains(p.Body(), []byte(secret)) {
		return "body"
	}
	return ""
}

// "Publish and subscribe rights are separate: a subscriber token cannot publish and vice versa."
func separatesPublishingFromSubscribing(t *Trial) {
	t.mustTellRights(t.Subject.Rights.Publish)
	stream := t.Stream()
	if r := t.Publish(Message{Stream: stream, Data: t.Unique(), Token: "streamgauge-no-token"}); r.Acceptance == Acknowledged {
		t.Skip("publishing does not depend on these tokens: a message with a made-up one was acknowledged")
	}
	may := minted(t, Grant{Publish: []string{stream}})
	if r := t.Publish(Message{Stream: stream, Data: t.Unique(), Token: may}); r.Acceptance != Acknowledged {
		t.Unknown("a publish with a right token was not acknowledged: %s", r.String())
	}
	r := t.Publish(Message{Stream: stream, Data: t.Unique(), Token: minted(t, Grant{Subscribe: []string{stream}})})
	if r.Status != http.StatusForbidden && r.Status != http.StatusUnauthorized {
		t.Deviation("status 403 or 401 for a publish with a subscriber's token", "a publish with a subscriber's token: "+r.String())
	}
	p := reply(t, []string{stream}, Bearing(may))
	if p.Status() != http.StatusForbidden && p.Status() != http.StatusUnauthorized {
		t.Deviation("status 403 or 401 for a subscription with a publisher's token", "a subscription with a publisher's token: "+answerText(p), p.Head())
	}
	t.Count(2)
	t.Conclude("a subscriber's token could not publish, and a publisher's could not subscribe")
}

// "Private events go only to subscribers authorised for them, also under wildcard subscriptions and anonymous access."
func keepsPrivateWhatIsPrivate(t *Trial) {
	t.mustTellRights(t.Subject.Rights.Streams || t.Subject.Rights.Clients)
	private, own, client := t.Stream(), t.Stream(), t.Unique()
	owner := t.Subscribe([]string{private}, As(client))
	before, arrived := t.Fence(owner)
	if !arrived {
		silent(t, owner)
	}
	position := owner.LastEventID()
	var watchers []watcher
	watch := func(name string, streams []string, options ...Option) {
		watchers = append(watchers, watcher{name, reply(t, streams, options...)})
	}
	outsider := func(o *opening) { t.stranger(own, client, private)(o) } // each with a token of its own
	watch("without a token", []string{private}, Anonymous())
	watch("with a token for another stream", []string{private}, outsider)
	for _, wildcard := range []string{"*", "#", ">"} {
		watch("of the stream "+wildcard+" with a token for another stream", []string{wildcard}, outsider)
	}
	if t.Subject.Many && t.Subject.Rights.Streams {
		watch("of its own stream and the private one", []string{own, private}, outsider)
	}
	secret, arrived := t.Fence(owner)
	if !arrived {
		silent(t, owner)
	}
	if position != "" {
		watch("with a token for another stream and a position", []string{private}, outsider, From(position))
		watch("without a token, with a position", []string{private}, Anonymous(), From(position))
	}
	for i, w := range watchers {
		if i < len(plainly) && w.tap.Status() == http.StatusOK && leaked(t, w.tap, secret) {
			t.seeInstead(plainly[i], "a subscriber %s received a private event", w.name)
		}
		if w.tap.Status() == http.StatusOK && (leaked(t, w.tap, secret) || bytes.Contains(w.tap.Body(), []byte(before))) {
			t.Deviation("private events for their owner alone", "a subscriber "+w.name+" received a private event", w.tap.Evidence())
		}
	}
	t.Count(len(watchers))
	t.Conclude(fmt.Sprintf("%s without the right received nothing", conformance.Plural(len(watchers), "subscriber")))
}

// plainly are the requirements that tell of the first watchers, who do nothing but ask for a stream.
var plainly = []string{"SSE-AUTH-001", "SSE-AUTH-003"}

// watcher is a subscriber that must not see something.
type watcher struct {
	name string
	tap  *Tap
}

// "Authorization is checked again on each reconnection (old connection does not vouch)."
func checksAgainOnReconnection(t *Trial) {
	life, grace := t.Duration("life"), t.Duration("grace")
	t.Allow(life + grace)
	streams := []string{t.Stream()}
	token := minted(t, Grant{Subscribe: streams, Life: life})
	gone := time.Now().Add(life + grace)
	p := t.Subscribe(streams, Bearing(token))
	if t.Subject.Publish != nil {
		t.Fence(p)
	}
	t.Hold(p, time.Until(gone))
	t.wait(time.Until(gone))
	again := reply(t, streams, Bearing(token), From(p.LastEventID()))
	if again.Status() != http.StatusUnauthorized && again.Status() != http.StatusForbidden {
		t.Fail("status 401 or 403 for who comes back with a token that has expired", "the same token, expired "+grace.String()+" ago: "+answerText(again), again.Head())
	}
	t.Pass("who came back with a token that had expired was refused: " + answerText(again))
}

// "Failed authentication is rate limited and cheap (no stream resources held)."
func refusesCheaply(t *Trial) {
	attempts := int(t.Number("attempts"))
	bystander := t.follow([]string{t.Stream()})
	if t.Subject.Publish != nil && !bystander.goesOn() {
		silent(t, bystander.tap())
	}
	streams := []string{t.Stream()}
	limited := 0
	for range attempts {
		p := reply(t, streams, Mistaken())
		if p.Status() == http.StatusOK {
			t.seeInstead(map[bool]string{true: "SSE-AUTH-002", false: "SSE-AUTH-014"}[len(t.Subject.Key) > 0], "wrong credentials opened a stream")
			t.Fail("a refusal", "wrong credentials: "+answerText(p), p.Head())
		}
		if p.Status() == http.StatusTooManyRequests {
			limited++
		}
		if !t.Await(p, "the end of a refusal is awaited", func(r *Record) bool { return r.Ended || whole(p.Response, r) }) {
			t.Absent("a refusal that ends", fmt.Sprintf("a made-up token: %s, and no end of it within %v", answerText(p), t.arrival), p.Head(), p.Evidence())
		}
		p.Close()
	}
	if t.Subject.Publish != nil && !bystander.goesOn() {
		t.Absent("streams that do not suffer from refusals", fmt.Sprintf("after %s another stream was silent", conformance.Plural(attempts, "refusal")), bystander.tap().Evidence())
	}
	t.Count(attempts)
	if limited > 0 {
		t.Pass(fmt.Sprintf("%d made-up tokens were refused, %d of them with 429", attempts, limited))
	}
	t.Pass(fmt.Sprintf("%d made-up tokens were refused at once, none with 429", attempts))
}

// whole says whether all that a response's length announces has come.
func whole(response *sse.Response, r *Record) bool {
	length := response.Header.Get("Content-Length")
	return length != "" && length == fmt.Sprint(r.Bytes)
}

// "401/403 answers do not reveal whether a topic exists or why the token failed."
func refusalsTellNothing(t *Trial) {
	existing, missing, own := t.Stream(), t.Stream(), t.Stream()
	owner := t.Subscribe([]string{existing})
	if t.Subject.Publish != nil {
		t.Fence(owner)
	}
	asking := map[string]Option{"without a token": Anonymous()}
	if t.Subject.Rights.Streams {
		asking["with a token for another stream"] = t.stranger(own, "", own)
	}
	for name, option := range asking {
		is, isNot := refusal(t, existing, option), refusal(t, missing, option)
		if is != isNot {
			t.Deviation("one and the same refusal, whether the stream exists or not", fmt.Sprintf("%s: %q for one that exists, %q for one that does not", name, is, isNot))
		}
	}
	if len(t.Subject.Key) > 0 {
		compareReasons(t, existing)
	}
	t.Count(2)
	t.Conclude("refusals were the same for a stream that exists and for one that does not")
}

// compareReasons tolerates a difference: RFC 6750, 3 itself shows a description that tells of an expired token.
func compareReasons(t *Trial, stream string) {
	claims, err := t.Subject.Claims(Grant{Subscribe: []string{stream}})
	if err != nil {
		t.Unknown("a token could not be prepared: %v", err)
	}
	first := ""
	for _, w := range wrongTokens(t, claims) {
		text := refusal(t, stream, Bearing(w.text))
		if first == "" {
			first = text
		}
		if text != first {
			t.Tolerated("one and the same refusal, whatever is wrong with a token", fmt.Sprintf("a token that is expired: %q; one that is %s: %q", first, w.name, text))
			return
		}
	}
}

// refusal is what an answer tells: status, challenge and body without the name of the stream.
func refusal(t *Trial, stream string, option Option) string {
	p := reply(t, []string{stream}, option)
	defer p.Close()
	if p.Status() == http.StatusOK {
		return "status 200"
	}
	t.Await(p, "the end of a refusal is awaited", func(r *Record) bool { return r.Ended || whole(p.Response, r) })
	text := fmt.Sprintf("status %d %s %s", p.Status(), p.Header("WWW-Authenticate"), strings.TrimSpace(string(p.Body())))
	return t.Subject.redact(strings.ReplaceAll(text, stream, "STREAM")) // a token that is echoed is another each time
}

// minted makes a token.
func minted(t *Trial, g Grant) string {
	token, err := t.suite.mint(t.Context(), g)
	if err != nil {
		t.interrupted()
		t.Unknown("a token could not be made: %v", err)
	}
	return token
}

// admits makes sure that a right token opens a stream, else a refusal of a wrong one means nothing.
func admits(t *Trial, streams []string, token string) {
	p := t.Subscribe(streams, Bearing(token))
	p.Close()
}

// reply opens a subscription that gets some answer.
func reply(t *Trial, streams []string, options ...Option) *Tap {
	p, err := t.Open(streams, options...)
	if err != nil {
		t.interrupted()
		t.Unknown("there was no answer: %v", err)
	}
	return p
}

// answerText says what an answer was.
func answerText(p *Tap) string {
	text := fmt.Sprintf("status %d", p.Status())
	if kind := p.Header("Content-Type"); kind != "" {
		text += " with content type " + kind
	}
	if p.Status() == http.StatusUnauthorized && p.Header("WWW-Authenticate") == "" {
		text += " without WWW-Authenticate"
	}
	return text
}
