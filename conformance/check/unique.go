package check

var unique = Guarantee{
	Name:    "unique",
	Promise: "No subscriber receives a message twice.",
	Next:    "If the duplicates follow a reconnect, the target replays the message that the position names instead of the one after it.",
	broken:  []Anomaly{Duplicated},
	samples: deliveries,
	unit:    "delivery",
}
