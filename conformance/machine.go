package conformance

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// MachineTime is how much processor time this machine has spent since it began, over all of its processors: on anything, and in all.
// Its error says that the system does not tell.
func MachineTime() (busy, all time.Duration, err error) {
	busy, all, _, err = machineTime()
	return busy, all, err
}

// machineTime is MachineTime, and how much of what was busy the host of a virtual machine gave to others.
func machineTime() (busy, all, stolen time.Duration, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, 0, fmt.Errorf("reading the machine's processor time: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, 0, fmt.Errorf("reading the machine's processor time: /proc/stat begins with %q", line)
	}
	// user, nice, system, idle, waiting for a disk, interrupts, soft interrupts, stolen by the host
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, 0, fmt.Errorf("reading the machine's processor time: %w", err)
		}
		spent := time.Duration(n) * time.Second / 100 // whatever the kernel's own timer does
		all += spent
		if i != 3 && i != 4 {
			busy += spent
		}
		if i == 7 {
			stolen = spent
		}
	}
	return busy, all, stolen, nil
}

// Load is how busy this machine is from a moment on.
type Load struct {
	busy, all time.Duration
	known     bool
}

// LoadFromNow begins at this moment.
func LoadFromNow() Load {
	busy, all, err := MachineTime()
	return Load{busy, all, err == nil}
}

// Share is how much of its processor time, from 0 to 1, this machine has spent since then; 0 when the system does not tell.
func (l Load) Share() float64 {
	busy, all, err := MachineTime()
	if !l.known || err != nil || all <= l.all {
		return 0
	}
	return float64(busy-l.busy) / float64(all-l.all)
}
