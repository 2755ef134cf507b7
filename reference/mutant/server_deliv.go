package mutant

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverDelivMutants break what becomes of a message on its way, and who gets it.
var serverDelivMutants = []Mutant{
	{
		Name: "loses-when-someone-joins", ID: "MS-30", Bug: "A publish that meets a subscription to its stream in the making is acknowledged and lost.",
		SeenIn: "surya-koritala/loomfeed#52: publish races with unsubscribe", Kills: []string{"SSE-DELIV-001"},
		May:    slices.Concat(losesFirst, replaysWrong, because("what is published right after coming back is lost", "SSE-DELIV-007", "SSE-RESUME-006")),
		Broker: loseAtJoin,
	},
	{
		Name: "takes-same-for-repetition", Bug: "A message with the data of the one before it in its stream is acknowledged and dropped.",
		SeenIn: "plausible: retries of a publisher are recognised by their content", Kills: []string{"SSE-DELIV-001"},
		Broker: dropRepeated,
	},
	{
		Name: "sends-every-tenth-twice", Bug: "One event in ten is sent twice on the same connection.",
		SeenIn: "EventSource/eventsource#57: two handlers for one event", Kills: []string{"SSE-DELIV-002"},
		May: append([]May{{"SSE-DELIV-010", "one of several streams repeats events as well"}, {"SSE-DELIV-013", "it shows among many messages too"}}, replaysWrong...),
		Broker: delivering(func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
			if ev.Number%10 == 0 {
				return []broker.Event{ev, ev}
			}
			return []broker.Event{ev}
		}),
	},
	{
		Name: "delivers-in-parallel", ID: "MS-31", Bug: "Each publish is delivered by a goroutine of its own, and a later one can overtake it.",
		SeenIn: "launchdarkly/dotnet-eventsource#83: handlers run on a thread pool", Kills: []string{"SSE-DELIV-003"},
		May:    append([]May{{"SSE-DELIV-010", "one of several streams is out of order as well"}, {"SSE-DELIV-013", "it shows among many messages too"}, {"SSE-DELIV-004", "who joins meanwhile sees another order"}, {"SSE-SLOW-004", "what was overtaken is missing"}, {"SSE-SLOW-009", "what was overtaken comes late"}, {"SSE-LIMIT-004", "what was overtaken comes late"}}, replaysWrong...),
		Broker: overtaking(func(uint64) bool { return true }),
	},
	{
		Name: "orders-by-subscriber", Bug: "Half of the subscribers see some events later than others do, so they do not agree on one order.",
		SeenIn: "plausible: two nodes of a cluster each order for themselves", Kills: []string{"SSE-DELIV-004"},
		May:    append([]May{{"SSE-DELIV-003", "what is later can be behind the next of its publisher"}, {"SSE-DELIV-010", "one of several streams is out of order as well"}, {"SSE-DELIV-013", "it shows among many messages too"}}, replaysWrong...),
		Broker: overtaking(func(joined uint64) bool { return joined%2 == 0 }),
	},
	{
		Name: "rejects-and-delivers", Bug: "A publish is answered with 401 or 403 and delivered all the same.",
		SeenIn: "plausible: the answer is written before the handler returns, which it then does not", Kills: []string{"SSE-DELIV-005"},
		May:    []May{{"SSE-AUTH-003", "a publish without the right to it goes through"}, {"SSE-AUTH-009", "a publish without the right to it goes through"}},
		Broker: rejectAndDeliver,
	},
	{
		Name: "corrupts-long-data", Bug: "One byte of data longer than a thousand bytes is changed.",
		SeenIn: "btubbs/sseclient#38: chunks decoded apart damage a character", Kills: []string{"SSE-DELIV-006"},
		May: []May{{"SSE-FORM-010", "long data do not arrive unchanged"}, {"SSE-LIMIT-001", "long data do not arrive unchanged"}, {"SSE-SLOW-008", "long data do not arrive unchanged"}},
		Broker: delivering(func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
			if len(ev.Data) > 1000 {
				ev.Data = bytes.Clone(ev.Data)
				ev.Data[500] ^= 1
			}
			return []broker.Event{ev}
		}),
	},
	{
		Name: "registers-behind-head", ID: "MS-16", Bug: "A subscriber is registered twenty milliseconds after it was sent the head of the response.",
		SeenIn: "dunglas/mercure#178", Kills: []string{"SSE-DELIV-007"},
		May: losesFirst,
		Broker: delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			if to.Resume == broker.ResumeFresh && time.Since(to.Joined) < 20*time.Millisecond {
				return nil
			}
			return []broker.Event{ev}
		}),
	},
	{
		Name: "sends-in-batches", Bug: "What was published is sent four times a second.",
		SeenIn: "plausible: a loop that sends what there is and sleeps", Kills: []string{"SSE-DELIV-014"},
		Broker: batchedStreams(250 * time.Millisecond),
	},
	{
		Name: "holds-last-of-burst", ID: "MS-32", Bug: "An event stays in the write buffer until the next one of its stream pushes it out.",
		SeenIn: "dunglas/mercure#243; slact/nchan#526", Kills: []string{"SSE-DELIV-008", "SSE-FORM-002"},
		May: because("the last message is never pushed out", "SSE-DELIV-001", "SSE-DELIV-010", "SSE-DELIV-011", "SSE-DRAIN-004", "SSE-LIMIT-001", "SSE-LIMIT-008", "SSE-SLOW-006", "SSE-SLOW-009"),
		Broker: func(c *broker.Config) {
			held := new(each[map[string]broker.Event])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				return pushOut(held.of(to), ev)
			}}
		},
	},
	{
		Name: "retries-unheard-publish", Bug: "A publish whose answer could not be delivered is carried out once more, under a new id.",
		SeenIn: "plausible: an ingress retries when its upstream connection breaks", Kills: []string{"SSE-DELIV-009"},
		Broker: retryUnheard,
	},
	{
		Name: "follows-first-stream-only", Bug: "Of several streams of one subscription only the first is followed.",
		SeenIn: "slact/nchan#212", Kills: []string{"SSE-DELIV-010"},
		Broker: delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			if ev.Stream != to.Streams[0] {
				return nil
			}
			return []broker.Event{ev}
		}),
	},
	{
		Name: "broadcasts-some", ID: "MS-33", Bug: "The filter by stream is missing on one code path: one event in three goes to everybody.",
		SeenIn: "SandeepVashishtha/Eventra#16185", Kills: []string{"SSE-ISO-001"},
		May: []May{
			{"SSE-HBS-004", "what leaks comes to all connections at one instant"},
			{"SSE-ISO-002", "what leaks to everybody leaks to other tenants"}, {"SSE-ISO-003", "what leaks to everybody leaks to names that look alike"},
			{"SSE-ISO-004", "what leaks to everybody leaks to whoever resumes"}, {"SSE-RESUME-013", "what leaks to everybody leaks to whoever resumes"},
			{"SSE-DELIV-005", "an event of another stream is none that was published in this one"}, {"SSE-DELIV-010", "who follows several streams gets some twice"},
			{"SSE-RESUME-002", "the id of a foreign event is a wrong position"}, {"SSE-RESUME-003", "the id of a foreign event is a wrong position"},
			{"SSE-RESUME-005", "the id of a foreign event is a wrong position"}, {"SSE-RESUME-017", "the id of a foreign event is a wrong position"},
			{"SSE-FORM-003", "an empty message of another stream comes between"}, {"SSE-FORM-005", "an empty message of another stream comes between"},
			{"SSE-FORM-006", "an empty message of another stream comes between"}, {"SSE-FORM-008", "an empty message of another stream comes between"},
			{"SSE-HBS-002", "an empty message of another stream comes between"},
		},
		Broker: leaking(func(_ *broker.Subscriber, ev broker.Event) bool { return ev.Number%3 == 0 }),
	},
	{
		Name: "broadcasts-without-tenant", ID: "MS-34", Bug: "An event without a stream goes to everybody.",
		SeenIn: "fullstackhero/dotnet-starter-kit#1348; open-mercato/open-mercato#3861", Kills: []string{"SSE-ISO-002"},
		Broker: broadcastOrphans,
	},
	{
		Name: "compares-names-loosely", ID: "MS-35", Bug: "Names of streams are compared without regard to case and to a slash at the end.",
		SeenIn: "plausible; cf. mercure#exact-matching", Kills: []string{"SSE-ISO-003"},
		Broker: leaking(func(to *broker.Subscriber, ev broker.Event) bool {
			return strings.EqualFold(to.Streams[0], strings.TrimSuffix(ev.Stream, "/"))
		}),
	},
	{
		Name: "position-opens-its-stream", Bug: "The replay is of the stream to which the position belongs, not of the one asked for.",
		SeenIn: "plausible: history is looked up by id alone", Kills: []string{"SSE-ISO-004", "SSE-RESUME-013"},
		May:    because("of several streams only one is replayed", "SSE-RESUME-024"),
		Broker: replayingToo(behind),
	},
	{
		Name: "chokes-on-one-hot-stream", Bug: "A stream with many events stops the one loop through which all streams go.",
		SeenIn: "r3labs/sse#192: one loop for all", Kills: []string{"SSE-ISO-005"},
		May:    []May{{"SSE-RESUME-016", "publishing is slow under load"}, {"SSE-DELIV-008", "publishing is slow under load"}, {"SSE-DELIV-017", "whoever comes after the hot stream waits"}},
		Broker: choke,
	},
	{
		Name: "claims-to-be-durable", Bug: "Durability is declared, and a restart forgets what was acknowledged.",
		SeenIn: "plausible: acknowledged before it is written", Kills: []string{"SSE-DELIV-012"},
		Claims: []string{"durable"},
		Broker: func(*broker.Config) {}, // it keeps everything in memory
	},
	{
		Name: "forgets-the-other-node", Bug: "What is published is delivered and replayed by one node of a cluster alone.",
		SeenIn: "plausible: a bus between the nodes that was never connected", Kills: []string{"SSE-DELIV-011", "SSE-RESUME-015"},
		Broker: func(c *broker.Config) {
			var first atomic.Value // the address of the node that was asked first
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				node := fmt.Sprint(r.Context().Value(http.LocalAddrContextKey))
				if r.TLS == nil && !first.CompareAndSwap(nil, node) && first.Load() != node {
					w = &filter{ResponseWriter: w, change: withoutData}
				}
				next.ServeHTTP(w, r)
			})
		},
	},
}

