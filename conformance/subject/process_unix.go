//go:build unix

package subject

import (
	"os/exec"
	"syscall"
)

// ownGroup puts a command and what it starts into a group of their own, so that all of them can be ended, and none gets the
// interrupt that is meant for the harness.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // there may be none left
