package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// wayOut is a way to come to no stream.
type wayOut struct {
	name string
	once func() // asks, is turned away or gives up, and closes the connection
}

// "Who is turned away, or gives up before there is an answer, leaves no file open."
func closesWhatTheRefusedHad(t *Trial) {
	clients, within := int(t.Number("clients")), t.suite.arrival
	most, kinds := 0, t.refusals()
	for _, kind := range kinds {
		kind.once() // what is opened once for all of them counts as before
		before := openFiles(t)
		t.Allow(t.arrival + within)
		t.Doing("%d clients come to no stream: %s", clients, kind.name)
		for range clients {
			kind.once()
		}
		if left := t.filesAbove(before+clients/4, within); left > 0 {
			t.Fail(fmt.Sprintf("as many open files within %v of the end of %s as before they came: %d", within, conformance.Plural(clients, "client"), before),
				fmt.Sprintf("%d, after %s", left, kind.name))
		}
		t.Count(clients)
		most = max(most, before)
	}
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.name
	}
	t.Pass(fmt.Sprintf("no more files were open than before (%d) after %s each with %s", most, conformance.Plural(clients, "client"), strings.Join(names, ", ")))
}

// refusals are the ways that this subject has. One that is answered with a stream all the same is only left.
func (t *Trial) refusals() (kinds []wayOut) {
	stream := []string{t.Stream()}
	answered := func(name string, options ...Option) {
		kinds = append(kinds, wayOut{name, func() { reply(t, stream, options...).discard() }})
	}
	if t.Subject.protected() {
		answered("wrong credentials", Mistaken())
		answered("no credentials", Anonymous())
	}
	answered("a query that cannot be read", Editing(func(r *sse.Request) { r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&streamgauge=%zz", "&") }))
	answered("no query", Editing(func(r *sse.Request) { r.URL.RawQuery = "" }))
	req := t.Request(stream)
	written := func(name, text string, wait time.Duration, reset bool) {
		kinds = append(kinds, wayOut{name, func() { t.Dial(req).say(text, wait, reset) }})
	}
	const answer, none = 20 * time.Millisecond, time.Millisecond
	head := fmt.Sprintf("%s HTTP/1.1\r\nHost: %s\r\n", req.URL.RequestURI(), req.URL.Host)
	written("a method that is not for streams", "DELETE "+head+"\r\n", answer, false)
	written("what is not HTTP", "\x00\x01\x02 \r\n\r\n", answer, false)
	written("half a head and FIN", "GET "+head, none, false)
	written("half a head and RST", "GET "+head, none, true)
	if client, full := t.fillUp(stream); full {
		answered("one more than a user may have", client)
	}
	return kinds
}

// say writes a text, waits for an answer for a moment and closes the connection.
func (x *Exchange) say(text string, wait time.Duration, reset bool) {
	if _, err := io.WriteString(x.conn, text); err == nil {
		_, _ = x.Next(wait) // whatever it is
	}
	x.leave(reset)
}

// fillUp opens connections of one user until there is no room for one more, and says whether it came to that.
func (t *Trial) fillUp(stream []string) (client Option, full bool) {
	client = t.oneClient(stream...)
	for range int(t.Number("most")) {
		if p := reply(t, stream, client); p.Status() != http.StatusOK {
			p.discard()
			return client, turnsAway(p.Status())
		}
	}
	return client, false
}
