package mutant

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// replaysWrong are requirements that a replay which lacks something, or holds too much, misses as well.
var replaysWrong = []May{
	{"SSE-RESUME-001", "the replay is not what was missed"},
	{"SSE-RESUME-002", "the replay is not what was missed"},
	{"SSE-RESUME-003", "the replay is not what was missed"},
	{"SSE-RESUME-004", "the replay is not what was missed"},
	{"SSE-RESUME-005", "the replay is not what was missed"},
	{"SSE-RESUME-009", "the replay is not what was missed"},
	{"SSE-RESUME-012", "it is by its replay that a position in the query is seen to be understood"},
	{"SSE-RESUME-014", "the replay after a restart is wrong as well"},
	{"SSE-RESUME-015", "the replay at another node is wrong as well"},
	{"SSE-RESUME-017", "the replay is not what was missed"},
	{"SSE-RESUME-020", "the replay is not what was missed"},
	{"SSE-RESUME-023", "the replay is not what was missed"},
	{"SSE-RESUME-024", "the replay is not what was missed"},
	{"SSE-DRAIN-004", "who was drained comes back and is replayed the rest"},
	{"SSE-SLOW-006", "who was disconnected for slowness comes back and is replayed the rest"},
}

// serverResumeMutants break what a subscriber gets that comes back.
var serverResumeMutants = []Mutant{
	{
		Name: "continues-with-live-events", ID: "MS-19", Bug: "Last-Event-ID is ignored: who comes back gets what is published from now on.",
		SeenIn: "r3labs/sse#61", Kills: []string{"SSE-RESUME-001", "SSE-RESUME-002", "SSE-RESUME-005"}, May: replaysWrong,
		Broker: placing(func(_, _, newest uint64) uint64 { return newest + 1 }),
	},
	{
		Name: "replays-whole-history", ID: "MS-19", Bug: "Last-Event-ID is ignored: who comes back gets the whole history.",
		SeenIn: "feder-cr/invisible_playwright_mcp#1263", Kills: []string{"SSE-RESUME-003", "SSE-RESUME-009"}, May: replaysWrong,
		Broker: placing(func(_, oldest, _ uint64) uint64 { return oldest }),
	},
	{
		Name: "replays-position-itself", ID: "MS-18", Bug: "The replay begins with the event whose id was sent.",
		SeenIn: "MAIF/izanami#51", Kills: []string{"SSE-RESUME-003", "SSE-RESUME-009"}, May: replaysWrong,
		Broker: placing(func(first, oldest, _ uint64) uint64 { return max(oldest, first-1) }),
	},
	{
		Name: "registers-behind-history", ID: "MS-16", Bug: "History is read first and the live subscription registered afterwards; what is published between is lost.",
		SeenIn: "dunglas/mercure#178 (PRs 179, 200, 202)", Kills: []string{"SSE-RESUME-002", "SSE-RESUME-005"}, May: replaysWrong,
		Broker: atSeamSent(0),
	},
	{
		Name: "registers-before-history", ID: "MS-17", Bug: "The live subscription is registered first and history replayed without dropping what both hold.",
		SeenIn: "dunglas/mercure PR 202: small risk of duplicate updates", Kills: []string{"SSE-RESUME-003", "SSE-RESUME-005"}, May: replaysWrong,
		Broker: atSeamSent(2),
	},
	{
		Name: "swaps-in-replay", Bug: "A replay holds pairs of events the wrong way round.",
		SeenIn: "plausible: history is read in pages, each newest first", Kills: []string{"SSE-RESUME-004"}, May: replaysWrong,
		Broker: swapInReplay,
	},
	{
		Name: "compares-ids-as-text", ID: "MS-25", Bug: `Positions are compared as text: "10" comes before "9".`,
		SeenIn: "plausible: ids are kept as strings", Kills: []string{"SSE-RESUME-001"}, May: replaysWrong,
		Broker: compareAsText,
	},
	{
		Name: "waits-for-unknown-position", ID: "MS-20", Bug: "A position that is not in the history is waited for, and nothing else is delivered.",
		SeenIn: "dunglas/mercure#704", Kills: []string{"SSE-RESUME-006"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if to.Resume == broker.ResumeUnknown {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name: "continues-at-oldest-silently", ID: "MS-21", Bug: "Behind a position that has left the history comes the oldest event that has not, without a word.",
		SeenIn: "whatwg/html#8297; slact/nchan#305", Kills: []string{"SSE-RESUME-007", "SSE-RESUME-008"},
		May: []May{{"SSE-RESUME-014", "nothing is told after a restart either"}},
		Broker: func(c *broker.Config) {
			renaming(uuidOf)(c) // numbers would show the hole
			c.Tamper.Header = headed(func(_ *http.Request, h http.Header) { h.Set("Sse-Resume", "exact") }).Header
			c.Tamper.Gap = func(*broker.Subscriber, string, string) bool { return false }
		},
	},
	{
		Name: "takes-empty-position-for-earliest", Bug: "An empty Last-Event-ID is a position before everything.",
		SeenIn: "plausible: the header's presence is tested, not its value", Kills: []string{"SSE-RESUME-010"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if values := r.Header.Values("Last-Event-ID"); len(values) == 1 && values[0] == "" {
					r.Header.Set("Last-Event-ID", "earliest")
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name: "prefers-position-in-query", Bug: "A position in the query wins over the one in the header, so a client comes back to where it began.",
		SeenIn: "plausible: the query is read last", Kills: []string{"SSE-RESUME-012"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if id := r.URL.Query().Get("lastEventId"); id != "" {
					r.Header.Set("Last-Event-ID", id)
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name: "replays-without-checking-rights", ID: "MS-36", Bug: "Who comes back with a position is not asked whether it may read the stream.",
		SeenIn: "mercure#authorization-on-event-replay", Kills: []string{"SSE-RESUME-013", "SSE-ISO-002", "SSE-AUTH-009"},
		Broker: resigning(func(r *http.Request, t *token) bool {
			t.claims.Subscribe = []string{"*"}
			return t.signed && r.URL.Path == "/events" && r.Header.Get("Last-Event-ID") != ""
		}),
	},
	{
		Name: "counts-anew-after-restart", ID: "MS-22", Bug: "Ids begin at 1 again after a restart, and old ones point at other events.",
		SeenIn: "feder-cr/invisible_playwright_mcp#1263", Kills: []string{"SSE-RESUME-021"},
		May:    because("an old id points at another event", "SSE-RESUME-014"),
		Broker: func(c *broker.Config) { c.Tamper = &broker.Tamper{Epoch: "e"} },
	},
	{
		Name: "answers-restarts-with-silence", Bug: "A position from before a restart is taken for no position at all, without a word.",
		SeenIn: "plausible: a history in memory", Kills: []string{"SSE-RESUME-014"},
		May: because("an unknown position is told to nobody", "SSE-RESUME-007", "SSE-RESUME-008"),
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Set("Sse-Resume", "exact") })
			c.Tamper.Gap = func(*broker.Subscriber, string, string) bool { return false }
			c.Tamper.Start = func(ask broker.Ask, _ string, first, _, newest uint64) uint64 {
				if ask.Resume == broker.ResumeUnknown {
					return newest + 1
				}
				return first
			}
		},
	},
	{
		Name: "keeps-for-less-than-declared", Bug: "Events are kept for a second, whatever was declared.",
		SeenIn: "plausible: a lifetime in the wrong unit", Kills: []string{"SSE-RESUME-022"}, May: replaysWrong,
		Broker: func(c *broker.Config) {
			c.HistoryAge = 4 * time.Second
			var published sync.Map // stream and number → when
			key := func(stream string, n uint64) string { return fmt.Sprint(n, " ", stream) }
			c.Tamper = &broker.Tamper{
				Store: func(ev broker.Event) bool {
					published.Store(key(ev.Stream, ev.Number), time.Now())
					return true
				},
				Start: func(_ broker.Ask, stream string, first, _, newest uint64) uint64 {
					for ; first <= newest; first++ {
						if at, ok := published.Load(key(stream, first)); ok && time.Since(at.(time.Time)) < time.Second {
							break
						}
					}
					return first
				},
			}
		},
	},
	{
		Name: "locks-while-replaying", ID: "MS-24", Bug: "A long replay holds the lock that publishing needs.",
		SeenIn: "lezli01/vincent#188: replay loads the whole backlog over the only database connection", Kills: []string{"SSE-RESUME-016"},
		Broker: placing(func(first, _, newest uint64) uint64 {
			if newest-min(first, newest) > longReplay {
				time.Sleep(150 * time.Millisecond) // under the broker's lock: that is the defect
			}
			return first
		}),
	},
	{
		Name: "skips-first-of-long-replay", Bug: "A replay of more than three hundred events lacks the first one.",
		SeenIn: "plausible: off by one where a replay is paged", Kills: []string{"SSE-RESUME-017", "SSE-RESUME-020"}, May: replaysWrong,
		Broker: placing(func(first, _, newest uint64) uint64 {
			if newest-min(first, newest) > longReplay {
				return first + 1
			}
			return first
		}),
	},
	{
		Name: "keeps-less-than-declared", Bug: "The history holds four hundred events, whatever was declared.",
		SeenIn: "plausible: a limit in bytes evicts before the promised number is reached", Kills: []string{"SSE-RESUME-020"},
		May:    []May{{"SSE-RESUME-005", "with the history almost full a little more is missing"}, {"SSE-SLOW-006", "what a slow reader missed is missing"}},
		Broker: placing(func(first, _, newest uint64) uint64 { return max(first, newest-min(newest, 400)) }),
	},
	{
		Name: "resets-the-healthy", ID: "MS-23", Bug: "A recent position is looked up in the wrong id domain and answered with a reset.",
		SeenIn: "mem9-ai/drive9#539: 8389 resets in 17 minutes", Kills: []string{"SSE-RESUME-018"},
		May: []May{{"SSE-RESUME-007", "a reset that comes every time tells nobody anything"}, {"SSE-RESUME-008", "a reset that comes every time tells nobody anything"}},
		Broker: func(c *broker.Config) {
			told := new(each[bool])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if reset := told.of(to); to.Resume == broker.ResumeExact && !*reset {
					*reset = true
					return []broker.Event{{Type: "gap", Data: []byte(`{"reason":"evicted"}`)}, ev}
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name: "forgets-ids-beyond-ascii", Bug: "A position beyond ASCII is read in another encoding, and so never found.",
		SeenIn: "plausible: header values taken for ISO 8859-1", Kills: []string{"SSE-RESUME-011"},
		Broker: renamingAll(func(id string) string {
			if strings.ContainsAny(id[len(id)-1:], "02468") {
				return id + "-é"
			}
			return id
		}, isASCII),
		May: forgetsPositions,
	},
}

// forgetsPositions are requirements that are missed as well where some positions are not known.
var forgetsPositions = append([]May{
	{"SSE-RESUME-007", "the position of an exact resume is among those that are not known"},
	{"SSE-RESUME-008", "the position of an exact resume is among those that are not known"},
	{"SSE-RESUME-017", "the replay begins behind such a position"},
	{"SSE-RESUME-018", "who comes back with such a position starts anew"},
	{"SSE-RESUME-020", "the replay begins behind such a position"},
	{"SSE-SLOW-006", "a reader that was disconnected may come back with such a position"},
	{"SSE-HTTPS-020", "a stream that ended may be resumed behind such a position"},
	{"SSE-FORM-014", "a subscriber that comes back with such a position gets nothing to compare"},
	{"SSE-HBS-003", "a replay behind such a position does not come"},
}, replaysWrong...)

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f })
}

// longReplay is from how many events on a replay is long.
const longReplay = 300

// placing moves where a subscriber begins that resumes exactly.
func placing(place func(first, oldest, newest uint64) uint64) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Start: func(ask broker.Ask, _ string, first, oldest, newest uint64) uint64 {
			if ask.Resume != broker.ResumeExact {
				return first
			}
			return place(first, oldest, newest)
		}}
	}
}

