package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/scenarios"
)

// wiring is what it takes to see that a message which is published as a target file says arrives where the file says.
type wiring struct {
	target    *scenarios.Target
	client    *http.Client
	options   sse.Options
	run       string // of the messages that are looked for
	stream    string
	subscribe func(ctx context.Context, stream, position string) (*sse.Request, error)
	message   func(ctx context.Context, stream string, number uint64, size int) (scenarios.PublishVars, error)

	first      *listener
	publishing sync.WaitGroup
	mu         sync.Mutex
	number     uint64
	posts      []posted
	tried      []string // causes that were tried and found
}

// posted is one publish and its answer.
type posted struct {
	request  scenarios.Request
	status   int // 0: none was received
	answer   []byte
	took     time.Duration
	err      error
	accepted bool
}

// When messages are published, from the moment the stream stands: a target may lose some, or hold some back until there are more. A few
// at once, and large ones, come last.
var wiringSchedule = []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second}

const (
	burstAt    = 5 * time.Second
	burstOf    = 6
	burstBytes = 16 << 10
	burstEnd   = 8 * time.Second
	// quiet is how long before the burst nothing is published.
	quiet = time.Second
	// hopeless is how long a target is asked that takes no message, or whose request carries none.
	hopeless = 2 * time.Second
	// elsewhereFor is how long a message is awaited on the other paths that are tried.
	elsewhereFor = 1500 * time.Millisecond
	// heldAfter is how long a head may take before a message is published to help it along.
	heldAfter = time.Second
	// wiringLimit bounds it all: a target that does not open or deliver is told so within it.
	wiringLimit = 25 * time.Second
)

// see publishes until a message arrives. held says that the stream's head came only with one. What is wrong with opening a stream comes
// back as it is, a message that never came as a *WiringError. A target that loses or spoils some messages, or all of them in a way that
// shows that they have reached it, is wired: the load will judge it.
func (w *wiring) see(ctx context.Context) (held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, wiringLimit)
	defer w.publishing.Wait()
	defer cancel()
	w.first = w.listen(ctx, w.stream)
	defer w.first.close()
	if held, err = w.head(ctx); err != nil || w.target.Publish == nil {
		return held, err
	}
	reached := w.deliver(ctx) || w.elsewhere(ctx) || w.late(ctx)
	switch {
	case reached:
		return held, nil
	case errors.Is(context.Cause(ctx), context.Canceled):
		return held, context.Canceled
	}
	account := w.account()
	account.Mute = w.mute()
	return held, account
}

// late waits for messages that the target took, as long as there is time, where nothing speaks against the file.
func (w *wiring) late(ctx context.Context) bool {
	if len(w.causes(w.posted())) > 0 || !w.hopeful() || w.mute() != "" {
		return false
	}
	until, _ := ctx.Deadline()
	w.first.await(ctx, until, func() bool { return w.first.arrived() || w.first.over })
	return w.reached()
}

// mute says that the target opened the stream and then stayed silent for longer than it declares, which no file explains; "" if it did not.
func (w *wiring) mute() (mute string) {
	w.first.look(func() {
		silence := time.Since(w.first.last)
		if beat := w.target.Heartbeat; beat > 0 && w.first.ends == 0 && !w.first.opened.IsZero() && silence > w.target.Patience() {
			mute = fmt.Sprintf("the target opens a stream and sends nothing on it for %v, although it declares a heartbeat every %v", silence.Round(time.Second), beat)
		}
	})
	return mute
}

func (w *wiring) posted() []posted {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.posts
}

func (w *wiring) listen(ctx context.Context, stream string) *listener {
	l := &listener{run: w.run, request: func(ctx context.Context, position string) (*sse.Request, error) {
		return w.subscribe(ctx, stream, position)
	}}
	l.open = func(ctx context.Context, req *sse.Request) (*sse.Stream, error) {
		return sse.Open(ctx, nil, req, w.options)
	}
	return l.start(ctx)
}

// head waits for the head of the first stream, and helps it along with messages when it does not come by itself.
func (w *wiring) head(ctx context.Context) (held bool, err error) {
	l := w.first
	came := func() bool { return !l.opened.IsZero() || l.over }
	patience := heldAfter
	if head := w.options.HeadTimeout; head > 0 {
		patience = min(patience, head/3)
	}
	for next := time.Now().Add(patience); !l.await(ctx, next, came); next = next.Add(patience) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if w.target.Publish != nil {
			held = true
			w.publish(ctx, w.stream, 0)
		}
	}
	l.look(func() {
		if l.opened.IsZero() {
			err = l.end
		}
	})
	return held && err == nil, err
}

// deliver publishes to the first stream until something of a message arrives there.
func (w *wiring) deliver(ctx context.Context) bool {
	l, began := w.first, time.Now()
	arrived := func() bool { return l.arrived() || l.over }
	for _, at := range wiringSchedule {
		if l.await(ctx, began.Add(at), arrived) || at > hopeless && !w.hopeful() {
			return w.reached()
		}
		w.publish(ctx, w.stream, 0)
	}
	var before, still, after int
	count := func(n *int) { l.look(func() { *n = l.count }) }
	l.await(ctx, began.Add(burstAt-quiet), arrived)
	count(&before)
	l.await(ctx, began.Add(burstAt), arrived)
	count(&still)
	for range burstOf {
		w.publish(ctx, w.stream, burstBytes)
	}
	l.await(ctx, began.Add(burstEnd), arrived)
	count(&after)
	// Events that come with the messages, and only then, are what the target made of them.
	return w.reached() || before == still && after-still >= burstOf && w.carried() && !w.encoded()
}

