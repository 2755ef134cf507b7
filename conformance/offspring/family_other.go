//go:build !unix

package offspring

import "os/exec"

func ownGroup(*exec.Cmd) {}

func ownSession() int { return 0 }

// KillGroup ends the command; what it started is not known here.
func (f *Family) KillGroup() { _ = f.command.Process.Kill() }

func (f *Family) members() []string { return nil }

func endMarked(func(mark string, session int) bool) {}
