package memory

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// Available is how much memory there is for this process and all others together; 0 where the system does not tell.
func Available() int64 {
	most := int64(math.MaxInt64)
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if total := totalOf(text); total > 0 {
			most = total
		}
	}
	if text, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		most = min(most, limitOf(text, most, os.ReadFile))
	}
	if most == math.MaxInt64 {
		return 0
	}
	return most
}

// totalOf is what /proc/meminfo says that there is; 0 when it does not.
func totalOf(text []byte) int64 {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "MemTotal:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// limitOf is the lowest limit of the groups that /proc/self/cgroup names, and of those that they are in; most when there is none. In a
// container a group's own files may be those of the root.
func limitOf(groups []byte, most int64, read func(string) ([]byte, error)) int64 {
	lines := bufio.NewScanner(bytes.NewReader(groups))
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), ":", 3) // number, controllers, path
		if len(parts) < 3 {
			continue
		}
		root, file := "/sys/fs/cgroup", "memory.max"
		switch {
		case parts[1] == "memory":
			root, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case parts[1] != "":
			continue
		}
		for group := path.Clean("/" + parts[2]); ; group = path.Dir(group) {
			if text, err := read(path.Join(root, group, file)); err == nil {
				if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
					most = min(most, limit)
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return most
}
