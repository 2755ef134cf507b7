//go:build unix

package crash

import (
	"runtime/debug"
	"syscall"
)

// Abort has what cannot be caught, a fatal error of the runtime or a panic of somebody else's goroutine, end the process by SIGABRT, after the
// usual trace. Go's own way is exit code 2, which is a verdict here. No core is written.
func Abort() {
	debug.SetTraceback("crash")
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err == nil {
		limit.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // at worst there is a core
	}
}
