package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryOfTree reads the memory of a process and all its descendants from /proc, in bytes: what they allocated, without the files that
// they have mapped.
func memoryOfTree(pid int) func(context.Context) (uint64, error) {
	return func(context.Context) (uint64, error) {
		size, err := allocated(pid)
		if err != nil {
			return 0, fmt.Errorf("reading the memory of process %d: %w", pid, err)
		}
		return size, nil
	}
}

func allocated(pid int) (size uint64, err error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	if _, err := fmt.Sscan(rest, &size); err != nil {
		return 0, fmt.Errorf("no RssAnon: %w", err)
	}
	size <<= 10
	lists, err := filepath.Glob(filepath.Join(dir, "task", "*", "children"))
	if err != nil {
		return 0, err
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended meanwhile
		}
		for _, child := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				more, _ := allocated(n) // it may have ended meanwhile
				size += more
			}
		}
	}
	return size, nil
}
