package run

import (
	"os"
	"strconv"
	"strings"
)

// localPorts is how many ports the kernel gives out for connections from one address to another; 0 where it does not say.
func localPorts() uint64 {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0
	}
	first, last, _ := strings.Cut(strings.TrimSpace(string(text)), "\t")
	from, errFrom := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	to, errTo := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	if errFrom != nil || errTo != nil || to < from {
		return 0
	}
	return to - from + 1
}
