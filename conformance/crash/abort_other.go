//go:build !unix

package crash

// Abort does nothing where a process cannot end by a signal.
func Abort() {}
