package reports

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// charted is a failed run with everything that a page draws: a reset at 8 s, silence from 14 s to 19 s, and some messages that never came.
func charted() *conformance.Result {
	return drawn(drawing{seconds: 26, subscribers: 300, perSecond: 240, lost: map[int]int{3: 4, 9: 31, 15: 12}})
}

// drawing says what a drawn run looks like.
type drawing struct {
	seconds, subscribers, perSecond int
	lost                            map[int]int // by the second
}

func drawn(d drawing) *conformance.Result {
	r := base(conformance.Fail)
	r.Duration = conformance.Duration(time.Duration(d.seconds) * time.Second)
	r.Command = "streamgauge run network-drops --target my-gateway.yaml --seed 42"
	random := rand.New(rand.NewPCG(1, 2))
	reset, silent := d.seconds*3/10, d.seconds*55/100
	series := map[string][]conformance.Sample{}
	add := func(name string, v float64) { series[name] = append(series[name], conformance.Sample(v)) }
	var owed, missing uint64
	for i := range d.seconds {
		connected, rate := float64(d.subscribers), float64(d.perSecond)*(0.95+0.1*random.Float64())
		p50, tail, returns := 0.9+0.4*random.Float64(), 1.0, 0.0
		switch {
		case i < 3:
			connected = math.Round(connected * float64(i+1) / 4)
			rate *= float64(i+1) / 4
		case i == reset:
			connected, rate, tail, returns = math.Round(0.7*connected), 0.7*rate, 40, 0.3*connected
		case i > silent && i <= silent+5:
			connected, rate, tail = math.Round(0.9*connected), 0.9*rate, 300
		case i == silent+6:
			returns = 0.1 * connected
		}
		lost := d.lost[i]
		add("connected", connected)
		add("deliveries", math.Round(rate))
		add("reconnects", math.Round(returns))
		add("lost", float64(lost))
		owed += uint64(rate) + uint64(lost)
		missing += uint64(lost)
		p99 := p50 * (3 + 2*random.Float64()) * tail
		switch {
		case i == 0:
			p50, p99 = math.NaN(), math.NaN()
		case float64(lost) > 0.01*rate:
			p99 = math.Inf(1)
		}
		add("latency.p50", p50)
		add("latency.p99", p99)
		if lost > 0 {
			p99 = math.Inf(1)
		}
		add("latency.max", p99*1.8)
	}
	run := conformance.ScenarioRun{
		Scenario: "network-drops", Outcome: conformance.Fail, Plan: "20760fc53b4faad5", Subscribers: d.subscribers, Streams: 20,
		About:     "A third of the subscribers lose their network at once, then a tenth go silent; each one resumes and misses nothing.",
		Published: owed / 15, Expected: owed, Delivered: owed - missing, Duration: r.Duration, Health: healthy(),
		Source: "name: network-drops\nload:\n  streams: 20\n  publish: {rate: 40/s}\ntimeline:\n  - {at: 8s, fault: reset, share: 30%}\n",
		Faults: []conformance.FaultBand{
			{Fault: "reset", FromMS: float64(reset) * 1000, Affected: d.subscribers * 3 / 10, Text: "at 8s: reset, share 30%"},
			{Fault: "stall", FromMS: float64(silent) * 1000, UntilMS: float64(silent+5) * 1000, Affected: d.subscribers / 10, Text: "at 14s: stall, share 10%, for 5s"},
		},
		Effects: []conformance.Effect{
			{Fault: "reset", Text: "at 8s: reset, share 30%", AtMS: float64(reset) * 1000, Planned: d.subscribers * 3 / 10, Reached: d.subscribers * 3 / 10, Enough: true, Seen: "its connection broke"},
			{Fault: "stall", Text: "at 14s: stall, share 10%, for 5s", AtMS: float64(silent) * 1000, Planned: d.subscribers / 10},
		},
		Curves: []conformance.Curve{
			curve("latency", owed, missing, func(x float64) float64 { return 0.4 * math.Pow(10, x*1.1) }),
			curve("latency.uncorrected", owed-missing, 0, func(x float64) float64 { return 0.35 * math.Pow(10, x*0.8) }),
		},
	}
	for _, s := range []struct{ name, unit string }{
		{"connected", "1"}, {"deliveries", "1/s"}, {"reconnects", "1/s"}, {"lost", "1"}, {"latency.p50", "ms"}, {"latency.p99", "ms"}, {"latency.max", "ms"},
	} {
		run.Series = append(run.Series, conformance.Series{Name: s.name, Unit: s.unit, StepMS: 1000, Values: series[s.name]})
	}
	r.Runs = []conformance.ScenarioRun{run}
	r.Verdicts = drawnVerdicts(owed, missing)
	r.Measures = append(measures("network-drops", missing), conformance.Measure{
		Name: "resume.gap", Scenario: "network-drops", Unit: "ms", Samples: 90, Value: 90, Quantile: map[string]float64{"p50": 80, "p99": 230},
	})
	return r
}

