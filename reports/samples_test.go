package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// sample is a result with a name, for golden files.
type sample struct {
	name   string
	result *conformance.Result
}

// samples are made anew for each test, so that none can see what another did to them.
func samples() []sample {
	return []sample{
		{"passed", passed()},
		{"failed", failed()},
		{"unknown", unknown()},
		{"skipped", skipped()},
		{"warned", warned()},
		{"strict", strictWarned()},
		{"interrupted", interruptedRun()},
		{"empty", base(conformance.Unknown)},
		{"hostile", hostile()},
		{"requirements", requirements(200)},
		{"check", checked()},
		{"infinite", infinite()},
		{"matrix", killMatrix()},
		{"charted", charted()},
		{"delayed", delayed()},
	}
}

func base(outcome conformance.Outcome) *conformance.Result {
	return &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindRun, Outcome: outcome,
		Subject:  conformance.Subject{Name: "reference broker", Kind: "reference", Protocol: "sse", URL: "http://127.0.0.1:34567/events"},
		Seed:     42,
		Started:  time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC),
		Duration: conformance.Duration(93 * time.Second),
		Health:   healthy(),
		Command:  "streamgauge run --seed 42",
		Tool:     "streamgauge 0.1.0",
	}
}

func healthy() conformance.Health {
	return conformance.Health{OK: true, PublishLateP99: 0.31, LagP99: 0.42, CPU: 0.34, GCPauseMax: 0.8, MemoryBytes: 82 << 20, Goroutines: 2210}
}

func massConnect() (conformance.ScenarioRun, []conformance.Verdict, []conformance.Measure) {
	run := conformance.ScenarioRun{
		Scenario: "mass-connect", About: "Two thousand subscribers arrive within ten seconds, and each one is served.",
		Outcome: conformance.Pass, Plan: "9f2c51d0a7be", Subscribers: 2000, Streams: 20, Published: 1200, Expected: 120000, Delivered: 120000,
		Duration: conformance.Duration(23400 * time.Millisecond), Health: healthy(),
	}
	return run, []conformance.Verdict{
		guarantee("mass-connect", "ordered", "Messages of a stream arrive in the order they were published."),
		guarantee("mass-connect", "complete", "Every owed message arrives."),
		budget("mass-connect", "connect.p99", "≤ 500 ms", "41.0 ms", 2000),
		budget("mass-connect", "connect.failed", "at most 0", "0", 2000),
	}, measures("mass-connect", 0)
}

func guarantee(scenario, name, title string) conformance.Verdict {
	return conformance.Verdict{
		ID: "delivery." + name, Scenario: scenario, Title: title, Source: "scenario " + scenario + ", expect.delivery", Level: conformance.Must,
		Outcome: conformance.Pass, Checked: 120000, Expected: "0 " + name + " violations", Actual: "0",
		Power: conformance.PowerOf(120000, "delivery"),
	}
}

func budget(scenario, id, expected, actual string, checked uint64) conformance.Verdict {
	return conformance.Verdict{
		ID: id, Scenario: scenario, Level: conformance.Must, Outcome: conformance.Pass, Checked: checked, Expected: expected, Actual: actual,
		Source: "scenario " + scenario + ", expect",
	}
}

func measures(scenario string, missing uint64) []conformance.Measure {
	latency := map[string]float64{"p50": 1.24, "p90": 4.1, "p99": 12.31, "p99.9": 31}
	if missing > 0 {
		latency = map[string]float64{"p50": 1.24, "p90": 4.1}
	}
	return []conformance.Measure{
		{Name: "latency", Scenario: scenario, Unit: "ms", Samples: 120000, Missing: missing, Value: 1.9, Min: 0.2, Max: 48, Quantile: latency},
		{Name: "latency.uncorrected", Scenario: scenario, Unit: "ms", Samples: 120000, Value: 1.4, Min: 0.2, Max: 22,
			Quantile: map[string]float64{"p50": 1.08, "p99": 8.2}},
		{Name: "connect", Scenario: scenario, Unit: "ms", Samples: 2000, Value: 6, Min: 0.3, Max: 61,
			Quantile: map[string]float64{"p50": 4.2, "p99": 41}},
		{Name: "publish.rate", Scenario: scenario, Unit: "/s", Samples: 12, Value: 100, Series: []float64{99, 101, 100}},
	}
}

func passed() *conformance.Result {
	r := base(conformance.Pass)
	run, verdicts, measured := massConnect()
	r.Runs, r.Verdicts, r.Measures = []conformance.ScenarioRun{run}, verdicts, measured
	return r
}

