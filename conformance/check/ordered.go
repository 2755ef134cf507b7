package check

var ordered = Guarantee{
	Name:    "ordered",
	Promise: "Every subscriber receives each publisher's messages in the order they were published, and all subscribers of a stream agree on one order.",
	Next:    "See in the evidence whether both came live, or one of them in a replay: that tells which path to look at.",
	broken:  []Anomaly{Reordered, Divergent},
	samples: deliveries,
	unit:    "delivery",
}
