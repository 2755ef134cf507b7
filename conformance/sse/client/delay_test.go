package client

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

const ms = time.Millisecond

func times(all ...int) []time.Duration {
	var d []time.Duration
	for _, n := range all {
		d = append(d, time.Duration(n)*ms)
	}
	return d
}

func TestDeclaredDelaysAllowWhatTheyDeclare(t *testing.T) {
	t.Parallel()
	doubling := subject.Delay{BaseMS: 1000, Factor: 2, CapMS: 30000}
	with := func(jitter float64, spread string) subject.Delay {
		d := doubling
		d.Jitter, d.Spread = jitter, spread
		return d
	}
	own := doubling
	own.OwnTime = true
	for _, c := range []struct {
		name      string
		delay     subject.Delay
		row       int
		retry     time.Duration
		low, high time.Duration
	}{
		{"first", doubling, 0, 0, 1000 * ms, 1000 * ms},
		{"grown", doubling, 3, 0, 8000 * ms, 8000 * ms},
		{"at the cap", doubling, 5, 0, 30000 * ms, 30000 * ms},
		{"far behind the cap", doubling, 5000, 0, 30000 * ms, 30000 * ms},
		{"retry replaces the base", doubling, 1, 10 * ms, 20 * ms, 20 * ms},
		{"retry above the cap is obeyed", doubling, 4, time.Minute, time.Minute, time.Minute},
		{"retry is not followed", own, 1, 10 * ms, 2000 * ms, 2000 * ms},
		{"up", with(0.3, "up"), 0, 0, 1000 * ms, 1300 * ms},
		{"down", with(0.5, "down"), 0, 0, 500 * ms, 1000 * ms},
		{"both", with(0.5, "both"), 0, 0, 500 * ms, 1500 * ms},
		{"open", with(0.5, ""), 0, 0, 500 * ms, 1500 * ms},
		{"full", with(0, "full"), 1, 0, 0, 2000 * ms},
		{"constant", subject.Delay{BaseMS: 50, Factor: 1}, 9, 0, 50 * ms, 50 * ms},
		{"no factor", subject.Delay{BaseMS: 50}, 9, 0, 50 * ms, 50 * ms},
		{"no base", subject.Delay{Factor: 2}, 2000, 0, 0, 0},
	} {
		if b := allowed(&c.delay, c.row, c.retry); b.low != c.low || b.high != c.high {
			t.Errorf("%s: %v to %v, want %v to %v", c.name, b.low, b.high, c.low, c.high)
		}
	}
	endless := subject.Delay{BaseMS: 1000, Factor: 10}
	if b := allowedInRow(&endless, 1000).around(50*ms, 0.25); b.low <= 0 || b.high <= b.low {
		t.Errorf("without a cap the band is %v", b)
	}
}

func TestBandsTolerateALittleEarlyAndAShareLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		band      band
		low, high time.Duration
	}{
		{band{2000 * ms, 2000 * ms}, 1950 * ms, 2600 * ms},
		{band{10 * ms, 13 * ms}, 0, 116250 * time.Microsecond},
		{band{500 * ms, 0}, 450 * ms, 0},
	} {
		b := c.band.around(50*ms, 0.25)
		if b.low != c.low || b.high != c.high {
			t.Errorf("around %v: %v to %v, want %v to %v", c.band, b.low, b.high, c.low, c.high)
		}
		if b.holds(b.low-1) || !b.holds(b.low) || b.high > 0 && (b.holds(b.high+1) || !b.holds(b.high)) {
			t.Errorf("%v does not hold what it says", b)
		}
	}
	if b := (band{low: time.Second}); !b.holds(time.Hour) {
		t.Error("a band without a bound has one")
	}
}

func TestRowsCountFromTheLossOrFromTheFailure(t *testing.T) {
	t.Parallel()
	d := subject.Delay{BaseMS: 100, Factor: 2, CapMS: 2000}
	for row, want := range []band{{100 * ms, 100 * ms}, {100 * ms, 200 * ms}, {200 * ms, 400 * ms}, {400 * ms, 800 * ms}} {
		if got := allowedInRow(&d, row); got != want {
			t.Errorf("loss %d: %v, want %v", row, got, want)
		}
	}
}

func TestGrowthIsToldFromNoise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		gaps []time.Duration
		grew bool
	}{
		{"doubling", times(100, 200, 400, 800), true},
		{"doubling with jitter", times(130, 200, 520, 800, 2080), true},
		{"late", times(100, 100, 100, 400, 800, 1600), true},
		{"constant", times(100, 101, 99, 102, 100, 100, 103, 98), false},
		{"jitter alone", times(100, 190, 110, 200, 120, 180), false},
		{"exclusive or", times(300, 0, 100, 600, 700, 400), false},
		{"one spike", times(100, 100, 900, 100, 100), false},
		{"shrinking", times(800, 400, 200, 100), false},
		{"too few", times(100, 200, 400), false},
		{"none", nil, false},
	} {
		if got := grew(c.gaps); got != c.grew {
			t.Errorf("%s: %v, want %v", c.name, got, c.grew)
		}
	}
}

func TestACapIsWhereDelaysStay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		gaps    []time.Duration
		jitter  float64
		settled bool
	}{
		{"flat", times(500, 1000, 2000, 2001, 2003), 0, true},
		{"growing", times(500, 1000, 2000, 4000), 0, false},
		{"jittered", times(2000, 2600, 2100), 0.3, true},
		{"growing within jitter", times(1000, 2000, 4000), 0.3, false},
		{"too few", times(2000, 2000), 0, false},
	} {
		if got := settled(c.gaps, c.jitter); got != c.settled {
			t.Errorf("%s: %v, want %v", c.name, got, c.settled)
		}
	}
}

