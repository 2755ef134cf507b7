package check

var latest = Guarantee{
	Name:      "latest",
	Promise:   "The newest message of each stream arrives, whatever was left out before it.",
	Next:      "When a queue overflows, drop the oldest messages and keep the newest.",
	broken:    []Anomaly{Outdated},
	samples:   func(t *Tally) uint64 { return t.Newest },
	unit:      "newest message",
	uncertain: unsettled,
}
