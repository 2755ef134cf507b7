package check

import "slices"

var isolated = Guarantee{
	Name:    "isolated",
	Promise: "No subscriber receives a message of a stream that it does not follow.",
	Next:    "Compare the stream of the leaked message with what its subscriber asked for: prefixes, patterns and shared connections are the usual ways across.",
	broken:  []Anomaly{Leaked},
	samples: deliveries,
	unit:    "delivery",
	skips: func(c *Config) string {
		if len(c.Subscribers) == 0 || slices.ContainsFunc(c.Subscribers, func(s Subscriber) bool { return len(s.Streams) < len(c.Streams) }) {
			return ""
		}
		return "every subscriber follows every stream: there is none to be kept apart from"
	},
	doubt: func(_ *Config, t *Tally) string {
		if t.Foreign == 0 {
			return "nothing was published to a stream that a subscriber does not follow"
		}
		return ""
	},
}
