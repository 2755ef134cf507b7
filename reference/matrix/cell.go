package matrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// Mark is what one verdict about one subject means.
type Mark uint8

const (
	Unjudged   Mark = iota // unknown or skipped, where that proves nothing
	Kept                   // the promise was kept
	Kill                   // a mutant is caught by what it names
	Allowed                // a mutant misses something that follows from its defect
	Told                   // a mutant misses something that is told for information
	Survivor               // a mutant is not caught by what it names
	FalseAlarm             // a correct subject is accused
	Unrelated              // a mutant is accused of what it did not touch
	Undecided              // it had to be judged and could not be
)

var markNames = [...]string{"unjudged", "kept", "kill", "allowed", "told", "survivor", "false alarm", "unrelated failure", "undecided"}

func (m Mark) String() string {
	if int(m) < len(markNames) {
		return markNames[m]
	}
	return fmt.Sprintf("mark(%d)", uint8(m))
}

// Wrong says whether the mark is a fault of the judge.
func (m Mark) Wrong() bool { return m == Survivor || m == FalseAlarm || m == Unrelated }

// Cell is one verdict about one subject, and what it means.
type Cell struct {
	Mark    Mark
	Verdict conformance.Verdict
	Doubt   string // why it is undecided through no fault of judge or subject; "" when it is not
	Before  string // what it was beside others, where that was wrong and it was judged again by itself; "" elsewhere
}

// missed says whether a verdict speaks against the subject.
func missed(v conformance.Verdict) bool {
	return v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
}

// deviates says that a MAY was missed, which is only information.
func deviates(v conformance.Verdict) bool {
	return v.Outcome == conformance.Info && slices.ContainsFunc(v.Findings, func(f conformance.Finding) bool { return f.Name == "deviation" })
}

// busyReason is what a verdict is told to be unknown for, and a run not to be believed for, when it is this machine's fault.
const busyReason = "this machine was too busy"

// tooBusy says whether a verdict is unknown because of this machine.
func tooBusy(v conformance.Verdict) bool {
	return v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "too busy")
}

// cells says what the verdicts mean, in their order; then come the verdicts that should be there and are not.
func (r *Row) cells(j Judged) []Cell {
	var cells []Cell
	for _, v := range j.Verdicts {
		cells = append(cells, r.cell(v, j.Doubt))
	}
	for _, id := range r.absent(j.Verdicts) {
		v := conformance.Verdict{ID: id, Scenario: r.Scenario, Reason: "it was not judged"}
		c := Cell{Mark: Undecided, Verdict: v, Doubt: j.Doubt}
		if r.names(id) && j.Doubt == "" {
			c.Mark = Survivor
		}
		cells = append(cells, c)
	}
	return cells
}

// absent are the columns without a verdict.
func (r *Row) absent(verdicts []conformance.Verdict) []string {
	var ids []string
	for _, id := range slices.Concat(r.Kills, r.Columns) {
		there := slices.ContainsFunc(verdicts, func(v conformance.Verdict) bool { return v.ID == id })
		if !there && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// cell says what one verdict means. What is in doubt is never wrong, only undecided.
func (r *Row) cell(v conformance.Verdict, doubt string) Cell {
	c := Cell{Mark: r.mark(v), Verdict: v}
	if tooBusy(v) && doubt == "" {
		doubt = busyReason
	}
	if c.Mark.Wrong() && doubt != "" {
		c.Mark = Undecided
	}
	if c.Mark == Told && doubt != "" {
		c.Mark = Unjudged
	}
	if c.Mark == Undecided {
		c.Doubt = doubt
	}
	return c
}

func (r *Row) mark(v conformance.Verdict) Mark {
	named, allowed := r.names(v.ID), r.allows(v.ID)
	switch {
	case named && (missed(v) || deviates(v)):
		return Kill
	case named:
		return Survivor
	case allowed && missed(v):
		return Allowed
	case missed(v) && r.right():
		return FalseAlarm
	case missed(v) && r.Told:
		return Told
	case missed(v):
		return Unrelated
	case v.Outcome == conformance.Unknown && r.right():
		return Undecided
	case v.Outcome == conformance.Unknown || v.Outcome == conformance.Skip:
		return Unjudged
	}
	return Kept
}
