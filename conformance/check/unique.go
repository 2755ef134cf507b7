package check

var unique = Guarantee{
	Name:    "unique",
	Promise: "No subscriber receives a message twice.",
	Next:    "See in the evidence whether the second one came on the same connection, or behind a reconnect and at or before the position that was asked for.",
	broken:  []Anomaly{Duplicated},
	samples: deliveries,
	unit:    "delivery",
}
