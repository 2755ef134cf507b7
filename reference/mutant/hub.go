package mutant

import (
	"net/http"
	"net/url"

	"github.com/streamgauge/streamgauge/reference/hub"
)

// Hub is the reference hub with one deliberate defect.
type Hub struct {
	Name   string
	ID     string   // its number among the catalogue's mutants, as MS-01; "" for those beside them
	Bug    string   // what it does wrong, in one sentence
	SeenIn string   // where this was found in the wild
	Kills  []string // requirements that must fail
	May    []May    // requirements that can fail as well, or cannot be judged
	Break  func(right *hub.Rules)

	Library bool // it is judged as a library, whose publishers give ids
}

// Hubs are the mutants of the reference hub, by the requirement they break.
var Hubs = []Hub{
	{
		Name: "hub-omits-empty-ids", ID: "MS-08", Bug: "An empty id is taken for none, so that the last event id is not reset.",
		SeenIn: "honojs/hono#5138", Kills: []string{"SSE-FORM-017"}, Library: true,
		Break: func(right *hub.Rules) {
			write := right.Field
			right.Field = func(id string) string {
				if id == "" {
					return ""
				}
				return write(id)
			}
		},
	},
	{
		Name: "hub-answers-ok", Bug: "A publish is answered with a word instead of the event's id.",
		SeenIn: "plausible: the answer of a generic handler", Kills: []string{"SSE-MERC-001"},
		May:   []May{{"SSE-MERC-002", "a position cannot be asked for without its id"}, {"SSE-MERC-005", "an id that is not repeated is taken for one of the hub's own"}},
		Break: func(right *hub.Rules) { right.Answer = func(string) string { return "ok" } },
	},
	{
		Name: "hub-keeps-replay-to-itself", Bug: "The response does not say where the replay begins.",
		SeenIn: "plausible: the response field of an optional chapter", Kills: []string{"SSE-MERC-002"},
		Break: func(right *hub.Rules) { right.Tell = func(http.Header, string) {} },
	},
	{
		Name: "hub-ignores-unknown-matchers", Bug: "Matchers that are not known are ignored, and so are control characters.",
		SeenIn: "plausible: query parameters are read by name", Kills: []string{"SSE-MERC-003"},
		Break: func(right *hub.Rules) { right.Matches = func(string) bool { return true } },
	},
	{
		Name: "hub-accepts-reserved-values", Bug: "Updates are published whatever their topic and id are.",
		SeenIn: "plausible: only the token is checked", Kills: []string{"SSE-MERC-004"},
		Break: func(right *hub.Rules) { right.Accepts = func(url.Values) bool { return true } },
	},
	{
		Name: "hub-resumes-behind-last-use", Bug: "An id that was used twice stands for its last use.",
		SeenIn: "plausible: positions in a map", Kills: []string{"SSE-MERC-005"},
		Break: func(right *hub.Rules) {
			right.Find = func(ids []string, position string) int {
				for i := len(ids) - 1; i >= 0; i-- {
					if ids[i] == position {
						return i
					}
				}
				return -1
			}
		},
	},
	{
		Name: "hub-knows-no-earliest", Bug: "The position earliest is taken for the newest update.",
		SeenIn: "plausible: an id that is looked up and not found", Kills: []string{"SSE-RESUME-019"},
		Break: func(right *hub.Rules) {
			find := right.Find
			right.Find = func(ids []string, position string) int {
				if position == "earliest" {
					return len(ids) - 1
				}
				return find(ids, position)
			}
		},
	},
	{
		Name: "hub-prefers-cookies", Bug: "A cookie counts more than the Authorization header.",
		SeenIn: "plausible: the cookie is looked at first", Kills: []string{"SSE-MERC-006"},
		Break: func(right *hub.Rules) {
			right.Choose = func(header, cookie string, _ bool) string {
				if cookie != "" {
					return cookie
				}
				return header
			}
		},
	},
	{
		Name: "hub-tells-strangers-of-subscriptions", Bug: "Updates about subscriptions are public.",
		SeenIn: "plausible: a flag that is off by default", Kills: []string{"SSE-MERC-007"},
		Break: func(right *hub.Rules) { right.Private = false },
	},
	{
		Name: "hub-publishes-for-any-page", Bug: "Who has the cookie may publish from a page of any origin.",
		SeenIn: "mercure#security-considerations warns of it", Kills: []string{"SSE-AUTH-011"},
		Break: func(right *hub.Rules) { right.Trusts = func(string) bool { return true } },
	},
}
