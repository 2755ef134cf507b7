//go:build !unix

package main

import (
	"os"
	"syscall"
)

func interrupting() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

var repeated []os.Signal

// writeSignals is a signal that never comes: none would stand for all.
var writeSignals = []os.Signal{syscall.SIGPIPE}
