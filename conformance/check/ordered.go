package check

var ordered = Guarantee{
	Name:    "ordered",
	Promise: "Every subscriber receives each publisher's messages in the order they were published, and all subscribers of a stream agree on one order.",
	Next:    "Look for a queue with more than one consumer, or for replayed messages that are mixed with live ones.",
	broken:  []Anomaly{Reordered, Divergent},
	samples: deliveries,
	unit:    "delivery",
}
