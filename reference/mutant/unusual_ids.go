package mutant

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// oddIDs have ids that tell nothing of an order.
var oddIDs = []Odd{
	{Name: "names-events-with-uuids", About: "Ids are UUIDs.", Broker: renaming(uuidOf)},
	{Name: "changes-length-of-ids", About: "Ids have from 1 to 300 characters.", Broker: renaming(func(id string) string {
		sum := sha256.Sum256([]byte(id))
		return strings.Repeat("z", int(sum[0])) + id + ":"
	})},
	{Name: "writes-ids-beyond-ascii", About: "Ids hold characters beyond ASCII.", Broker: renaming(func(id string) string {
		return "größe-日本-" + id + "-é"
	})},
	{Name: "writes-ids-with-markup", About: "Ids hold spaces, colons, quotes and percent signs.", Broker: renaming(func(id string) string {
		return `<a b="c">: 100% & ` + id + `, 'd';`
	})},
}

// renaming gives every event another id, and takes those ids back.
func renaming(rename func(id string) string) func(*broker.Config) {
	return renamingAll(rename, func(string) bool { return true })
}

// renamingAll is renaming that takes back only the ids that it recognises.
func renamingAll(rename func(id string) string, recognises func(id string) bool) func(*broker.Config) {
	return func(c *broker.Config) {
		var known sync.Map // new id → old id
		renamed := func(id string) string {
			instead := rename(id)
			if recognises(instead) {
				known.Store(instead, id)
			}
			return instead
		}
		old := func(id string) string {
			if original, ok := known.Load(id); ok {
				return original.(string)
			}
			return id
		}
		c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
			return bytes.Replace(text, []byte("id: "+ev.ID+"\n"), []byte("id: "+renamed(ev.ID)+"\n"), 1)
		})
		opening := begun(func(p []byte) []byte {
			return brokerID.ReplaceAllFunc(p, func(line []byte) []byte { return []byte("id: " + renamed(string(line[len("id: "):]))) })
		}).Handler
		c.Tamper.Handler = func(next http.Handler) http.Handler {
			right := opening(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if id := r.Header.Get("Last-Event-ID"); id != "" {
					r.Header.Set("Last-Event-ID", old(id))
				}
				if query := r.URL.Query(); query.Has("lastEventId") {
					query.Set("lastEventId", old(query.Get("lastEventId")))
					r.URL.RawQuery = query.Encode()
				}
				right.ServeHTTP(w, r)
			})
		}
	}
}

// brokerID is a line with an id as the broker makes them.
var brokerID = regexp.MustCompile(`(?m)^id: [a-z2-7]{8}-[0-9]+$`)

// uuidOf is an id that tells nothing of its place.
func uuidOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
