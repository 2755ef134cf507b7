package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	cases "github.com/streamgauge/streamgauge/conformance/sse/client"
)

// followed is a client that others wrote, and what `streamgauge check-client` says of it but that it passes.
type followed struct {
	name    string
	about   string   // what was judged, in a sentence
	of      []string // what it is made of: Debian packages, modules, npm: and a package
	profile conformance.Profile
	way     way
	// apart are requirements that are judged by themselves afterwards, since they bring the client down, and all that it follows.
	apart []string
	known map[string]deviation // by requirement
	// unasked is what is not judged, with the reason.
	unasked map[string]string
}

// way is how a client is named on the command line, ready to be judged.
type way struct {
	words  []string // in front of --
	behind []string // the command line of an adapter, as it is run by hand in conformance/peers
	ready  func(t *testing.T, w way) way
}

// clientChecks lets few clients be judged at once: most of the time they wait, but there may be two cores.
var clientChecks = make(chan struct{}, 4)

func TestClientsDepartOnlyAsIsKnown(t *testing.T) {
	t.Parallel()
	t.Cleanup(func() { documentClients(t) }) // once all of them were judged
	for _, f := range clients {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			found.add(f.name, f.judge(t))
		})
	}
}

// judge checks the client, once more what is not as it is known to be, and compares its verdicts with that.
func (f *followed) judge(t *testing.T) []conformance.Verdict {
	t.Helper()
	w := f.way.ready(t, f.way)
	playing.Wait()
	clientChecks <- struct{}{}
	defer func() { <-clientChecks }()
	result := w.check(t, without(asked(f.profile), slices.Concat(f.apart, slices.Collect(maps.Keys(f.unasked)))))
	verdicts := result.Verdicts
	t.Logf("%s took %v, the harness: %v", f.name, result.Duration, result.Health.Problems)
	if f.apart != nil {
		verdicts = append(verdicts, w.check(t, f.apart).Verdicts...)
	}
	if again := doubtful(f.known, verdicts); len(again) > 0 {
		t.Logf("once more: %s", strings.Join(again, ", "))
		verdicts = replaced(t, verdicts, w.check(t, again).Verdicts)
	}
	compare(t, f.known, verdicts)
	return verdicts
}

// asked are the requirements of a profile's clients, by the order of the catalogue.
func asked(profile conformance.Profile) (ids []string) {
	requirements, err := conformance.Requirements()
	if err != nil {
		panic(err)
	}
	for _, r := range requirements {
		judges := slices.ContainsFunc(cases.Cases, func(c cases.Case) bool { return c.Requirement == r.ID })
		if judges && r.AppliesTo(profile) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// check runs `streamgauge check-client` and returns what it printed.
func (w way) check(t *testing.T, only []string) *conformance.Result {
	t.Helper()
	args := append([]string{"check-client", "--format", "json", "--quiet", "--seed", "1", "--only", strings.Join(only, ",")}, w.words...)
	if w.behind != nil {
		args = append(append(args, "--"), w.behind...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out, said bytes.Buffer
	carryOut := func() error {
		out.Reset()
		c := exec.CommandContext(ctx, streamgauge(t), args...)
		c.SysProcAttr = dependent()
		c.Stdout, c.Stderr = &out, &said
		return c.Run()
	}
	var exit *exec.ExitError
	err := carryOut()
	if errors.As(err, &exit) && exit.ExitCode() == 4 {
		t.Logf("once more: %s", tail(said.Bytes())) // the self-test of an adapter has times to keep, which a busy machine does not
		err = carryOut()
	}
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0 || exit.ExitCode() > 2) {
		t.Fatalf("streamgauge check-client: %v\n%s", err, said.String())
	}
	result := new(conformance.Result)
	if err := json.Unmarshal(out.Bytes(), result); err != nil {
		t.Fatalf("reading the result: %v\n%s", err, said.String())
	}
	return result
}

// inGo is an adapter in this module.
func inGo(name string) way {
	return way{behind: []string{"go", "run", "./clients/" + name}, ready: func(t *testing.T, w way) way {
		t.Helper()
		return way{behind: []string{buildOnce(t, "client-"+name, "./clients/"+name)}}
	}}
}

// inNode is an adapter for Node.js, beside the packages that its lock file names.
func inNode(name string) way {
	return way{behind: []string{"node", "clients/" + name + ".mjs"}, ready: func(t *testing.T, w way) way {
		t.Helper()
		return way{behind: []string{installed(t, "node", "nodejs"), needsModules(t, w.behind[1])}}
	}}
}

// needsModules skips the test when the packages of the adapters were not installed, and fails it in CI.
func needsModules(t *testing.T, adapter string) (path string) {
	t.Helper()
	const advice = "cd conformance/peers/clients && npm ci"
	_, err := os.Stat(filepath.Join("clients", "node_modules"))
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%v: %s", err, advice)
	default:
		t.Skipf("%v: %s", err, advice)
	}
	return adapter
}

// builtIn is a client of streamgauge itself.
func builtIn(words ...string) way {
	return way{words: words, ready: func(_ *testing.T, w way) way { return w }}
}

// inChromium is the EventSource of the Chromium on PATH.
func inChromium() way {
	return way{words: []string{"--browser"}, ready: func(t *testing.T, w way) way {
		t.Helper()
		installed(t, "chromium", "chromium")
		return w
	}}
}
