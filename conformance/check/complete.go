package check

import "fmt"

// complete is judged after settle only: until then what is missing may still come.
var complete = Guarantee{
	Name:    "complete",
	Promise: "Every acknowledged message arrives at every subscriber that it is owed to.",
	next:    afterLoss,
	broken:  []Anomaly{Lost, Outstanding},
	samples: func(t *Tally) uint64 { return t.Expected - min(t.Expected, t.Behind+t.Unjudged) },
	unit:    "owed delivery",
	doubt: func(_ *Config, t *Tally) string {
		if t.Unjudged > 0 {
			return fmt.Sprintf("%d owed deliveries were outstanding at the end to subscribers that a fault of ours held up, or that had not come back to ask for them: a longer settle would tell", t.Unjudged)
		}
		return ""
	},
	uncertain: unsettled,
	note: func(t *Tally) string {
		note := ""
		for _, part := range []struct {
			n    uint64
			text string
		}{
			{t.Dropped, "dropped for slow readers, as declared"},
			{t.Behind, "not yet read by slow readers"},
			{t.Beyond, "beyond the declared history"},
		} {
			if part.n > 0 {
				if note != "" {
					note += ", "
				}
				note += fmt.Sprintf("%d %s", part.n, part.text)
			}
		}
		return note
	},
}

// unsettled says why what is missing may have been on its way.
func unsettled(t *Tally) string {
	switch {
	case t.Interrupted:
		return "the run was interrupted before everything owed could arrive"
	case !t.Settled:
		return "the run did not reach its end"
	}
	return ""
}

// afterLoss says where to look, as far as the evidence does.
func afterLoss(t *Tally) string {
	_, divided := t.Pattern.who(t, t.Pattern.messages())
	switch {
	case t.Outstanding > t.Lost && t.count(EmptyReturn) > 0:
		return "Look at what ends a stream that was opened with a position before anything is sent on it: an old connection that still counts, a replay that does not fit a buffer."
	case t.LostBy.Seam == t.missing():
		return "Look at how replay goes over into live: all of it was lost between the position asked for and the first message after it."
	case t.LostBy.SlowReader == t.missing():
		return "Look at what the target does when a subscriber does not keep up: only slow readers lost anything."
	case divided != "":
		return divided
	}
	return "Look at the first lost message's evidence: what came before and after it, and on which connection."
}
