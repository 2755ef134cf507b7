package compare_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/compare"
)

func TestOnlyLikeIsComparedWithLike(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(r *compare.Run){
		"":                                       func(*compare.Run) {},
		"has the kind run, new has check":        func(r *compare.Run) { r.Result.Kind = conformance.KindCheck },
		"has the subject gateway, new has other": func(r *compare.Run) { r.Result.Subject.Name = "other" },
		"the machine linux/amd64 with 2 processors, new has linux/arm64": func(r *compare.Run) { r.Machine.Arch = "arm64" },
		"steady is another scenario in old than in new: 100 subscribers, and 200": func(r *compare.Run) {
			r.Result.Runs[0].Plan, r.Result.Runs[0].Subscribers = "c3", 200
		},
		`line 2 is "duration: 60s", and "duration: 30s"`: func(r *compare.Run) {
			r.Result.Runs[0].Plan, r.Result.Runs[0].Source = "c3", "name: steady\nduration: 30s\n"
		},
		"with one seed its plans differ": func(r *compare.Run) { r.Result.Runs[0].Plan = "c3" },
		"old ran steady, new ran other":  func(r *compare.Run) { r.Result.Runs[0].Scenario = "other" },
	} {
		old, latest := busy.run(1, 5), busy.run(1, 5)
		old.Name, latest.Name = "old", "new"
		old.Result.Runs[0].Source = "name: steady\nduration: 60s\n"
		change(&latest)
		got := compare.Incomparable([]compare.Run{old}, latest)
		if says == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || !strings.Contains(got[0], says) || says == "" {
			t.Errorf("the reasons are %q, want one that says %q", got, says)
		}
	}
}

func TestOtherSeedsAndVersionsAreNoted(t *testing.T) {
	t.Parallel()
	old, latest := busy.run(1, 5), busy.run(1, 5)
	old.Name, latest.Name = "old", "new"
	latest.Result.Seed, latest.Result.Tool, latest.Result.Runs[0].Plan, latest.Machine = 8, "streamgauge 2", "c3", compare.Machine{}
	if why := compare.Incomparable([]compare.Run{old}, latest); len(why) > 0 {
		t.Errorf("they cannot be compared: %q", why)
	}
	notes := compare.Do([]compare.Run{old}, latest, compare.Options{Tolerance: 0.1}).Notes
	for _, want := range []string{
		"old and new have different seeds: arrivals and faults fall otherwise, and the difference includes that.",
		"old was made by streamgauge 1, new by streamgauge 2.",
		"new has no manifest, so nothing says on which machine it was measured.",
	} {
		if !slices.Contains(notes, want) {
			t.Errorf("the notes are %q, want %q", notes, want)
		}
	}
}
