package mutant

import (
	"bytes"
	"net/http"
	"slices"
	"sync"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// Server is every mutant that the cases of a server must catch: its Kills are requirements. They are run against the embedded
// broker's configuration, so they need no scenario.
var Server = withoutKills(slices.Concat(serverFormMutants, serverHTTPSMutants, serverOpeningMutants, serverCodingMutants, serverHBSMutants, serverResumeMutants, serverReplayMutants, serverReturnMutants, serverDelivMutants, serverCrowdMutants, serverRareMutants, serverTextMutants, serverAuthMutants, serverSlowMutants, serverDrainMutants, serverLimitMutants, serverHaltMutants))

// withoutKills leaves out of what a mutant may miss what it must: several share a list of that.
func withoutKills(mutants []Mutant) []Mutant {
	for i, m := range mutants {
		mutants[i].May = slices.DeleteFunc(slices.Clone(m.May), func(may May) bool { return slices.Contains(m.Kills, may.ID) })
	}
	return mutants
}

// Finished is the name of a stream in which nothing will come any more.
const Finished = "streamgauge-finished"

// onStreams wraps what serves subscriptions.
func onStreams(serve func(w http.ResponseWriter, r *http.Request, next http.Handler)) *broker.Tamper {
	return &broker.Tamper{Handler: onEvents(serve)}
}

// rewritten changes the bytes of an event.
func rewritten(change func(ev broker.Event, text []byte) []byte) *broker.Tamper {
	return &broker.Tamper{Encode: func(ev broker.Event) []byte { return change(ev, broker.EncodeEvent(ev)) }}
}

// headed changes the head of every stream.
func headed(change func(r *http.Request, h http.Header)) *broker.Tamper {
	return &broker.Tamper{Header: func(r *http.Request, h http.Header) {
		if r.URL.Path == "/events" {
			change(r, h)
		}
	}}
}

// filtered puts a filter between the broker and each of its streams. The filter gets every write and returns what goes out
// instead; it is called by one goroutine at a time.
func filtered(newFilter func(r *http.Request) func(p []byte) []byte) *broker.Tamper {
	return onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&filter{ResponseWriter: w, change: newFilter(r)}, r)
	})
}

// filter is a ResponseWriter that cannot be taken over.
type filter struct {
	http.ResponseWriter

	mu     sync.Mutex
	change func(p []byte) []byte
	silent bool // nothing has gone out since the last flush
}

func (f *filter) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.change(p)
	f.silent = len(out) == 0
	if f.silent {
		return len(p), nil
	}
	_, err := f.ResponseWriter.Write(out)
	return len(p), err
}

// FlushError flushes unless there is nothing but a head: that would go out with it.
func (f *filter) FlushError() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return nil
	}
	return http.NewResponseController(f.ResponseWriter).Flush()
}

// Unwrap gives deadlines their way.
func (f *filter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// eventLines are the lines of one event, without its blank line.
func eventLines(text []byte) [][]byte {
	return bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
}