func failed() *conformance.Result {
	r := passed()
	r.Outcome = conformance.Fail
	r.Runs = append(r.Runs, conformance.ScenarioRun{
		Scenario: "network-drops", Outcome: conformance.Fail, Plan: "11aa22bb33cc", Subscribers: 2000, Streams: 20, Published: 6000,
		About:    "A third of the subscribers lose their network at once; each one resumes and misses nothing.",
		Expected: 600000, Delivered: 599998, Lost: 2, Duration: conformance.Duration(70 * time.Second), Health: healthy(),
	})
	r.Verdicts = append(r.Verdicts,
		guarantee("network-drops", "ordered", "Messages of a stream arrive in the order they were published."),
		conformance.Verdict{
			ID: "delivery.complete", Scenario: "network-drops", Title: "Every owed message arrives.",
			Source: "scenario network-drops, expect.delivery", Level: conformance.Must, Outcome: conformance.Fail, Checked: 600000,
			Expected: "every owed message arrives", Actual: "2 lost of 600,000",
			Reason: "two subscribers came back after a reset and were never sent what was published while they were away",
			Next:   "Look at what the broker does with Last-Event-ID: streamgauge run last-event-id-resume shows it alone.",
			Findings: []conformance.Finding{{
				Name: "lost", Count: 2, Text: "message 17 of stream-03 never reached subscriber 812, which had resumed from 16",
				Pattern:    "both lost messages: each lies between the position that was asked for on coming back and the first message after it",
				Subscriber: "812", Connection: 2, Stream: "stream-03", Number: 17,
				Expected: "message 17 on connection 2, within 10 s after the last publish", Actual: "messages 16 and 18, and nothing between them",
				Evidence: []string{
					"15.002s  connection 1  reset by the fault at 15s",
					"15.240s  publish       stream-03 message 17 acknowledged",
					"16.021s  connection 2  open, Last-Event-ID: stream-03:16",
					`16.044s  connection 2  delivery stream-03 message 18  "id: stream-03:18\nevent: order_paid\ndata: {\"type\":\"order_paid\",\"number\":18,\"token\":\"~sg1.4f2a.3.18.16040.9c1e~\"}\n\n"`,
				},
			}, {
				Name: "reordered", Count: 1, Text: "message 20 came before message 19", Subscriber: "44", Connection: 1, Stream: "stream-11", Number: 20,
			}},
		},
		budget("network-drops", "latency.p99", "≤ 250 ms", "12.3 ms", 600000),
		budget("network-drops", "resume.gap_p99", "≤ 1.0 s", "230 ms", 667),
		conformance.Verdict{
			ID: "reconnect.within", Scenario: "network-drops", Level: conformance.Must, Outcome: conformance.Fail, Checked: 667,
			Expected: "≤ 5.0 s", Actual: "6.2 s",
		},
	)
	r.Measures = append(r.Measures, measures("network-drops", 2)...)
	r.Measures = append(r.Measures, conformance.Measure{Name: "resume.gap", Scenario: "network-drops", Unit: "ms", Samples: 667, Value: 90,
		Quantile: map[string]float64{"p50": 80, "p99": 230}})
	return r
}

func unknown() *conformance.Result {
	r := passed()
	r.Outcome = conformance.Unknown
	r.Health = conformance.Health{
		PublishLateP99: 812, LagP99: 96, CPU: 0.99, GCPauseMax: 41, MemoryBytes: 3 << 30, SendFailures: 3, Drops: 1200, Goroutines: 9100,
		Problems: []string{"All cores were busy for 14 s of 60 s, so the latencies measured then are the harness's own."},
	}
	r.Runs[0].Outcome = conformance.Unknown
	r.Verdicts[2].Outcome, r.Verdicts[2].Actual = conformance.Unknown, ""
	r.Verdicts[2].Reason = "the harness was saturated: timers fired 96 ms late at the 99th percentile, and at most 20 ms is allowed"
	r.Verdicts[2].Next = "Run it on a machine with more cores, or with fewer subscribers: --set load.subscribers=500."
	return r
}

func skipped() *conformance.Result {
	r := base(conformance.Skip)
	r.Runs = []conformance.ScenarioRun{{
		Scenario: "last-event-id-resume", Outcome: conformance.Skip, Reason: "the target does not declare resume", Plan: "00", Health: healthy(),
	}}
	for _, id := range []string{"delivery.complete", "delivery.ordered", "resume.gap_p99"} {
		r.Verdicts = append(r.Verdicts, conformance.Verdict{ID: id, Scenario: "last-event-id-resume", Level: conformance.Must, Outcome: conformance.Skip,
			Reason: "the target does not declare resume", Expected: "≤ 1.0 s"})
	}
	return r
}