// reached says that the first stream showed that messages reach it, or that it is none that anybody could wait on: the load will tell.
func (w *wiring) reached() (reached bool) {
	w.first.look(func() { reached = w.first.arrived() || w.first.empty() })
	return reached
}

// encoded says that messages arrive, in base64: a target that does so as it should cannot be told from others.
func (w *wiring) encoded() (encoded bool) {
	w.first.look(func() { encoded = w.first.encoded })
	return encoded
}

// publish publishes one message, without waiting for the answer. A size of 0 is the usual one.
func (w *wiring) publish(ctx context.Context, stream string, size int) (number uint64) {
	w.mu.Lock()
	w.number++
	number = w.number
	w.mu.Unlock()
	crash.Go(&w.publishing, func() {
		ctx, cancel := context.WithTimeout(ctx, w.target.Publish.Timeout)
		defer cancel()
		var p posted
		vars, err := w.message(ctx, stream, number, size)
		if err == nil {
			p.request, err = w.target.PublishRequest(vars)
		}
		began := time.Now()
		if err == nil {
			p.status, p.answer, err = send(ctx, w.client, p.request)
			p.accepted = err == nil && w.target.Accepts(p.status, p.answer)
		}
		p.err, p.took = err, time.Since(began)
		w.mu.Lock()
		w.posts = append(w.posts, p)
		w.mu.Unlock()
	})
	return number
}

// hopeful says that a message may still arrive: one was taken or not answered yet, or the target is too busy, and the request carries it.
func (w *wiring) hopeful() bool {
	if !w.carried() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.posts {
		if p.accepted && !tellsOfError(p.answer) || slices.Contains(busy, p.status) {
			return true
		}
	}
	return len(w.posts) < int(w.number)
}

// busy are the answers of who may take the same message a moment later; any other error is one of the target or of the request.
var busy = []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// carried says that the request holds the message that it is to publish, in whatever form.
func (w *wiring) carried() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.posts) == 0 || w.posts[0].request.URL == "" {
		return true // not known yet
	}
	r := w.posts[0].request
	return strings.Contains(strings.ToLower(r.URL+fmt.Sprint(r.Header)+string(r.Body)), lookMark(w.run))
}

// elsewhere looks for messages on other paths: with a subscriber that comes later, as one to whom a target replays. For the account, it
// also looks under the names of streams that the other request of the target file has in it.
func (w *wiring) elsewhere(ctx context.Context) bool {
	if !w.hopeful() {
		return false
	}
	later := w.listen(ctx, w.stream)
	defer later.close()
	w.publish(ctx, w.stream, 0)
	if later.await(ctx, time.Now().Add(elsewhereFor), later.arrived) {
		return true
	}
	w.tryNames(ctx)
	return false
}

// tryNames finds out whether one request of the target file names the stream that the other one does not.
func (w *wiring) tryNames(ctx context.Context) {
	until := time.Now().Add(elsewhereFor)
	listening := map[string]*listener{}
	for _, name := range w.otherNames(w.published()) {
		listening[name] = w.listen(ctx, name)
	}
	w.first.await(ctx, time.Now().Add(elsewhereFor/4), func() bool { return false }) // those who listen have to stand first
	w.publish(ctx, w.stream, 0)
	numbers := map[uint64]string{}
	for _, name := range w.otherNames(w.subscribed(ctx)) {
		numbers[w.publish(ctx, name, 0)] = name
	}
	w.first.await(ctx, until, func() bool {
		for number, name := range numbers {
			if w.first.numbers[number] {
				w.tried = append(w.tried, fmt.Sprintf("a message to the stream %q, which the request of the subscription names, arrives; one to %q does not", name, w.stream))
				return true
			}
		}
		return false
	})
	for name, l := range listening {
		if l.await(ctx, until, l.arrived) {
			w.tried = append(w.tried, fmt.Sprintf("a message arrives in the stream %q, which the request of the publication names, and not in %q, which is subscribed to", name, w.stream))
		}
		l.close()
	}
}

// mostNames is how many other names are tried.
const mostNames = 6

// otherNames are the words of a request that may name another stream than ours: those that have ours within them or, when the request
// does not name ours at all, all of them.
func (w *wiring) otherNames(words []string) (names []string) {
	ours := slices.ContainsFunc(words, func(word string) bool { return strings.Contains(word, w.stream) })
	for _, word := range words {
		if word != "" && word != w.stream && len(names) < mostNames && (!ours || strings.Contains(word, w.stream)) {
			names = append(names, word)
		}
	}
	return names
}

func (w *wiring) subscribed(ctx context.Context) []string {
	r, err := w.subscribe(ctx, w.stream, "")
	if err != nil {
		return nil
	}
	return words(r.URL)
}

func (w *wiring) published() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.posts) == 0 {
		return nil
	}
	r := w.posts[0].request
	address, err := url.Parse(r.URL)
	if err != nil {
		return nil
	}
	found := words(address)
	if form, err := url.ParseQuery(string(r.Body)); err == nil && strings.Contains(r.Header.Get("Content-Type"), "form") {
		for _, values := range form {
			found = append(found, values...)
		}
	}
	var object map[string]any
	_ = json.Unmarshal(r.Body, &object) // what is no object names nothing
	for _, value := range object {
		if text, ok := value.(string); ok {
			found = append(found, text)
		}
	}
	return slices.DeleteFunc(found, func(word string) bool { return strings.Contains(word, lookMark(w.run)) })
}

// words are what in an address may name a stream: the values of its query and the last part of its path.
func words(address *url.URL) []string {
	found := []string{path.Base(address.Path)}
	for _, values := range address.Query() {
		found = append(found, values...)
	}
	return found
}
