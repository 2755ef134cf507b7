package main

import (
	"os/exec"
	"syscall"
)

// endsWithUs puts a child out of reach of an interrupt that is meant for us, and has the kernel end it when we end, however that is.
func endsWithUs(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
