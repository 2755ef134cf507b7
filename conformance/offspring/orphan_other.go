//go:build !linux

package offspring

// adoptOrphans does nothing: only Linux has a process adopt orphans.
func adoptOrphans() {}

func endOrphans() {}
