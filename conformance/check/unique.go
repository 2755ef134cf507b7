package check

var unique = Guarantee{
	Name:    "unique",
	Promise: "No subscriber receives a message twice, or two of them under one id from which it would resume.",
	Next:    "See in the evidence whether the second one came on the same connection, or behind a reconnect and at or before the position that was asked for.",
	next: func(t *Tally) string {
		if t.count(Conflict) > 0 && t.count(Duplicated) == 0 {
			return "Look at where the ids are counted: by a clock, by each publisher, or in too few digits, they come again."
		}
		return ""
	},
	broken:    []Anomaly{Duplicated, Conflict},
	elsewhere: func(c *Config, a Anomaly) bool { return a == Conflict && c.Expect.wants(resumable.Name) },
	samples:   deliveries,
	unit:      "delivery",
}
