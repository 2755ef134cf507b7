package fault

var resetFault = Fault{
	Name:  "reset",
	About: "The connection is reset (RST).",
	Begin: func(l *Line, p Params) { l.sever("reset", p.Step, reset) },
}
