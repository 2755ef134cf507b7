package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// mercCases are those of the area MERC: the Mercure protocol. Its revisions differ: 0.x has topic parameters, later ones match
// parameters.
var mercCases = []Case{
	{Requirement: "SSE-MERC-001", Run: hubAnswersWithID},
	{Requirement: "SSE-MERC-002", Run: hubTellsWhereReplayBegins},
	{Requirement: "SSE-MERC-003", Run: hubRefusesUnknownMatchers},
	{Requirement: "SSE-MERC-004", Run: hubRefusesReservedValues},
	{Requirement: "SSE-MERC-005", Run: hubResolvesReusedID},
	{Requirement: "SSE-MERC-006", Run: hubPrefersHeaderToCookie},
	{Requirement: "SSE-MERC-007", Run: hubTellsOfSubscriptions},
}

// postToHub publishes with any form fields, at the hub's one address.
func (t *Trial) postToHub(fields ...string) Receipt {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	address := *t.Request([]string{form.Get("topic")}).URL
	address.RawQuery = ""
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address.String(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Unknown("preparing a publish: %v", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if t.Subject.Mint != nil {
		token, err := t.Subject.Mint(t.Context(), Grant{Publish: []string{form.Get("topic")}})
		if err != nil {
			t.Unknown("making a token: %v", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{
		Timeout: t.arrival, Transport: &http.Transport{TLSClientConfig: t.Subject.TLS, DisableKeepAlives: true}, CheckRedirect: sse.StayWithin,
	}
	return PublishHTTP(t.Context(), client, req, func(status int, _ []byte) bool { return status/100 == 2 })
}

// publishToHub is postToHub for what must be taken; it returns the id.
func (t *Trial) publishToHub(fields ...string) (id string) {
	r := t.postToHub(fields...)
	if r.Acceptance != Acknowledged {
		t.interrupted()
		t.Unknown("a publish was not acknowledged: %s", r.String())
	}
	return r.Body
}

// "Publish returns a 2xx status, 200 if possible, and the event's id as the body."
func hubAnswersWithID(t *Trial) {
	stream, data := t.Stream(), t.Unique()
	p := t.Subscribe([]string{stream})
	r := t.postToHub("topic", stream, "data", data)
	if r.Acceptance != Acknowledged {
		t.Unknown("a publish was not acknowledged: %s", r.String())
	}
	if !t.Await(p, "a published event is awaited", func(record *Record) bool { return record.contains(data) }) {
		t.Unknown("what was published did not arrive")
	}
	events := p.Events()
	id := events[slices.IndexFunc(events, func(e Event) bool { return carries(e.Data, data) })].ID
	head := headEvidence("HTTP", r.Status, r.Header)
	if r.Body != id {
		t.Deviation(fmt.Sprintf("the body %q, the id of the event", id), fmt.Sprintf("the body %s", sse.Escape([]byte(r.Body))), head, p.Evidence())
	}
	if r.Status != http.StatusOK {
		t.Tolerated("status 200", fmt.Sprintf("status %d", r.Status), head)
	}
	t.Conclude("status 200 and the event's id")
}

// "Requests with a position get a response field with the id that precedes the first event sent, or earliest."
func hubTellsWhereReplayBegins(t *Trial) {
	stream := t.Stream()
	first := t.publishToHub("topic", stream, "data", t.Unique())
	t.publishToHub("topic", stream, "data", t.Unique())
	for _, c := range []struct{ name, position, expected string }{
		{"a known id", first, first},
		{"an unknown id", "urn:uuid:" + t.Unique(), "earliest"},
		{"earliest", "earliest", "earliest"},
	} {
		p := t.Subscribe([]string{stream}, From(c.position))
		got := p.Header("Mercure-Last-Event-ID") + p.Header("Last-Event-ID")
		// Past an unknown id, a hub may go live at once: then its last event precedes the first one sent.
		live := c.name == "an unknown id" && got != "" && got != c.position
		if got != c.expected && !live {
			t.Deviation(fmt.Sprintf("after %s, %q in Mercure-Last-Event-ID or Last-Event-ID", c.name, c.expected), fmt.Sprintf("after %s, %q", c.name, got), p.Head())
		}
		p.Close()
	}
	t.Count(3)
	t.Conclude("the response tells where the replay begins")
}

// "Unknown match* parameters, invalid patterns and control characters give 400."
func hubRefusesUnknownMatchers(t *Trial) {
	stream := t.Stream()
	if !matches(t.Request([]string{stream})) {
		t.Skip("the target is subscribed to without a match parameter: it speaks a revision before these")
	}
	for _, query := range []string{"matchFoo=a", "match_foo=a", "MATCH=a", "match=%00", "match=a%7F", "match=%C2%85", "match=%FF", "matchURLPattern=http%3A%2F%2Fa%2F%28"} {
		p, err := t.Open([]string{stream}, Editing(func(r *sse.Request) { r.URL.RawQuery += "&" + query }))
		switch {
		case err != nil:
			t.Unknown("asking with %s: %v", query, err)
		case p.Status() != http.StatusBadRequest:
			t.Deviation("status 400", fmt.Sprintf("status %d to %s", p.Status(), query), p.Head())
		}
		p.Close()
		t.Count(1)
	}
	t.Conclude("400 to each")
}

// matches says whether a subscription is asked for with match parameters.
func matches(req *sse.Request) bool {
	for name := range req.URL.Query() {
		if strings.HasPrefix(name, "match") {
			return true
		}
	}
	return false
}

// "Topics in the hub's reserved namespace, after resolution, ids that start with # and a retry that is no number are rejected."
func hubRefusesReservedValues(t *Trial) {
	stream := t.Stream()
	for _, c := range []struct {
		fields []string
		later  bool // only some revisions reserve it
	}{
		{[]string{"topic", "/.well-known/mercure/subscriptions/x"}, false},
		{[]string{"topic", "/.well-known/%6Dercure/x"}, true},
		{[]string{"topic", "https://other.example/.well-known/mercure/x"}, false},
		{[]string{"topic", "/a/../.well-known/mercure/x"}, false},
		{[]string{"topic", stream, "id", "#1"}, false},
		{[]string{"topic", stream, "id", "a\nb"}, false},
		{[]string{"topic", stream, "retry", "1s"}, false},
		{[]string{"topic", stream, "retry", "-1"}, false},
		{[]string{"topic", stream, "topic", stream + "2"}, false},
		{[]string{"topic", "*"}, true},
		{[]string{"topic", stream, "id", "earliest"}, true},
		{[]string{"topic", stream, "type", "mercure"}, true},
	} {
		r := t.postToHub(append(c.fields, "data", "a")...)
		if r.Err != nil {
			t.Unknown("publishing %q: %v", c.fields, r.Err)
		}
		t.Classify(fmt.Sprintf("status %d to %q", r.Status, c.fields), headEvidence("HTTP", r.Status, r.Header),
			conformance.Class{Outcome: conformance.Pass, Text: "status 400 or 403", Holds: r.Status == http.StatusBadRequest || r.Status == http.StatusForbidden},
			conformance.Class{Outcome: conformance.Warn, Text: "another refusal", Holds: r.Status/100 == 4},
			conformance.Class{Outcome: conformance.Warn, Text: "accepted, where only some revisions reserve the value", Holds: c.later && r.Status/100 == 2},
		)
		t.Count(1)
	}
	t.Conclude("each was rejected")
}

// "A reused id resolves to its earliest occurrence."
func hubResolvesReusedID(t *Trial) {
	stream, id := t.Stream(), "urn:uuid:"+t.Unique()
	all := []string{t.Unique(), t.Unique(), t.Unique(), t.Unique()}
	if got := t.publishToHub("topic", stream, "data", all[0], "id", id); got != id {
		t.Skip("the hub gives ids of its own: %q instead of %q", got, id)
	}
	t.publishToHub("topic", stream, "data", all[1])
	t.publishToHub("topic", stream, "data", all[2], "id", id)
	t.publishToHub("topic", stream, "data", all[3])
	p := t.Subscribe([]string{stream}, From(id))
	if !t.Await(p, "a replay is awaited", func(r *Record) bool { return r.contains(all[3]) }) {
		t.Unknown("nothing was replayed")
	}
	var got []int // which of the four
	for _, e := range p.Events() {
		if i := slices.IndexFunc(all, func(data string) bool { return carries(e.Data, data) }); i >= 0 {
			got = append(got, i+1)
		}
	}
	if !slices.Equal(got, []int{2, 3, 4}) {
		t.Fail("events 2, 3 and 4, where 1 and 3 have the id", fmt.Sprintf("events %v", got), p.Evidence())
	}
	t.Pass("the replay begins after the first event with the id")
}

// "The Authorization header wins over the cookie."
func hubPrefersHeaderToCookie(t *Trial) {
	stream, cookie := t.Stream(), t.Text("cookie")
	token, err := t.Subject.Mint(t.Context(), Grant{Subscribe: []string{stream}})
	if err != nil {
		t.Unknown("making a token: %v", err)
	}
	good, err := t.Open([]string{stream}, Bearing(token), With("Cookie", cookie+"=wrong"))
	if err != nil {
		t.Unknown("subscribing: %v", err)
	}
	if good.Status() != http.StatusOK {
		t.Deviation("status 200", fmt.Sprintf("status %d to a right token in the header and a wrong one in the cookie", good.Status()), good.Head())
	}
	bad, err := t.Open([]string{stream}, Bearing("wrong"), With("Cookie", cookie+"="+token))
	if err != nil {
		t.Unknown("subscribing: %v", err)
	}
	if bad.Status() == http.StatusOK {
		t.Deviation("status 401", "status 200 to a wrong token in the header and a right one in the cookie", bad.Head())
	}
	t.Count(2)
	t.Conclude("the header decided")
}

// "Subscription events, if enabled, are private, one for each beginning and end, with unique subscriber ids."
func hubTellsOfSubscriptions(t *Trial) {
	const pattern = "/.well-known/mercure/subscriptions"
	watch := func(r *sse.Request) {
		query := url.Values{"topic": {pattern + "{/topic}{/subscriber}"}}
		if matches(r) {
			query = url.Values{"matchURLPattern": {pattern + "/:matchType/:match/:subscriber"}}
		}
		r.URL.RawQuery = query.Encode()
	}
	watcher := t.Subscribe([]string{pattern}, Editing(watch))
	stranger, err := t.Open([]string{pattern}, Editing(watch), Anonymous())
	if err != nil {
		t.Unknown("subscribing without a token: %v", err)
	}
	stream := t.Stream()
	one, other := t.Subscribe([]string{stream}), t.Subscribe([]string{stream})
	if !t.AwaitFor(watcher, "events about subscriptions are awaited", stuck, func(r *Record) bool { return len(subscriptionsOf(r, stream)) >= 2 }) {
		t.Skip("no event told of a subscription within %v: the hub does not offer them, or not to this token", stuck)
	}
	one.Close()
	other.Close()
	t.AwaitFor(watcher, "events about ended subscriptions are awaited", stuck, func(r *Record) bool { return len(subscriptionsOf(r, stream)) >= 4 })
	t.Fence(t.Subscribe([]string{t.Stream()}))
	var seen, leaked []subscriptionEvent
	watcher.Look(func(r *Record) { seen = subscriptionsOf(r, stream) })
	stranger.Look(func(r *Record) { leaked = subscriptionsOf(r, stream) })
	lives := map[string]string{}
	for _, e := range seen {
		lives[e.Subscriber] += map[bool]string{true: "+", false: "-"}[e.Active]
	}
	t.Count(len(seen))
	if !slices.Equal(slices.Collect(maps.Values(lives)), []string{"+-", "+-"}) {
		t.Deviation("of each of two subscribers one event about its beginning and one about its end", fmt.Sprintf("beginnings and ends by subscriber: %v", lives), watcher.Evidence())
	}
	if stranger.Status() == http.StatusOK && len(leaked) > 0 {
		t.Deviation("none of them for a subscriber without a token", fmt.Sprintf("%s reached it", conformance.Plural(len(leaked), "event")), stranger.Evidence())
	}
	t.Conclude("one event for each beginning and end, and none for strangers")
}

// subscriptionEvent is what a hub tells of a subscription.
type subscriptionEvent struct {
	Type       string `json:"type"`
	Match      string `json:"match"`
	Topic      string `json:"topic"` // in revisions before match
	Subscriber string `json:"subscriber"`
	Active     bool   `json:"active"`
}

// subscriptionsOf are the events about subscriptions of a stream.
func subscriptionsOf(r *Record, stream string) []subscriptionEvent {
	var events []subscriptionEvent
	for _, e := range r.Events {
		var s subscriptionEvent
		if json.Unmarshal([]byte(e.Data), &s) == nil && s.Type == "Subscription" && (s.Match == stream || s.Topic == stream) {
			events = append(events, s)
		}
	}
	return events
}
