package server

import (
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

type anomalyKind int

const (
	lost anomalyKind = iota
	repeated
	reordered
)

// anomaly is what went wrong with one message for one subscriber of a seam.
type anomaly struct {
	kind       anomalyKind
	lane       int
	number     int
	client     int
	connection int // of that client, from 1
}

// found is an anomaly with the connection on which it was seen.
type found struct {
	anomaly

	evidence []string
}

func (a anomaly) String() string {
	what := [...]string{"never came", "came twice", "came behind a later one"}[a.kind]
	return fmt.Sprintf("message %d of publisher %d %s: subscriber %d, connection %d", a.number, a.lane, what, a.client, a.connection)
}

// judge notes what came twice, what came late and what was left out so far: a subscriber that goes back forgets it.
func (r *seamRun) judge(client int, f *follower) {
	last := make([]int, r.publishers)
	for i, e := range f.seen {
		lane, n, ok := r.series.find(e.Data)
		if !ok || lane >= r.publishers {
			continue
		}
		for skipped := last[lane] + 1; skipped < n; skipped++ {
			r.note(anomaly{lost, lane, skipped, client, f.at[i]}, f)
		}
		if n <= last[lane] {
			r.note(anomaly{r.kindOf(f, i, lane, n), lane, n, client, f.at[i]}, f)
		}
		last[lane] = max(last[lane], n)
	}
}

// kindOf tells a message that came twice from one that came late.
func (r *seamRun) kindOf(f *follower, at, lane, number int) anomalyKind {
	for _, e := range f.seen[:at] {
		if l, n, ok := r.series.find(e.Data); ok && l == lane && n == number {
			return repeated
		}
	}
	return reordered
}

// missing notes what is missing behind the last that came.
func (r *seamRun) missing(client int, f *follower) {
	last := make([]int, r.publishers)
	for _, e := range f.seen {
		if lane, n, ok := r.series.find(e.Data); ok && lane < r.publishers {
			last[lane] = max(last[lane], n)
		}
	}
	for lane := range r.publishers {
		for n := last[lane] + 1; n <= len(r.accepted[lane]); n++ {
			r.note(anomaly{lost, lane, n, client, len(f.taps)}, f)
		}
	}
}

const (
	mostNoted    = 10_000 // bounds what a subject costs that is wrong all the time
	mostShown    = 40     // of so many the bytes are kept
	mostExamples = 3      // so many are findings
)

func (r *seamRun) note(a anomaly, f *follower) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.anomalies) >= mostNoted || r.noted[a] {
		return
	}
	r.noted[a] = true
	noted := found{anomaly: a}
	if len(r.anomalies) < mostShown {
		noted.evidence = f.evidence(a.connection)
	}
	r.anomalies = append(r.anomalies, noted)
}

// real leaves out what is missing because its publish was not acknowledged, or because it came late.
func (r *seamRun) real(kinds ...anomalyKind) (genuine []found) {
	came := map[[3]int]bool{} // client, lane, number: out of order, but there
	for _, a := range r.anomalies {
		if a.kind == reordered {
			came[[3]int{a.client, a.lane, a.number}] = true
		}
	}
	for _, a := range r.anomalies {
		owed := !came[[3]int{a.client, a.lane, a.number}] && r.accepted[a.lane][a.number-1] == Acknowledged
		if slices.Contains(kinds, a.kind) && (a.kind != lost || owed) {
			genuine = append(genuine, a)
		}
	}
	return genuine
}

// acknowledged is how many messages were, of how many.
func (r *seamRun) acknowledged() (n, of int) {
	for _, lane := range r.accepted {
		of += len(lane)
		for _, a := range lane {
			if a == Acknowledged {
				n++
			}
		}
	}
	return n, of
}

// report notes what was found of the given kinds as deviations.
func (r *seamRun) report(expected string, kinds ...anomalyKind) {
	t := r.t
	if acknowledged, of := r.acknowledged(); acknowledged == 0 || acknowledged < of/2 {
		t.Unknown("only %d of %d publishes were acknowledged", acknowledged, of)
	}
	if r.resumes.Load() == 0 {
		t.Unknown("nobody was cut while messages were published")
	}
	if n := r.behind.Load(); int(n) > r.clients/2 {
		t.Unknown("%d of %d subscribers could not keep up with what was published, and so were about to leave the declared history", n, r.clients)
	}
	t.Count(int(r.resumes.Load()))
	all := r.real(kinds...)
	for i, a := range all {
		if i == mostExamples {
			t.Deviation(expected, fmt.Sprintf("and %s more", conformance.Plural(len(all)-i, "time")))
			return
		}
		t.Deviation(expected, a.String(), a.evidence)
	}
}

func (r *seamRun) String() string {
	acknowledged, _ := r.acknowledged()
	return fmt.Sprintf("%d resumes of %d subscribers while %d messages were published", r.resumes.Load(), r.clients, acknowledged)
}
