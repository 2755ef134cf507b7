package fault

// A stall concerns the connections that live when it begins; new ones work, as after a route has changed. It bites on a quiet
// stream too: nothing can arrive on it, not even its end.
var stallFault = Fault{
	Name:    "stall",
	About:   "The connection is half-open: no byte passes in either direction, and neither side sees the other close.",
	Lasting: true,
	Begin: func(l *Line, p Params) {
		l.begin(&disturbance{fault: "stall", step: p.Step, hold: true})
	},
	End: func(l *Line, p Params) { l.end("stall", p.Step) },
}