// losesFirst are requirements that are missed as well where the first message for a new subscriber is lost.
var losesFirst = because("what is published right after the head is lost",
	"SSE-DELIV-001", "SSE-DELIV-008", "SSE-DELIV-010", "SSE-DELIV-011", "SSE-DELIV-013", "SSE-RESUME-010", "SSE-HTTPS-003", "SSE-HTTPS-025", "SSE-DRAIN-004", "SSE-LIMIT-001",
	"SSE-LIMIT-004", "SSE-LIMIT-008", "SSE-SLOW-004", "SSE-SLOW-006", "SSE-SLOW-009")

// withoutData drops a write that holds events.
func withoutData(p []byte) []byte {
	if bytes.Contains(p, []byte("\ndata: ")) {
		return nil
	}
	return p
}

// delivering replaces single events on their way to single subscribers.
func delivering(deliver func(to *broker.Subscriber, ev broker.Event) []broker.Event) func(*broker.Config) {
	return func(c *broker.Config) { c.Tamper = &broker.Tamper{Deliver: deliver} }
}

// leaking sends events to subscribers that do not follow their stream.
func leaking(leak func(to *broker.Subscriber, ev broker.Event) bool) func(*broker.Config) {
	return func(c *broker.Config) { c.Tamper = &broker.Tamper{Leak: leak} }
}

