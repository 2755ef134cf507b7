package check

var intact = Guarantee{
	Name:    "intact",
	Promise: "Every message arrives with the bytes that were published, and nothing arrives that was not.",
	Next:    "Compare the payload in the evidence with what was published: truncation points at a size limit, other bytes at an encoding on the way.",
	broken:  []Anomaly{Damage, Phantom},
	samples: deliveries,
	unit:    "delivery",
}
