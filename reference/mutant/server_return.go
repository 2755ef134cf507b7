package mutant

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverReturnMutants keep to what is owed on a first connection, and not on one that comes back.
var serverReturnMutants = []Mutant{
	{
		Name: "asks-the-returned-to-stay-away", Bug: "Who comes back with a position is told to wait for an hour the next time.",
		SeenIn: "plausible: another constant where replays are written", Kills: []string{"SSE-FORM-016"},
		Broker: func(c *broker.Config) {
			c.Tamper = filtered(func(r *http.Request) func([]byte) []byte {
				begun := !returns(r)
				return func(p []byte) []byte {
					if begun {
						return p
					}
					begun = true
					return slices.Concat([]byte("retry: 3600000\n\n"), p)
				}
			})
		},
	},
	{
		Name: "outlives-its-token-once-resumed", Bug: "The expiry of a token is watched on a first connection, and not on one that came back.",
		SeenIn: "plausible: a timer that is set where there is nothing to replay", Kills: []string{"SSE-AUTH-004"},
		Broker: resigning(func(r *http.Request, t *token) bool {
			if !t.signed || !returns(r) || t.claims.ExpiresAt == nil || t.claims.ExpiresAt.Before(time.Now()) {
				return false
			}
			t.claims.ExpiresAt = jwt.NewNumericDate(time.Now().Add(time.Hour))
			return true
		}),
	},
	{
		Name: "keeps-no-list-of-the-returned", Bug: "A connection that came back is on no list of its user's: no limit counts it, and withdrawn rights do not end it.",
		SeenIn: "plausible: it is registered where there is nothing to replay", Kills: []string{"SSE-AUTH-005", "SSE-LIMIT-002"},
		Broker: func(c *broker.Config) {
			var returned atomic.Uint64
			c.User = func(r *http.Request) string {
				if returns(r) {
					return fmt.Sprint("nobody ", returned.Add(1))
				}
				return r.Header.Get("Authorization")
			}
			c.Tamper = &broker.Tamper{Revoke: func(to *broker.Subscriber) bool { return to.Resume != broker.ResumeExact }}
		},
	},
	{
		Name: "forgets-the-returned-in-a-drain", Bug: "A drain ends first connections, and waits for those that came back until it is cut short.",
		SeenIn: "plausible: two lists of connections", Kills: []string{"SSE-DRAIN-001"},
		May: because("it is cut in the end", "SSE-DRAIN-002", "SSE-DRAIN-005"),
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Drain: func(to *broker.Subscriber) bool { return to.Resume != broker.ResumeExact }}
		},
	},
	{
		Name: "goes-deaf-once-resumed", Bug: "A connection that came back gets nothing any more after a few seconds, and stays open.",
		SeenIn: "plausible: it is registered under the timeout of its replay", Kills: []string{"SSE-HTTPS-020"},
		Broker: delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			if to.Resume == broker.ResumeExact && time.Since(to.Joined) > deafAfter {
				return nil
			}
			return []broker.Event{ev}
		}),
	},
	{
		Name: "lets-caches-store-replays", Bug: "The head of a stream that was resumed says nothing of caches.",
		SeenIn: "plausible: a handler of its own for replays", Kills: []string{"SSE-HTTPS-006", "SSE-HTTPS-007"},
		Broker: omitsOnReturn("Cache-Control"),
	},
	{
		Name: "hides-replays-from-pages", Bug: "The head of a stream that was resumed does not name the origin of the page that asks.",
		SeenIn: "plausible: a handler of its own for replays", Kills: []string{"SSE-HTTPS-014"},
		Broker: omitsOnReturn("Access-Control-Allow-Origin"),
	},
	{
		Name: "keeps-replays-compressed", Bug: "In a coding what is replayed waits for the next event.",
		SeenIn: "plausible: a flush in the loop of live events alone", Kills: []string{"SSE-HTTPS-026"},
		Broker: func(c *broker.Config) {
			late, soon := *c, *c
			compressingStreams("gzip", takes("gzip"), oneEventLate)(&late)
			compressingStreams("gzip", takes("gzip"), flushed)(&soon)
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				serve := soon.Tamper.Handler
				if returns(r) {
					serve = late.Tamper.Handler
				}
				serve(next).ServeHTTP(w, r)
			})
		},
	},
	{
		Name: "replays-stream-by-stream", Bug: "A replay of several streams is that of one behind that of the other, and its ids are those of all streams together.",
		SeenIn: "plausible: a history for each stream, read in a loop", Kills: []string{"SSE-RESUME-024"},
		Broker: func(c *broker.Config) {
			held := new(each[[]broker.Event])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				waiting := held.of(to)
				if to.Resume != broker.ResumeExact || len(to.Streams) < 2 || ev.Sequence > to.Sequence && len(*waiting) == 0 {
					return []broker.Event{ev}
				}
				*waiting = append(*waiting, ev)
				if ev.Sequence < to.Sequence {
					return nil
				}
				out := slices.Clone(*waiting)
				*waiting = nil
				slices.SortStableFunc(out, func(a, b broker.Event) int { return cmp.Compare(a.Stream, b.Stream) })
				return out
			}}
		},
	},
	{
		Name: "skips-behind-the-oldest", Bug: "Who comes back with the oldest position that is kept misses the event behind it.",
		SeenIn: "plausible: off by one where a ring of events begins", Kills: []string{"SSE-RESUME-020"}, May: replaysWrong,
		Broker: func(c *broker.Config) {
			history := uint64(c.HistoryEvents) //nolint:gosec // positive
			placing(func(first, _, newest uint64) uint64 {
				if newest >= history && newest-first+2 == history {
					return first + 1
				}
				return first
			})(c)
		},
	},
}

// returns says whether a request comes back with a position.
func returns(r *http.Request) bool {
	return r.URL.Path == "/events" && r.Header.Get("Last-Event-ID") != ""
}

// omitsOnReturn leaves a field out of the head of each stream that was resumed.
func omitsOnReturn(field string) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = headed(func(r *http.Request, h http.Header) {
			if returns(r) {
				h.Del(field)
			}
		})
	}
}
