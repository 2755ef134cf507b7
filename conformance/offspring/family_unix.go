//go:build unix

package offspring

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is one as /proc shows it.
type process struct {
	pid, parent, group, session int
	ended                       bool // and waits for somebody to ask how
	name                        string
}

func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func ownSession() int {
	session, _ := unix.Getsid(0) // of itself a process may always ask
	return session
}

// KillGroup ends the command with its group, at any time after its start.
func (f *Family) KillGroup() {
	if f.grouped {
		_ = syscall.Kill(-f.command.Process.Pid, syscall.SIGKILL) // there may be none left
	}
}

// members are the names of what lives of the group but for the command itself. Where there is no /proc there are no names.
func (f *Family) members() (names []string) {
	group := f.command.Process.Pid
	if syscall.Kill(-group, 0) != nil {
		return nil
	}
	all := processes()
	for _, p := range all {
		if p.group == group && p.pid != group && !p.ended {
			names = append(names, p.name)
		}
	}
	if len(all) == 0 {
		return []string{"a process"}
	}
	return names
}

// rounds is how often it is looked for more: what starts processes faster than they are ended is not to hold anybody up.
const rounds = 10

// endMarked ends the living processes whose mark and session are meant. Where there is no /proc none is known.
func endMarked(meant func(mark string, session int) bool) {
	for range rounds {
		found := false
		for _, p := range processes() {
			if mark := markOf(p); mark != "" && meant(mark, p.session) {
				found = true
				_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended
			}
		}
		if !found {
			return
		}
	}
}

// maxEnvironment is more than Linux lets a process have.
const maxEnvironment = 8 << 20

// markOf is the mark that a living process has inherited, the last of several; "" for none.
func markOf(p process) (mark string) {
	if p.ended {
		return ""
	}
	file, err := os.Open(fmt.Sprintf("/proc/%d/environ", p.pid))
	if err != nil {
		return "" // it has gone, or is somebody else's
	}
	defer func() { _ = file.Close() }()
	text, _ := io.ReadAll(io.LimitReader(file, maxEnvironment))
	for variable := range bytes.SplitSeq(text, []byte{0}) {
		if bytes.HasPrefix(variable, []byte(markName)) {
			name, _, _ := bytes.Cut(variable, []byte("="))
			mark = string(name)
		}
	}
	return mark
}

// processes are those of this machine.
func processes() (all []process) {
	entries, _ := os.ReadDir("/proc") // where there is none, nothing is known
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat"); err == nil { // else it has gone
			if p, ok := readStat(pid, stat); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// readStat reads a line such as "12 (a name) S 1 12 12 …": state, parent, group, session.
func readStat(pid int, stat []byte) (p process, ok bool) {
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if begin < 0 || end < begin {
		return process{}, false
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 4 {
		return process{}, false
	}
	p = process{pid: pid, name: string(stat[begin+1 : end]), ended: bytes.ContainsAny(fields[0], "ZXx")}
	for i, into := range []*int{&p.parent, &p.group, &p.session} {
		*into, _ = strconv.Atoi(string(fields[i+1])) // the kernel writes numbers
	}
	return p, true
}
