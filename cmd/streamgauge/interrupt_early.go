package main

import (
	"os"
	"os/signal"
)

// awaited has the signals of this process, from its first moment to its last; nil where no process but only a command is run.
var awaited chan os.Signal

// awaitSignals keeps the signals that come before the command is known that answers them.
func awaitSignals() {
	awaited = make(chan os.Signal, 4)
	signal.Notify(awaited, interrupting()...)
}

// leaveSignals lets signals do what they do by themselves, those that have come as well: the command has nothing to report.
func leaveSignals() {
	if awaited == nil {
		return
	}
	signal.Stop(awaited)
	select {
	case s := <-awaited:
		endBy(s)
	default:
	}
}

// answersSignals is the annotation of a command that does.
const answersSignals = "signals"
