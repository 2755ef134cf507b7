//go:build unix

package subject

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// ownGroup puts a command and what it starts into a group of their own, so that all of them can be ended, and none gets the
// interrupt that is meant for the harness.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the command and what it started, and says whether there was anything to end.
func killGroup(c *exec.Cmd) (some bool) {
	group := c.Process.Pid
	if syscall.Kill(-group, 0) != nil {
		return false
	}
	some = !onlyZombies(group)
	_ = syscall.Kill(-group, syscall.SIGKILL) // there may be none left
	return some
}

// onlyZombies says that all processes of a group have ended, and wait for somebody to ask how. Where there is no /proc it cannot be told.
func onlyZombies(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, _ := os.ReadFile(name) // the process may be gone
		_, text, _ = bytes.Cut(text, []byte(") "))
		// state, parent, group
		fields := bytes.Fields(text)
		if len(fields) > 2 && string(fields[2]) == strconv.Itoa(group) && string(fields[0]) != "Z" {
			return false
		}
	}
	return len(stats) > 0
}