// loseAtJoin forgets what is published within a moment after someone joined its stream.
func loseAtJoin(c *broker.Config) {
	var joined sync.Map // stream → time.Time
	c.Tamper = &broker.Tamper{
		Start: func(_ broker.Ask, stream string, first, _, _ uint64) uint64 {
			joined.Store(stream, time.Now())
			return first
		},
		Store: func(ev broker.Event) bool {
			at, ever := joined.Load(ev.Stream)
			return !ever || time.Since(at.(time.Time)) > time.Millisecond
		},
	}
}

// dropRepeated forgets what says the same as the message before.
func dropRepeated(c *broker.Config) {
	var newest sync.Map // stream → data
	c.Tamper = &broker.Tamper{Store: func(ev broker.Event) bool {
		before, _ := newest.Swap(ev.Stream, string(ev.Data))
		return before != string(ev.Data)
	}}
}

// overtaking holds one live event in twenty back for a while, for the subscribers of which holds says so; they are counted from 1.
func overtaking(holds func(joined uint64) bool) func(*broker.Config) {
	type queue struct {
		lane
		joined uint64
	}
	return func(c *broker.Config) {
		queues := new(each[queue])
		var joined atomic.Uint64
		c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			q := queues.of(to)
			if q.joined == 0 {
				q.joined = joined.Add(1)
			}
			if !holds(q.joined) || ev.Number%20 != 10 {
				return []broker.Event{ev}
			}
			q.hold(to, ev, 40*time.Millisecond)
			return nil
		}}
	}
}

