package fault

// A stall concerns the connections that live when it begins; new ones work, as after a route has changed. It bites when it has kept something
// back by its end, or when the subscriber gave a connection up meanwhile.
var stallFault = Fault{
	Name:    "stall",
	About:   "The connection is half-open: no byte passes in either direction, and neither side sees the other close.",
	Lasting: true,
	Begin: func(l *Line, p Params) {
		l.begin(&disturbance{fault: "stall", step: p.Step, hold: true})
	},
	End: func(l *Line, p Params) { l.end("stall", p.Step) },
}
