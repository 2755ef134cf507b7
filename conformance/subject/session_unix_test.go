//go:build unix

package subject_test

import (
	"os/exec"
	"syscall"
)

func ownSession(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