func warned() *conformance.Result {
	r := passed()
	r.Outcome, r.Runs[0].Outcome = conformance.Warn, conformance.Warn
	r.Verdicts[3] = conformance.Verdict{
		ID: "SSE-HDR-004", Scenario: "mass-connect", Title: "A server SHOULD send Cache-Control: no-store.", Source: "HTML §9.2.5",
		Level: conformance.Should, Outcome: conformance.Warn, Checked: 1, Expected: "Cache-Control: no-store", Actual: "no Cache-Control at all",
		Findings: []conformance.Finding{{Name: "missing header", Count: 1, Text: "the response has no Cache-Control",
			Evidence: []string{`HTTP/1.1 200 OK\r\n`, `Content-Type: text/event-stream\r\n`}}},
	}
	return r
}

func strictWarned() *conformance.Result {
	r := warned()
	r.Outcome, r.Runs[0].Outcome = conformance.Fail, conformance.Fail
	return r
}

func interruptedRun() *conformance.Result {
	r := passed()
	r.Outcome = conformance.Unknown
	run := &r.Runs[0]
	run.Outcome, run.Interrupted, run.Duration = conformance.Unknown, true, conformance.Duration(3100*time.Millisecond)
	run.Published, run.Expected, run.Delivered, run.Outstanding, run.Held = 140, 12800, 12791, 9, 4
	for i := range r.Verdicts[:2] {
		r.Verdicts[i].Outcome, r.Verdicts[i].Actual, r.Verdicts[i].Checked = conformance.Unknown, "", 12791
		r.Verdicts[i].Reason = "the run was interrupted before everything owed could arrive"
	}
	return r
}

// poison has what a hostile server could send to harm the reader of a report.
const poison = "\x1b[2J\x1b]0;owned\x07\x9b31m\u009b31m\u202etxt.exe\x00\r\n|`<script>&\"'</details>]]>```\n# @everyone \xff\xfe🎉\U000e0041"

func hostile() *conformance.Result {
	r := failed()
	return MapText(r, func(s string) string { return s + poison })
}

func requirements(n int) *conformance.Result {
	r := base(conformance.Fail)
	r.Kind = conformance.KindCheck
	areas := []string{"FORM", "HTTPS", "HBS", "RESUME", "DELIV", "ISO", "AUTH", "SLOW"}
	for i := range n {
		v := conformance.Verdict{
			ID: fmt.Sprintf("SSE-%s-%03d", areas[i%len(areas)], i/len(areas)+1), Level: conformance.Must, Outcome: conformance.Pass, Checked: 12,
			Title: "A server MUST do what requirement " + fmt.Sprint(i) + " says.", Source: "HTML §9.2.6", Expected: "so", Actual: "so",
		}
		switch i {
		case 13, 14:
			v.Outcome, v.Reason, v.Checked = conformance.Skip, "no tokens can be minted: the target file has no auth", 0
		case 40:
			v.Outcome, v.Actual = conformance.Fail, strings.Repeat("otherwise ", 40)
			v.Findings = []conformance.Finding{{Name: "bare CR", Count: 12, Text: "a lone CR ended a line", Evidence: []string{`data: a\rdata: b\n\n`}}}
		case 77:
			v.Outcome, v.Reason, v.Actual = conformance.Unknown, "the connection was refused", ""
		case 99:
			v.Outcome, v.Level = conformance.Info, conformance.May
		}
		r.Verdicts = append(r.Verdicts, v)
	}
	return r
}

func infinite() *conformance.Result {
	r := failed()
	inf := posInf()
	for i := range r.Measures {
		r.Measures[i].Max = inf
		r.Measures[i].Series = []float64{1, inf}
		for name := range r.Measures[i].Quantile {
			r.Measures[i].Quantile[name] = inf
		}
	}
	return r
}

