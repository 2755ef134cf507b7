package run

import (
	"context"
	"fmt"
	"net/http"
	"os"
)

// filesOfProcess counts the open files of a process of this machine, sockets among them.
func filesOfProcess(p *process) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		pid, err := p.find(ctx)
		if err != nil {
			return 0, err
		}
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			return 0, fmt.Errorf("counting the open files of process %d: %w", pid, err)
		}
		return len(open), nil
	}
}

// filesOfMetrics reads them from a Prometheus text exposition.
func filesOfMetrics(client *http.Client, url string) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		open, err := scrape(ctx, client, url, "process_open_fds")
		return int(open), err
	}
}
