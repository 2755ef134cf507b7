package run

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/conformance/limited"
	"github.com/streamgauge/streamgauge/scenarios"
)

// process finds a target's process, and finds it again after a restart.
type process struct {
	observe scenarios.Observe

	mu  sync.Mutex
	pid int // 0: not known
}

// processOf is nil where the target file names no process.
func processOf(o scenarios.Observe) *process {
	if !o.Process() {
		return nil
	}
	return &process{observe: o, pid: o.PID}
}

// find is the process id as it is now.
func (p *process) find(ctx context.Context) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pid > 0 && residentMemoryOf(strconv.Itoa(p.pid)) > 0 && p.observe.PIDFile == "" {
		return p.pid, nil
	}
	var err error
	o := p.observe
	switch {
	case o.PIDFile != "":
		var text []byte
		if text, err = limited.ReadFile(o.PIDFile, limited.Text); err == nil {
			p.pid, err = processID(text)
		}
	case len(o.Command) > 0:
		var text []byte
		if text, err = tokenCommand(ctx, o.Command); err == nil {
			p.pid, err = processID(text)
		}
	case o.Port > 0:
		p.pid, err = listening(o.Port)
	default:
		err = fmt.Errorf("process %d is gone: observe.pid_file, command or port follow a restart", p.pid)
	}
	return p.pid, err
}

func processID(text []byte) (int, error) {
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%q is no process id", excerpt(text))
	}
	return pid, nil
}

// listening is the process of this machine that listens on a TCP port, as /proc tells.
func listening(port int) (int, error) {
	if pids := listeners(port); len(pids) > 0 {
		return pids[0], nil
	}
	return 0, fmt.Errorf("no process that listens on port %d can be seen", port)
}

// relays are programs that listen in the place of a process in a container, which is none of theirs.
var relays = []string{"docker-proxy", "rootlessport", "slirp4netns", "pasta", "pasta.avx2"}

// listeners are the processes of this machine that listen on a TCP port, in the order of their numbers in /proc.
func listeners(port int) (pids []int) {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table) // without IPv6 there is no such table
		for line := range strings.Lines(string(text)) {
			columns := strings.Fields(line)
			if len(columns) > 9 && columns[3] == "0A" && portOf(columns[1]) == port {
				sockets["socket:["+columns[9]+"]"] = true
			}
		}
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, file := range files {
		to, err := os.Readlink(file)
		if err != nil || !sockets[to] {
			continue
		}
		dir, _, _ := strings.Cut(file, "/fd/")
		name, _ := os.ReadFile(dir + "/comm")
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && !slices.Contains(pids, pid) && !slices.Contains(relays, strings.TrimSpace(string(name))) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// portOf is the port of an address in /proc/net/tcp, as in 0100007F:1F90.
func portOf(address string) int {
	_, port, _ := strings.Cut(address, ":")
	b, err := hex.DecodeString(port)
	if err != nil || len(b) != 2 {
		return 0
	}
	return int(b[0])<<8 | int(b[1])
}
