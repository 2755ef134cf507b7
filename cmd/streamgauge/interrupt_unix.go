//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// interrupting are the signals that end a command early. A hangup that was to be ignored, as by nohup, still is.
func interrupting() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGXCPU}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// repeated are those that come more than once for one reason: from the terminal that is closed and from its shell, and every second.
var repeated = []os.Signal{syscall.SIGHUP, syscall.SIGXCPU}

// writeSignals are sent for a write that fails, and would end the process.
var writeSignals = []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}
