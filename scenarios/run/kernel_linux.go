package run

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
)

// kernelLosses are what the kernel has dropped so far of the packets of this machine and of this process's network namespace, loopback
// included; zeros where it does not say.
func kernelLosses() losses {
	softnet, _ := os.ReadFile("/proc/net/softnet_stat")
	netstat, _ := os.ReadFile("/proc/self/net/netstat")
	return losses{packets: softnetDrops(softnet) + netstatCount(netstat, "TCPBacklogDrop"), connections: netstatCount(netstat, "ListenOverflows")}
}

// softnetDrops sums up the packets for which a processor's queue had no room (net.core.netdev_max_backlog): the second column, in
// hexadecimal, of each line.
func softnetDrops(stat []byte) (dropped uint64) {
	lines := bufio.NewScanner(bytes.NewReader(stat))
	for lines.Scan() {
		if columns := strings.Fields(lines.Text()); len(columns) > 1 {
			n, _ := strconv.ParseUint(columns[1], 16, 64)
			dropped += n
		}
	}
	return dropped
}

// netstatCount is one counter of the pairs of lines that name and give the values.
func netstatCount(stat []byte, name string) uint64 {
	lines := strings.Split(string(stat), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for k := range names {
			if names[k] == name && k < len(values) {
				n, _ := strconv.ParseUint(values[k], 10, 64)
				return n
			}
		}
	}
	return 0
}
