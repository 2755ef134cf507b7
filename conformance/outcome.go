// Package conformance is the vocabulary of judgement: outcome, verdict, finding, measure, result.
//
// It knows nothing of a protocol. The folds that reach verdicts about deliveries are in conformance/check, what they read is
// in conformance/history, and reports turns a Result into bytes.
package conformance

import "fmt"

// Outcome is what a judge can say of one promise. Its zero value is Unknown: what nobody judged has not passed.
type Outcome uint8

const (
	Unknown Outcome = iota // the harness could not create or observe the condition; never a pass
	Pass                   // the promise was kept
	Info                   // left open by its source; recorded only
	Skip                   // a capability or an access is missing
	Warn                   // a SHOULD missed, or a tolerated deviation
	Fail                   // the promise was broken
)

var outcomeNames = [...]string{"unknown", "pass", "info", "skip", "warn", "fail"}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// MarshalText writes the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an outcome's name; any other word is an error.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomeNames {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("outcome %q is not one of %v", text, outcomeNames)
}

// Overall is the outcome of a whole: fail beats unknown, unknown beats everything else. A set without any verdict is unknown,
// and so is one in which nothing was judged but skipped.
func Overall(verdicts []Verdict, strict bool) Outcome {
	var failed, unknown, warned, passed bool
	for _, v := range verdicts {
		switch v.Outcome {
		case Fail:
			failed = true
		case Unknown:
			unknown = true
		case Warn:
			warned = true
		case Pass, Info:
			passed = true
		}
	}
	switch {
	case failed || strict && warned:
		return Fail
	case unknown:
		return Unknown
	case warned:
		return Warn
	case passed:
		return Pass
	case len(verdicts) > 0:
		return Skip
	}
	return Unknown
}

// Level says how binding a requirement is (RFC 2119). Guarantees and budgets of a scenario are MUST.
type Level string

const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)
