package compare_test

import (
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/compare"
)

// judged is a run with one verdict of each of these outcomes, by id.
func judged(name string, outcomes map[string]conformance.Outcome) compare.Run {
	r := &conformance.Result{Version: 1, Kind: conformance.KindCheck, Subject: conformance.Subject{Name: "gateway"}}
	for id, o := range outcomes {
		r.Verdicts = append(r.Verdicts, conformance.Verdict{ID: id, Outcome: o})
	}
	return compare.Run{Name: name, Result: r}
}

func one(o conformance.Outcome) compare.Run {
	return judged(o.String(), map[string]conformance.Outcome{"SSE-FORM-001": o})
}

func TestWhatBecomesOfAVerdict(t *testing.T) {
	t.Parallel()
	const (
		pass, fail, warn, info, skip, unknown = conformance.Pass, conformance.Fail, conformance.Warn, conformance.Info, conformance.Skip, conformance.Unknown
		same, worse, better, unclear, shown   = conformance.TrendSame, conformance.TrendWorse, conformance.TrendBetter, conformance.TrendUnclear, conformance.TrendShown
	)
	for _, c := range []struct {
		old, latest conformance.Outcome
		want        conformance.Trend
	}{
		{pass, pass, same}, {pass, info, same}, {fail, fail, same}, {warn, warn, same}, {skip, skip, same},
		{pass, fail, worse}, {pass, warn, worse}, {warn, fail, worse}, {info, fail, worse}, {unknown, fail, worse}, {skip, fail, worse},
		{fail, pass, better}, {warn, pass, better}, {fail, warn, better},
		{pass, unknown, unclear}, {pass, skip, unclear}, {warn, unknown, unclear}, {unknown, unknown, unclear}, {skip, unknown, unclear}, {unknown, skip, unclear},
		{fail, unknown, shown}, {fail, skip, shown}, {unknown, pass, shown}, {skip, pass, shown}, {skip, warn, shown},
	} {
		got := compare.Do([]compare.Run{one(c.old)}, one(c.latest), compare.Options{}).Verdicts
		if len(got) != 1 || got[0].Trend != c.want {
			t.Errorf("%s to %s is %+v, want %s", c.old, c.latest, got, c.want)
		}
		if len(got) == 1 && got[0].Trend == unclear && got[0].Text == "" {
			t.Errorf("%s to %s is unclear, and nothing says why", c.old, c.latest)
		}
	}
}

func TestAPromiseThatIsNotJudgedAnyMoreIsUnclear(t *testing.T) {
	t.Parallel()
	none := judged("none", nil)
	for o, want := range map[conformance.Outcome]conformance.Trend{
		conformance.Pass: conformance.TrendUnclear, conformance.Unknown: conformance.TrendUnclear, conformance.Fail: conformance.TrendShown,
	} {
		if got := compare.Do([]compare.Run{one(o)}, none, compare.Options{}).Verdicts; len(got) != 1 || got[0].Trend != want {
			t.Errorf("%s, and then nothing, is %+v, want %s", o, got, want)
		}
	}
	if got := compare.Do([]compare.Run{none}, one(conformance.Fail), compare.Options{}).Verdicts; len(got) != 1 || got[0].Trend != conformance.TrendShown {
		t.Errorf("a new promise is %+v, want that it is shown: nothing got worse", got)
	}
}

func TestWhatFailedInOneOldRunIsNoRegression(t *testing.T) {
	t.Parallel()
	old := []compare.Run{one(conformance.Pass), one(conformance.Fail), one(conformance.Pass)}
	got := compare.Do(old, one(conformance.Fail), compare.Options{}).Verdicts[0]
	if got.Trend != conformance.TrendSame || got.Text != "1 of 3 old runs failed it" {
		t.Errorf("got %+v", got)
	}
}

func TestTheWorstComesFirst(t *testing.T) {
	t.Parallel()
	old := judged("old", map[string]conformance.Outcome{"A": conformance.Pass, "B": conformance.Fail, "C": conformance.Pass, "D": conformance.Pass})
	latest := judged("new", map[string]conformance.Outcome{"A": conformance.Pass, "B": conformance.Pass, "C": conformance.Fail, "D": conformance.Unknown})
	var order string
	for _, v := range compare.Do([]compare.Run{old}, latest, compare.Options{}).Verdicts {
		order += v.ID
	}
	if order != "CDBA" {
		t.Errorf("the order is %s, want CDBA", order)
	}
}

func TestOnlySomeAreCompared(t *testing.T) {
	t.Parallel()
	run := busy.run(1, 20)
	c := compare.Do([]compare.Run{run}, run, compare.Options{Only: []string{"latency.by_second", "delivery"}})
	if len(c.Verdicts) != 1 || c.Verdicts[0].ID != "delivery.complete" || len(c.Measures) != 2 {
		t.Errorf("compared were %+v and %+v", c.Verdicts, c.Measures)
	}
}
