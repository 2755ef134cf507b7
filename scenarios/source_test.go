package scenarios

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheSourceIsWhatWasRun overrides keys, and keeps variables and the arguments of commands to itself.
func TestTheSourceIsWhatWasRun(t *testing.T) {
	t.Parallel()
	const text = `
# a remark
name: told # another
about: ${ABOUT}
load: {subscribers: 10, publish: &p {rate: 1/s}}
timeline:
  - at: 1s
    fault: reset
    share: 10%
  - {at: 2s, fault: restart, command: [deploy, --token=hunter2, --password, hunter3, "Authorization: hunter4", "Bearer ${SECRET}", now]}
duration: 10s
expect: {latency: {p99: 1s}}
`
	environment := map[string]string{"ABOUT": "topsecret", "SECRET": "hunter5"}
	lookup := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	s, err := ParseScenario([]byte(text), Source{Name: "a.yaml", Lookup: lookup}, "load.subscribers=500", "timeline.0.share=25%", "expect.delivery=[unique]")
	if err != nil {
		t.Fatal(err)
	}
	want := `name: told
about: ${ABOUT}
load: {subscribers: 500, publish: &p {rate: 1/s}}
timeline:
  - at: 1s
    fault: reset
    share: 25%
  - {at: 2s, fault: restart, command: [deploy, --token=***, --password, '***', "Authorization: ***", "Bearer ${SECRET}", now]}
duration: 10s
expect: {latency: {p99: 1s}, delivery: [unique]}
`
	if diff := cmp.Diff(want, s.Source); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := s.StepText(0), "{at: 1s, fault: reset, share: 25%}"; got != want {
		t.Errorf("step 0 is %q, want %q", got, want)
	}
	if s.StepText(1) == "" || strings.Contains(s.StepText(1), "hunter") || s.StepText(2) != "" || s.StepText(-1) != "" {
		t.Errorf("step 1 is %q, step 2 %q", s.StepText(1), s.StepText(2))
	}
	if s.About != "topsecret" || s.Timeline[1].Command[1] != "--token=hunter2" {
		t.Errorf("what runs has changed: %q, %q", s.About, s.Timeline[1].Command)
	}
}

// TestTheSourceOfAShippedScenarioReadsAsTheSame parses what was written.
func TestTheSourceOfAShippedScenarioReadsAsTheSame(t *testing.T) {
	t.Parallel()
	for _, name := range ShippedNames() {
		s, err := LoadScenario(name, os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseScenario([]byte(s.Source), Source{Name: name, Open: func(path string) ([]byte, error) { return shipped.ReadFile("shipped/" + path) }})
		if err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, s.Source)
		}
		for i := range s.Timeline {
			s.Timeline[i].Line, again.Timeline[i].Line = 0, 0
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
