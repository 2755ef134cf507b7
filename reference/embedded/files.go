package embedded

import (
	"context"
	"os"
)

// files is how many files this process has open: the broker's ends of its connections, and the harness's beside them.
func files(context.Context) (open int, err error) {
	entries, err := os.ReadDir("/proc/self/fd")
	return len(entries), err
}