func drawnVerdicts(owed, missing uint64) []conformance.Verdict {
	lost := []conformance.Finding{{
		Name: "lost", Count: missing, Text: "message 7 never arrived", AtMS: 3120, Subscribers: 14, Subscriber: "terminal-2", Connection: 1, Stream: "orders-2", Number: 7,
		Expected: "each acknowledged message", Actual: "none of them",
		Evidence: []string{
			"connection 1: message 6 was the last before it", "connection 1: message 8 came next", "also: 9.104s, subscriber terminal-8: message 30 never arrived",
		},
	}}
	return []conformance.Verdict{
		{
			ID: "delivery.complete", Scenario: "network-drops", Title: "Every acknowledged message arrives at every subscriber that it is owed to.",
			Level: conformance.Must, Outcome: conformance.Fail, Checked: owed, Expected: "no violation", Actual: Count(missing) + " lost", Findings: lost,
			Next: "Look at the first lost message's evidence: a hole right after a reconnect points at the seam between replay and live.",
		},
		guarantee("network-drops", "ordered", "Every subscriber receives each publisher's messages in the order they were published."),
		guarantee("network-drops", "unique", "No subscriber receives a message twice."),
		{
			ID: "latency.p99", Scenario: "network-drops", Title: "Expected deliveries arrive soon after their message was due.", Level: conformance.Must,
			Outcome: conformance.Fail, Checked: owed, Expected: "at most 6s", Actual: "∞ (" + Count(missing) + " never came)", Findings: lost,
		},
		budget("network-drops", "connect.p99", "at most 1s", "4.3ms", 300),
	}
}

// curve has a point at each tenth of a power of ten, as far as the samples go.
func curve(name string, expected, missing uint64, at func(x float64) float64) conformance.Curve {
	c := conformance.Curve{Name: name, Unit: "ms", Samples: expected - missing, Missing: missing}
	for x := 0.0; x <= math.Log10(float64(expected)); x += 0.1 {
		q := 1 - math.Pow(10, -x)
		v := at(x)
		if q > 1-float64(missing)/float64(expected) {
			v = math.Inf(1)
		}
		c.Points = append(c.Points, conformance.CurvePoint{Quantile: q, Value: conformance.Sample(v)})
	}
	return c
}

// oneInAMillion lost a single event.
func oneInAMillion() *conformance.Result {
	return drawn(drawing{seconds: 60, subscribers: 2000, perSecond: 17_500, lost: map[int]int{41: 1}})
}

// tenMinutes is as much as a long run has to show.
func tenMinutes() *conformance.Result {
	lost := map[int]int{}
	for i := 20; i < 600; i += 7 {
		lost[i] = i % 13
	}
	r := drawn(drawing{seconds: 600, subscribers: 10_000, perSecond: 40_000, lost: lost})
	for len(r.Verdicts[0].Findings) < 40 {
		f := r.Verdicts[0].Findings[0]
		f.Name, f.Number = "reordered", uint64(len(r.Verdicts[0].Findings))
		f.Evidence = make([]string, 40)
		for i := range f.Evidence {
			f.Evidence[i] = "connection 2: message 8 came next, and here is what a subscriber had received until then, in its order"
		}
		r.Verdicts[0].Findings = append(r.Verdicts[0].Findings, f)
	}
	return r
}

// delayed is a check of a client with measured delays.
func delayed() *conformance.Result {
	r := base(conformance.Fail)
	r.Kind, r.Command = conformance.KindCheckClient, "streamgauge check-client --client go-sse --only RECON --seed 42"
	r.Subject = conformance.Subject{Name: "go-sse", Kind: "client", Protocol: "sse", Version: "v0.11.0"}
	row := conformance.Verdict{
		ID: "SSE-RECON-010", Level: conformance.Should, Outcome: conformance.Fail, Checked: 6, Title: "Delays grow from failure to failure, up to a cap.",
		Source: "html#reestablish-the-connection", Expected: "within the declared backoff", Actual: "1 of 6 outside: 3.1 s",
		Repeat: []string{"streamgauge check-client --client go-sse --only SSE-RECON-010 --seed 42"},
	}
	for i, ms := range []float64{430, 980, 1700, 3100, 3400, 4000} {
		low, high := 250*math.Pow(1.5, float64(i)), 750*math.Pow(1.5, float64(i))
		if i == 3 {
			high = 2800
		}
		row.Delays = append(row.Delays, conformance.Delay{Attempt: i + 1, MS: ms, LowMS: low, HighMS: high})
	}
	many := conformance.Verdict{
		ID: "SSE-RECON-012", Level: conformance.Should, Outcome: conformance.Pass, Checked: 40, Title: "Clients that lose their connection at once do not come back at once.",
		Expected: "spread", Actual: "40 delays from 511ms to 1.5s",
	}
	for i := range 40 {
		many.Delays = append(many.Delays, conformance.Delay{Client: i + 1, Attempt: 1, MS: 500 + float64(i*17%40)*25, LowMS: 450})
	}
	r.Verdicts = []conformance.Verdict{row, many, {ID: "SSE-RECON-001", Level: conformance.Must, Outcome: conformance.Pass, Checked: 3, Expected: "back", Actual: "back"}}
	return r
}
