package offspring

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// adoptOrphans has this process adopt whatever it has started and loses its parent: so what has given up its environment is found as well.
func adoptOrphans() {
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) // an old kernel leaves them to init
}

// endOrphans ends the children of this process in other sessions, where this process starts none, and what they leave.
func endOrphans() {
	own := ownSession()
	for range rounds {
		found := false
		for _, p := range processes() {
			if p.parent != os.Getpid() || p.session == own {
				continue
			}
			found = true
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended
			_, _ = syscall.Wait4(p.pid, nil, 0, nil) // from here on its children are orphans
		}
		if !found {
			return
		}
	}
}
