package scenarios

import (
	"strings"
	"testing"
	"time"
)

const overridable = `
name: overridable
load:
  subscribers: 10
  publish: {rate: 1/s}
  reconnect: immediate
timeline:
  - {at: 1s, fault: reset, share: 10%}
  - {at: 2s, fault: close, share: 20%}
duration: 10s
expect: {latency: {p99: 1s}}
`

func TestOverridesReplaceAndAddKeys(t *testing.T) {
	t.Parallel()
	s, err := ParseScenario([]byte(overridable), Source{Name: "a.yaml"},
		"load.subscribers=500", "timeline.1.share=50%", "load.publish.types={a: 1}", "expect.latency.p99.9=5s", "expect.connect.failed=0",
		"expect.delivery=[ordered, unique]", "load.reconnect={base: 2s}", "about=a = b")
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case s.Load.Subscribers != 500, s.Timeline[1].Share != 0.5, s.Timeline[0].Share != 0.1, s.Load.Publish.Types["a"] != 1,
		s.Expect.Latency[99.9] != 5*time.Second, s.Expect.Latency[99] != time.Second, *s.Expect.Connect.Failed != 0, len(s.Expect.Delivery) != 2,
		s.Load.Reconnect.Base != 2*time.Second, s.About != "a = b":
		t.Errorf("got %+v", s)
	}
}

func TestProblemsOfOverridesNameTheFlag(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ override, want string }{
		{"load.subscribers=many", `--set load.subscribers=many: load.subscribers: is "many", which is not a whole number`},
		{"load.subscriber=5", "--set load.subscriber=5: load.subscriber: is not a known key; did you mean subscribers?"},
		{"load.publish.rate=5", "--set load.publish.rate=5: load.publish.rate: is \"5\", which is not a rate; a unit is missing: 5/s?"},
		{"timeline.7.share=5%", "--set timeline.7.share=5%: timeline.7: the list has 2 elements, counted from 0"},
		{"name.first=a", "--set name.first=a: name.first: what it is in has no keys of its own"},
		{"duration", "--set duration: is not key=value"},
		{"=5", "--set =5: is not key=value"},
		{"about={", "--set about={: the value is not YAML"},
		{"duration=", "--set duration=: duration: has no value"},
		{"timeline.0.at=20s", "--set timeline.0.at=20s: timeline.0.at: is 20s, but the run ends at 10s"},
		{"load.ramp.arrivals=now", "--set load.ramp.arrivals=now: load.ramp.arrivals: is \"now\""},
	} {
		_, err := ParseScenario([]byte(overridable), Source{Name: "a.yaml"}, test.override)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.override, err, test.want)
		}
	}
}

func TestOverrideOfAnAliasLeavesItsSource(t *testing.T) {
	t.Parallel()
	text := "{name: a, load: {subscribers: 1, publish: {rate: 1/s}}, duration: &d 10s, settle: *d, expect: {}}"
	s, err := ParseScenario([]byte(text), Source{}, "settle=1s")
	if err != nil || s.Duration != 10*time.Second || s.Settle != time.Second {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestAnAboutTellsOfTheLoadThatRuns(t *testing.T) {
	t.Parallel()
	none := func(string) (string, bool) { return "", false }
	s, err := LoadScenario("mass-connect", none, "load.subscribers=100", "load.ramp.over=2s")
	if err != nil || !strings.HasPrefix(s.About, "100 subscribers arrive within 2s.") {
		t.Errorf("%q, %v", s.About, err)
	}
	for _, name := range ShippedNames() {
		if s, err := LoadScenario(name, none); err != nil || strings.ContainsAny(s.About, "{}") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := LoadScenario("mass-connect", none, `about="to {load.nobody}"`); err != nil || s.About != "to {load.nobody}" {
		t.Errorf("%v", err)
	}
}
