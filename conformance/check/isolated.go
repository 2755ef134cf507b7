package check

var isolated = Guarantee{
	Name:    "isolated",
	Promise: "No subscriber receives a message of a stream that it does not follow.",
	Next:    "Compare the stream of the leaked message with what its subscriber asked for: prefixes, patterns and shared connections are the usual ways across.",
	broken:  []Anomaly{Leaked},
	samples: deliveries,
	unit:    "delivery",
}
