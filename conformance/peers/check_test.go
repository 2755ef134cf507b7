package peers

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	cases "github.com/streamgauge/streamgauge/conformance/sse/server"
)

// checks lets few checks run at once, and none beside scenarios that compare times: all of them measure, and there may be two cores.
var (
	checks  = make(chan struct{}, 4)
	playing sync.WaitGroup // peers with such scenarios to come
)

// turn waits until another check may run. done says that it has.
func turn() (done func()) {
	playing.Wait()
	checks <- struct{}{}
	return func() { <-checks }
}

func TestPeersDepartOnlyAsIsKnown(t *testing.T) {
	t.Parallel()
	t.Cleanup(func() { document(t) }) // once all of them were judged
	for _, j := range servers {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			found.add(j.name, j.judge(t))
		})
	}
	for _, i := range intermediaries {
		t.Run(i.name, func(t *testing.T) {
			t.Parallel()
			found.add(i.name, i.judge(t))
		})
	}
}

// judge checks the server and compares its verdicts with what is known.
func (j *judged) judge(t *testing.T) []conformance.Verdict {
	t.Helper()
	var verdicts []conformance.Verdict
	together := without(selected(j.only), slices.Concat(j.apart, slices.Collect(maps.Keys(j.unasked))))
	if len(together) > 0 {
		verdicts = j.round(t, together)
	}
	for _, id := range j.apart {
		verdicts = append(verdicts, j.round(t, []string{id})...)
	}
	compare(t, j.known, verdicts)
	return verdicts
}

// round checks a fresh server, and once more for what is not as it is known to be.
func (j *judged) round(t *testing.T, only []string) (verdicts []conformance.Verdict) {
	t.Helper()
	t.Run(strings.Join(only[:min(1, len(only))], ""), func(t *testing.T) {
		defer turn()()
		s := j.start(t, j.host)
		result := s.check(t, only)
		verdicts = result.Verdicts
		t.Logf("%s took %v, the harness: %v", j.name, result.Duration, result.Health.Problems)
		again := doubtful(j.known, verdicts)
		if len(again) == 0 {
			return
		}
		t.Logf("once more: %s", strings.Join(again, ", "))
		verdicts = replaced(t, verdicts, s.check(t, again).Verdicts)
	})
	return verdicts
}

// replaced are the verdicts with those of a second attempt in the place of the first.
func replaced(t *testing.T, verdicts, again []conformance.Verdict) []conformance.Verdict {
	t.Helper()
	for _, v := range again {
		at := slices.IndexFunc(verdicts, func(old conformance.Verdict) bool { return old.ID == v.ID })
		t.Logf("first  %s\nsecond %s", describe(verdicts[at]), describe(v))
		verdicts[at] = v
	}
	return verdicts
}

// doubtful are the requirements whose verdicts are not what is known: those are judged once more, by themselves, before they are believed.
func doubtful(known map[string]deviation, verdicts []conformance.Verdict) (ids []string) {
	for _, v := range verdicts {
		if contradicts(known, v) {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// contradicts says that a verdict is not what is known of the peer.
func contradicts(known map[string]deviation, v conformance.Verdict) bool {
	expected, departs := known[v.ID]
	if !departs {
		return v.Outcome != pass && (v.Outcome != conformance.Skip || !lacking.MatchString(v.Reason))
	}
	return !slices.Contains(expected.outcomes, v.Outcome) || v.Outcome != pass && !regexp.MustCompile(expected.seen).MatchString(describe(v))
}

// tooBusy is why a verdict about times is unknown that says nothing about the peer.
var tooBusy = regexp.MustCompile("a timer of the harness was|this machine was too busy")

// compare fails the test for each verdict that contradicts what is known, and for all that is known and was not judged.
func compare(t *testing.T, known map[string]deviation, verdicts []conformance.Verdict) {
	t.Helper()
	judged := map[string]bool{}
	for _, v := range verdicts {
		judged[v.ID] = true
		expected, departs := known[v.ID]
		if !departs {
			expected.outcomes = []conformance.Outcome{pass}
		}
		switch text := describe(v); {
		case !contradicts(known, v):
		case v.Outcome == unknown && tooBusy.MatchString(v.Reason):
			t.Logf("this machine was too busy to tell: %s", text)
		default:
			t.Errorf("%s\nwant %v %s. %s", text, expected.outcomes, expected.seen, expected.why)
		}
	}
	for id := range known {
		if !judged[id] {
			t.Errorf("%s is known, but was not judged", id)
		}
	}
}

// lacking are reasons of a skip that say what the server does not offer, or what was not asked for: no behaviour of it.
var lacking = regexp.MustCompile(strings.Join([]string{
	"^needs ", "^the target does not declare", "^the target declares no ", "^the target does not claim", "^the events carry no id",
	"^one connection follows one stream", "^a publisher of this target controls", "^no history of at most", "^the target chooses the ids",
	"^no other origin is allowed", "^it is not known which stream is finished", "^the target is reached without TLS",
	"connections of one user were accepted", "^no limit ", "--set SSE-", "^nothing came but what was published", "^no greeting is declared",
	"^the stream is not compressed", "^a publish carries no credentials",
	"^the adapter does not declare ", "^the adapter declares n(o|either) ", "^the adapter cannot tell ", "^the client goes on after status ", "^the client accepts neither gzip nor deflate", "^the client does not show ",
}, "|"))

// selected are the requirements that are asked of a broker, by the order of the catalogue.
func selected(only []string) (ids []string) {
	requirements, err := conformance.Requirements()
	if err != nil {
		panic(err)
	}
	for _, r := range requirements {
		judges := slices.ContainsFunc(cases.Cases, func(c cases.Case) bool { return c.Requirement == r.ID })
		if judges && r.AppliesTo(conformance.ProfileBroker) && r.Selected(only) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func without(all, some []string) []string {
	return slices.DeleteFunc(all, func(id string) bool { return slices.Contains(some, id) })
}
