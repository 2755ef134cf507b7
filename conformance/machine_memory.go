package conformance

import (
	"os"
	"strconv"
	"strings"
)

// MachineMemory is how much memory this process can have at most, in bytes: that of the machine, or of the control group that it is in. 0
// where the system does not tell.
func MachineMemory() uint64 {
	least := uint64(0)
	info, _ := os.ReadFile("/proc/meminfo") // what cannot be read bounds nothing
	if _, rest, found := strings.Cut(string(info), "MemTotal:"); found {
		if fields := strings.Fields(rest); len(fields) > 0 {
			kib, _ := strconv.ParseUint(fields[0], 10, 53)
			least = kib << 10
		}
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, _ := os.ReadFile(file)
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 && (least == 0 || limit < least) {
			least = limit
		}
	}
	return least
}
