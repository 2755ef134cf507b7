//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// interrupting are the signals that end a command early. A hangup that was to be ignored, as by nohup, still is.
func interrupting() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGXCPU}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// endBy ends this process by a signal that nobody answers.
func endBy(s os.Signal) {
	if s, is := s.(syscall.Signal); is && syscall.Kill(os.Getpid(), s) == nil {
		<-time.After(time.Minute) // another thread may be the one that dies of it
	}
	os.Exit(exitHarness)
}

// repeated are those that come more than once for one reason: from the terminal that is closed and from its shell, and every second.
var repeated = []os.Signal{syscall.SIGHUP, syscall.SIGXCPU}

// writeSignals are sent for a write that fails, and would end the process.
var writeSignals = []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}