// checked is a check of a target with one verdict of each kind that is shown in its own way.
func checked() *conformance.Result {
	r := base(conformance.Fail)
	r.Kind, r.Command = conformance.KindCheck, "streamgauge check my-gateway.yaml --seed 42"
	r.Subject = conformance.Subject{Name: "my-gateway", Kind: "target", Protocol: "sse", URL: "https://gw.test/events"}
	r.Health = conformance.Health{OK: true, LagP99: 2, MemoryBytes: 21 << 20}
	again := func(id string) []string {
		return []string{"streamgauge check my-gateway.yaml --only " + id + " --seed 42"}
	}
	head := []string{"HTTP/1.1 200 OK", "Cache-Control: max-age=60", "Content-Type: text/event-stream", "Date: Sat, 14 Mar 2026 09:26:53 GMT"}
	later := []string{head[0], head[1], head[2], "Date: Sat, 14 Mar 2026 09:26:54 GMT"}
	r.Verdicts = []conformance.Verdict{
		{ID: "SSE-FORM-001", Level: conformance.Must, Outcome: conformance.Pass, Checked: 12, Expected: "valid UTF-8", Actual: "valid UTF-8", Power: conformance.PowerOf(12, "event")},
		{
			ID: "SSE-FORM-003", Level: conformance.Must, Outcome: conformance.Fail, Checked: 6, Repeat: again("SSE-FORM-003"),
			Title:  "Line breaks in the data (LF, CR, CRLF) become separate data lines; what follows them is never read as a field.",
			Source: "html#processField, mercure#publication", Expected: `one event with the data "a\nb"`, Actual: `2 deviations, the first: published "a\rb", received "a"`,
			Findings: []conformance.Finding{
				{Name: "deviation", Count: 1, Text: `published "a\rb", received "a"`, Expected: `one event with the data "a\nb"`, Evidence: []string{
					`+0.021s "id: 118\ndata: a\rb\n\n"`, `+0.023s "id: 119\ndata: ` + strings.Repeat(`after\r`, 30) + `\n\n"`,
				}},
				{Name: "deviation", Count: 1, Text: `published "x\rid: 9", received "x"`, Expected: `one event with the data "x\nid: 9"`,
					Evidence: []string{`+0.040s "id: 121\ndata: x\rid: 9\n\n"`}},
			},
		},
		{
			ID: "SSE-HTTPS-006", Level: conformance.Should, Outcome: conformance.Warn, Checked: 1, Repeat: again("SSE-HTTPS-006"),
			Title: "Caches do not store a stream.", Source: "rfc9111#5.2.2", Expected: "no-store; no-cache or private (warn)", Actual: "Cache-Control: max-age=60",
			Findings: []conformance.Finding{{
				Name: "deviation", Count: 1, Text: "Cache-Control: max-age=60", Expected: "no-store; no-cache or private (warn)",
				Evidence: append(head[:len(head):len(head)], "curl -N -i -H 'Accept: text/event-stream' 'https://gw.test/events'"),
			}},
		},
		{
			ID: "SSE-HTTPS-012", Level: conformance.Should, Outcome: conformance.Warn, Checked: 5, Repeat: again("SSE-HTTPS-012"),
			Title: "Requests are served whose Accept admits it.", Source: "rfc9110#12.5.1", Expected: "status 200", Actual: "2 deviations, the first: */*",
			Reason: "known failure: ticket 7",
			Findings: []conformance.Finding{
				{Name: "deviation", Count: 1, Text: `Accept "*/*": status 406`, Expected: "status 200", Evidence: head},
				{Name: "deviation", Count: 1, Text: `Accept "": status 406`, Expected: "status 200", Evidence: later},
			},
		},
		{ID: "SSE-HTTPS-013", Level: conformance.Must, Outcome: conformance.Info, Checked: 1, Actual: "left open"},
		{ID: "SSE-HBS-001", Level: conformance.Should, Outcome: conformance.Unknown, Reason: "the check was interrupted while a heartbeat is awaited", Repeat: again("SSE-HBS-001")},
		{ID: "SSE-HBS-002", Level: conformance.Should, Outcome: conformance.Unknown, Reason: "the check was interrupted while a comment is awaited", Repeat: again("SSE-HBS-002")},
		{ID: "SSE-AUTH-001", Level: conformance.Must, Outcome: conformance.Skip, Reason: "needs protected streams: describe auth in the target file"},
		{
			ID: "SSE-AUTH-002", Level: conformance.Must, Outcome: conformance.Skip, Reason: "needs the signing key: describe auth.jwt in the target file",
			Title: "Wrong tokens give 401 invalid_token.", Source: "rfc6750#3.1",
		},
		{ID: "SSE-AUTH-003", Level: conformance.Must, Outcome: conformance.Skip, Reason: "needs tokens: describe auth in the target file"},
		{ID: "SSE-AUTH-004", Level: conformance.Must, Outcome: conformance.Skip, Reason: "needs tokens: describe auth in the target file"},
		{ID: "SSE-AUTH-005", Level: conformance.Must, Outcome: conformance.Skip, Reason: "needs tokens: describe auth in the target file"},
		{ID: "SSE-AUTH-012", Level: conformance.Should, Outcome: conformance.Skip, Reason: "needs protected streams: describe auth in the target file"},
		{ID: "SSE-SLOW-001", Level: conformance.Must, Outcome: conformance.Skip, Reason: "needs tokens: describe auth in the target file"},
	}
	return r
}