// rejectAndDeliver carries a refused publish out with the rights of the last one that was not.
func rejectAndDeliver(c *broker.Config) {
	var mu sync.Mutex
	var rights string
	c.Tamper = onPublishes(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, _ := io.ReadAll(r.Body) // what cannot be read is refused below
		answer := &overheard{ResponseWriter: w}
		next.ServeHTTP(answer, readAgain(r, body))
		mu.Lock()
		defer mu.Unlock()
		if answer.status < 400 {
			rights = r.Header.Get("Authorization")
			return
		}
		again := readAgain(r, body)
		again.Header.Set("Authorization", rights)
		next.ServeHTTP(unheard{http.Header{}}, again)
	})
}

// retryUnheard carries a publish out again when its client leaves before the answer.
func retryUnheard(c *broker.Config) {
	c.Tamper = onPublishes(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, _ := io.ReadAll(r.Body) // what cannot be read is refused below
		answer := &overheard{ResponseWriter: w}
		next.ServeHTTP(answer, readAgain(r, body))
		pause(r, 20*time.Millisecond)
		if r.Context().Err() != nil && answer.status < 400 {
			next.ServeHTTP(unheard{http.Header{}}, readAgain(r, body))
		}
	})
}

// broadcastOrphans takes a publish without a stream and sends it to everybody.
func broadcastOrphans(c *broker.Config) {
	const orphans = "orphans"
	c.Tamper = onPublishes(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		query := r.URL.Query()
		if query.Get("stream") == "" {
			query.Set("stream", orphans)
			r.URL.RawQuery = query.Encode()
		}
		next.ServeHTTP(w, r)
	})
	c.Tamper.Leak = func(_ *broker.Subscriber, ev broker.Event) bool { return ev.Stream == orphans }
}

// choke stops everything for a while after a stream had many events in a tenth of a second.
func choke(c *broker.Config) {
	const many = 30
	var mu sync.Mutex
	var recent []time.Time
	c.Tamper = &broker.Tamper{Store: func(broker.Event) bool {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if recent = append(recent, now); len(recent) > many {
			if now.Sub(recent[0]) < 100*time.Millisecond {
				time.Sleep(1500 * time.Millisecond) // under the broker's lock: that is the defect
			}
			recent = recent[1:]
		}
		return true
	}}
}

// onPublishes wraps what serves publishes.
func onPublishes(serve func(w http.ResponseWriter, r *http.Request, next http.Handler)) *broker.Tamper {
	return &broker.Tamper{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/publish" {
				next.ServeHTTP(w, r)
				return
			}
			serve(w, r, next)
		})
	}}
}

// overheard is a response whose status is noted.
type overheard struct {
	http.ResponseWriter

	status int
}

func (o *overheard) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

// readAgain is the request with a body that can be read once more.
func readAgain(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again
}
