package fault

var refuseFault = Fault{
	Name:    "refuse",
	About:   "New connections are refused; those that are open live on.",
	Lasting: true,
	Begin: func(l *Line, p Params) {
		l.begin(&disturbance{fault: "refuse", step: p.Step, refuse: true})
	},
	End: func(l *Line, p Params) { l.end("refuse", p.Step) },
}