func TestSpreadIsToldFromAHerd(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	even := func(from, to float64) []time.Duration {
		var all []time.Duration
		for range 200 {
			all = append(all, time.Duration((from+(to-from)*random.Float64())*float64(time.Second)))
		}
		return all
	}
	clustered := append(even(1, 1.001), even(1.29, 1.3)[:20]...)
	for _, c := range []struct {
		name           string
		delays         []time.Duration
		variation, off float64
		fullest        float64 // at most
	}{
		{"up to 30 %", even(1, 1.3), 0.0753, 0.01, 0.2},
		{"full", even(0, 1), 0.577, 0.06, 0.2},
		{"half a millisecond", even(1, 1.0005), 0, 0.001, 0.2},
		{"two clusters", clustered, 0.08, 0.02, 1},
		{"all the same", times(100, 100, 100), 0, 1e-9, 1},
	} {
		if got := variation(c.delays); math.Abs(got-c.variation) > c.off {
			t.Errorf("%s: coefficient of variation %.4f, want %.4f ± %.4f", c.name, got, c.variation, c.off)
		}
		if got := fullest(c.delays); got > c.fullest {
			t.Errorf("%s: %.2f in one tenth, want at most %.2f", c.name, got, c.fullest)
		}
	}
	if got := fullest(clustered); got < 0.9 {
		t.Errorf("of two clusters the fullest tenth has %.2f, want more than 0.9", got)
	}
	up := subject.Delay{BaseMS: 1000, Jitter: 0.3}
	if got := expectedVariation(&up); math.Abs(got-0.0753) > 0.001 {
		t.Errorf("30 %% that nobody says where they go are expected to vary by %.4f, want 0.0753", got)
	}
}

func TestCeilingFollowsADeclaredDelay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		delay *subject.Delay
		want  int
	}{
		{nil, 20},
		{&subject.Delay{BaseMS: 3000}, 20},
		{&subject.Delay{BaseMS: 100}, 100},
		{&subject.Delay{BaseMS: 100, Jitter: 0.3, Spread: "up"}, 100},
		{&subject.Delay{BaseMS: 200, Jitter: 0.5, Spread: "down"}, 100},
		{&subject.Delay{BaseMS: 1}, 200},
		{&subject.Delay{BaseMS: 100, Spread: "full"}, 200},
	} {
		if got := ceiling(c.delay, 20); got != c.want {
			t.Errorf("%+v: %d requests in ten seconds, want %d", c.delay, got, c.want)
		}
	}
}

func TestForgettingRetryIsToldFromBackingOff(t *testing.T) {
	t.Parallel()
	const retry = 700 * ms
	for _, c := range []struct {
		name string
		row  []time.Duration
		want bool
	}{
		{"obeyed", times(700, 705, 702, 710), false},
		{"back to 3 s", times(705, 3000, 3002, 3010), true},
		{"backing off", times(700, 1400, 2800, 5600), false},
		{"backing off to a cap", times(700, 1400, 2000, 2000), false},
		{"never obeyed", times(3000, 3000, 3000, 3000), false},
		{"too few", times(700, 3000, 3000), false},
	} {
		if got := forgotten(c.row, retry); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRetryIsChosenSoThatItTells(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		delay *subject.Delay
		want  time.Duration
	}{
		{nil, 700 * ms},
		{&subject.Delay{BaseMS: 100, Jitter: 0.3, Spread: "up"}, 700 * ms},
		{&subject.Delay{BaseMS: 500, Jitter: 0.5}, 1800 * ms},
		{&subject.Delay{BaseMS: 1000}, 1200 * ms},
		{&subject.Delay{BaseMS: 60000}, 5000 * ms},
		{&subject.Delay{BaseMS: 1000, Spread: "full"}, 700 * ms},
	} {
		if got := tellingRetry(c.delay); got != c.want {
			t.Errorf("%+v: %v, want %v", c.delay, got, c.want)
		}
	}
}

func TestBurstsAreCountedWithoutTheirDelays(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var visits []visit
	for _, at := range times(0, 1, 2, 3, 1000, 1001, 2000) {
		visits = append(visits, visit{Accepted: start.Add(at)})
	}
	if got := burst(visits, shortestDelay); got != 4 {
		t.Errorf("%d in a row, want 4", got)
	}
	var at []time.Time
	for _, v := range visits {
		at = append(at, v.Accepted)
	}
	for window, want := range map[time.Duration]int{0: 1, ms: 2, 5 * ms: 4, time.Hour: 7} {
		if got := mostIn(window, at); got != want {
			t.Errorf("%d within %v, want %d", got, window, want)
		}
	}
}

func TestTablesPointAtWhatIsOutside(t *testing.T) {
	t.Parallel()
	b := band{100 * ms, 200 * ms}
	lines := strings.Join(table([]conformance.Delay{
		entry(1, 1, 50*ms, b), entry(1, 2, 150*ms, b), entry(1, 3, 250*ms, b), entry(2, 1, 90*ms, band{low: 80 * ms}),
	}), "\n")
	want := "client 1, attempt 1: 50 ms, allowed 100 to 200 ms  ← early\n" +
		"client 1, attempt 2: 150 ms, allowed 100 to 200 ms\n" +
		"client 1, attempt 3: 250 ms, allowed 100 to 200 ms  ← late\n" +
		"client 2, attempt 1: 90 ms, allowed 80 ms or more"
	if lines != want {
		t.Errorf("got\n%s\nwant\n%s", lines, want)
	}
}
