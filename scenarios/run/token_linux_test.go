package run

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestATokenCommandThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	_, err := tokenCommand(t.Context(), []string{"/bin/sh", "-c", `setsid sleep 1004 >/dev/null 2>&1 & echo "left $!" >&2; exit 1`})
	var pid int
	if err == nil {
		t.Fatal("it failed, and nobody was told")
	}
	if _, text, _ := strings.Cut(err.Error(), "left "); text == "" {
		t.Fatal(err)
	} else if _, err := fmt.Sscan(text, &pid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	late := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("process %d goes on", pid)
		}
	}
}