// atSeamSent sends what is published while a subscriber comes back so many times.
func atSeamSent(times int) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) (out []broker.Event) {
			if !atSeam(to, ev) {
				return []broker.Event{ev}
			}
			for range times {
				out = append(out, ev)
			}
			return out
		}}
	}
}

// swapInReplay holds every tenth event of a replay back until its successor has gone.
func swapInReplay(c *broker.Config) {
	held := new(each[[]broker.Event])
	c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
		waiting := held.of(to)
		if ev.Sequence < to.Sequence && ev.Number%10 == 5 && to.Resume == broker.ResumeExact {
			*waiting = append(*waiting, ev)
			return nil
		}
		out := append([]broker.Event{ev}, *waiting...)
		*waiting = nil
		return out
	}}
}

// compareAsText leaves out of a replay whatever is not behind the position as text is ordered.
func compareAsText(c *broker.Config) {
	position := new(each[uint64])
	c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
		at := position.of(to)
		if *at == 0 {
			*at = ev.Number - 1
		}
		replayed := to.Resume == broker.ResumeExact && ev.Sequence <= to.Sequence
		if replayed && *at > 0 && strconv.FormatUint(ev.Number, 10) < strconv.FormatUint(*at, 10) {
			return nil
		}
		return []broker.Event{ev}
	}}
}
