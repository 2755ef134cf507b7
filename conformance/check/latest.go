package check

var latest = Guarantee{
	Name:      "latest",
	Promise:   "The newest message of each stream arrives, whatever was left out before it.",
	Next:      "See in the evidence what arrived last: where messages may be left out, the newest has to stay.",
	broken:    []Anomaly{Outdated},
	samples:   func(t *Tally) uint64 { return t.Newest },
	unit:      "newest message",
	uncertain: unsettled,
}
