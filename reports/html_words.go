package reports

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// anomalyWords say what an anomaly means to somebody who does not know its name, for one of them and for many.
var anomalyWords = map[string][2]string{
	"lost":              {"1 owed delivery never arrived", "%s owed deliveries never arrived"},
	"duplicated":        {"1 delivery came twice", "%s deliveries came twice"},
	"reordered":         {"1 delivery came in wrong order", "%s deliveries came in wrong order"},
	"divergent order":   {"subscribers disagree on the order of a stream", "subscribers disagree on the order of a stream, %s times"},
	"id conflict":       {"1 event id names two messages", "%s event ids name two messages each"},
	"phantom":           {"1 delivery had never been published, or its publish was refused", "%s deliveries had never been published, or their publish was refused"},
	"leaked":            {"1 delivery reached a subscriber of another stream", "%s deliveries reached subscribers of other streams"},
	"corrupted":         {"1 delivery was changed on its way", "%s deliveries were changed on their way"},
	"stale":             {"1 delivery was replayed although the subscriber had it", "%s deliveries were replayed although the subscriber had them"},
	"stalled":           {"1 open connection stopped delivering", "open connections stopped delivering, %s times"},
	"unannounced gap":   {"1 gap in the history was not announced", "%s gaps in the history were not announced"},
	"never back":        {"1 subscriber lost its connection and never got back", "%s subscribers lost their connection and never got back"},
	"malformed":         {"1 payload violates the schema of its type", "%s payloads violate the schema of their type"},
	"outdated":          {"the newest message did not arrive", "the newest message did not arrive, %s times"},
	"wrong greeting":    {"1 connection began without its greeting", "%s connections began without their greeting"},
	"wrong delay":       {"1 reconnect came outside of its policy's bounds", "%s reconnects came outside of their policy's bounds"},
	"late return":       {"1 reconnect took longer than allowed", "%s reconnects took longer than allowed"},
	"silence":           {"1 open connection was silent for longer than allowed", "open connections were silent for longer than allowed, %s times"},
	"second connection": {"1 subscriber had more live connections than allowed", "subscribers had more live connections than allowed, %s times"},
	"lost at resume":    {"1 message was lost at a resume", "%s messages were lost at a resume"},
	"outlived token":    {"1 stream outlived its token", "%s streams outlived their token"},
}

// whatBroke says in a clause what a verdict that is not kept found.
func whatBroke(v conformance.Verdict) string {
	if len(v.Findings) > 0 && strings.HasPrefix(v.ID, "delivery.") || len(v.Findings) == 1 && v.Actual == "" {
		f := v.Findings[0]
		words, known := anomalyWords[f.Name]
		switch {
		case known && f.Count == 1:
			return words[0]
		case known && f.Count > 1:
			return fmt.Sprintf(words[1], Count(f.Count))
		}
	}
	if v.Actual != "" {
		return v.ID + " was " + v.Actual + expectation(v.Expected)
	}
	return v.ID + " was broken"
}

// sentence is whatBroke at the beginning of one. An id stays as it is.
func sentence(v conformance.Verdict) string {
	text := strings.TrimSuffix(whatBroke(v), ".")
	if strings.HasPrefix(text, v.ID) {
		return text
	}
	return capital(text)
}

func expectation(expected string) string {
	if expected == "" {
		return ""
	}
	return ", expected: " + expected
}

// whenSeen says when a finding's example was, and beside which fault; "" when the result does not tell.
func whenSeen(f conformance.Finding, run *conformance.ScenarioRun) string {
	if run == nil {
		return ""
	}
	if f.Name == "lost" {
		if text := whenLost(run); text != "" {
			return text
		}
	}
	if f.AtMS <= 0 {
		return ""
	}
	if f.AtMS >= float64(time.Duration(run.Duration))/float64(time.Millisecond)-1 {
		return "seen when the run ended"
	}
	first := "at "
	if f.Count > 1 {
		first = "first at "
	}
	return first + clock(f.AtMS) + beside(f.AtMS/1000, f.AtMS/1000, run.Faults)
}

// whenLost reads from the timeline when the lost messages were due.
func whenLost(run *conformance.ScenarioRun) string {
	var total, worst float64
	var steps []int // with losses
	at := 0
	for i, v := range seriesOf(run, "lost") {
		if n := float64(v); n > 0 && !math.IsInf(n, 1) {
			steps = append(steps, i)
			total += n
			if n > worst {
				worst, at = n, i
			}
		}
	}
	if len(steps) == 0 {
		return ""
	}
	step := stepOf(run)
	from, worstFrom := float64(steps[0])*step, float64(at)*step
	until := float64(steps[len(steps)-1]+1) * step
	text := fmt.Sprintf("due between %s and %s of the run", clock(1000*from), clock(1000*until))
	if len(steps) > 1 {
		text += fmt.Sprintf(", most (%s of %s) between %s and %s", Count(uint64(worst)), Count(uint64(total)), clock(1000*worstFrom), clock(1000*(worstFrom+step)))
	}
	return text + beside(worstFrom, worstFrom+step, run.Faults)
}

func seriesOf(run *conformance.ScenarioRun, name string) []conformance.Sample {
	for _, s := range run.Series {
		if s.Name == name {
			return s.Values
		}
	}
	return nil
}

// beside relates a time of the run, in seconds, to the faults: what went on then, or what had begun last.
func beside(from, until float64, faults []conformance.FaultBand) string {
	var latest *conformance.FaultBand
	for i := range faults {
		f := &faults[i]
		began, ended := f.FromMS/1000, math.Max(f.FromMS, f.UntilMS)/1000
		if began <= until && ended >= from {
			return fmt.Sprintf(", during the fault %s (%s)", f.Fault, bandTime(*f))
		}
		if ended < from && (latest == nil || f.FromMS > latest.FromMS) {
			latest = f
		}
	}
	if latest == nil {
		return ""
	}
	return fmt.Sprintf(", after the fault %s (%s)", latest.Fault, bandTime(*latest))
}

func bandTime(f conformance.FaultBand) string {
	if f.UntilMS <= f.FromMS {
		return "at " + clock(f.FromMS)
	}
	return clock(f.FromMS) + " to " + clock(f.UntilMS)
}
