//go:build !linux

package main

import (
	"os/exec"
	"syscall"
)

// endsWithUs puts a child out of reach of an interrupt that is meant for us. Without a kernel that ends it with us it stays behind when
// we are killed.
func endsWithUs(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
