// Package offspring finds what commands of others have started, so that it does not outlive them unknown and unwanted: also what has left the
// command's process group, and its session.
package offspring

import (
	"crypto/rand"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// Family is a command and all that it starts. What is started inherits a variable of its environment, by which it is known.
type Family struct {
	command *exec.Cmd
	mark    string
	grouped bool
}

// markName begins the names of the variables.
const markName = "STREAMGAUGE_FAMILY_"

// Mark prepares a command that has not been started yet. Its Env may still be added to.
func Mark(c *exec.Cmd) *Family {
	f := &Family{command: c, mark: markName + rand.Text()}
	c.Env = append(c.Environ(), f.mark+"=1")
	return f
}

// Group is Mark for a command with a process group of its own, which none of the interrupts reaches that are meant for the harness.
func Group(c *exec.Cmd) *Family {
	f := Mark(c)
	f.grouped = true
	ownGroup(c)
	return f
}

// Kill ends the command and all that it started, at any time after its start.
func (f *Family) Kill() {
	_ = f.command.Process.Kill() // it may have ended
	f.KillGroup()
	endMarked(func(mark string, _ int) bool { return mark == f.mark })
}

// EndGroup ends what is left of the group of a command that has been waited for, and names it.
func (f *Family) EndGroup() (left []string) {
	left = f.members()
	f.KillGroup()
	slices.Sort(left)
	return slices.Compact(left)
}

// EndJobs ends what is left of a command that has been waited for and may leave a service behind: what has a session of its own stays.
func (f *Family) EndJobs() {
	own := ownSession()
	endMarked(func(mark string, session int) bool { return mark == f.mark && session == own })
}

// adopted are the families whose strays EndStrays ends, and whether each has ended.
var adopted struct {
	sync.Mutex

	ended map[string]bool // by mark
}

// Adopt notes the family for EndStrays, before its command is started.
func (f *Family) Adopt() *Family {
	adopted.Lock()
	defer adopted.Unlock()
	if adopted.ended == nil {
		adopted.ended = map[string]bool{}
	}
	adopted.ended[f.mark] = false
	adoptOrphans()
	return f
}

// Ended says of a family that was adopted that its command has been waited for, or has not started.
func (f *Family) Ended() {
	adopted.Lock()
	defer adopted.Unlock()
	adopted.ended[f.mark] = true
}

// EndStrays ends what the adopted families that have ended left behind outside their groups. That waits until nobody starts such a command any more: a
// service that one command leaves for the next, such as the server of a compiler, saves time.
func EndStrays() {
	adopted.Lock()
	defer adopted.Unlock()
	if len(adopted.ended) == 0 {
		return
	}
	endMarked(func(mark string, _ int) bool { return adopted.ended[mark] })
	endOrphans()
	for mark, ended := range adopted.ended {
		if ended {
			delete(adopted.ended, mark)
		}
	}
}

// Names are the names of processes in words.
func Names(left []string) string {
	const most = 5
	if len(left) > most {
		return strings.Join(left[:most], ", ") + ", …"
	}
	return strings.Join(left, ", ")
}
