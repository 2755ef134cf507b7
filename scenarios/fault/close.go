package fault

var closeFault = Fault{
	Name:  "close",
	About: "The subscriber's side closes the connection in order (FIN).",
	Begin: func(l *Line, p Params) { l.sever("close", p.Step, hangUp) },
}
