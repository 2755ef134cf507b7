//go:build !unix

package main

import (
	"os"
	"syscall"
)

func interrupting() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// endBy ends this process: here no signal does.
func endBy(os.Signal) { os.Exit(exitHarness) }

var repeated []os.Signal

// writeSignals is a signal that never comes: none would stand for all.
var writeSignals = []os.Signal{syscall.SIGPIPE}
