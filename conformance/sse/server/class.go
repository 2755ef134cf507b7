package server

import "github.com/streamgauge/streamgauge/conformance"

// passes, informs and tolerates are classes of results with the outcome that each deserves.
func passes(text string, holds bool) conformance.Class {
	return conformance.Class{Outcome: conformance.Pass, Text: text, Holds: holds}
}

func informs(text string, holds bool) conformance.Class {
	return conformance.Class{Outcome: conformance.Info, Text: text, Holds: holds}
}

func tolerates(text string, holds bool) conformance.Class {
	return conformance.Class{Outcome: conformance.Warn, Text: text, Holds: holds}
}
