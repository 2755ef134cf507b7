package check

var wellFormed = Guarantee{
	Name:    "well-formed",
	Promise: "Every payload is what the schema of its event type allows.",
	Next:    "Compare the payload in the evidence with the schema that the scenario names for its type.",
	broken:  []Anomaly{Misshapen},
	samples: func(t *Tally) uint64 { return t.Schemas },
	unit:    "payload",
}
