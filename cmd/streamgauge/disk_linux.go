package main

import "syscall"

// leftOn is how many bytes the disk of a folder has left; 0 when that cannot be told.
func leftOn(folder string) int64 {
	var disk syscall.Statfs_t
	if syscall.Statfs(folder, &disk) != nil {
		return 0
	}
	return int64(disk.Bavail) * disk.Bsize //nolint:gosec // no disk has more
}
