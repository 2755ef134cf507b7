package memory

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoMoreIsKeptThanHalfOfTheBudget(t *testing.T) {
	t.Parallel()
	b := New(100)
	for _, step := range []struct {
		n   int64
		may bool
	}{{30, true}, {20, true}, {1, false}, {-11, true}, {10, true}, {1, false}} {
		if may := b.Keep(step.n); may != step.may {
			t.Errorf("keeping %d more: %t", step.n, may)
		}
	}
}

func TestAHeapCloseToTheLimitLeavesNoRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, heap := New(100), int64(75)
		b.heap = func() int64 { return heap }
		if b.Full() || !b.Keep(1) {
			t.Error("full at three quarters")
		}
		heap = 76
		if time.Sleep(lookEvery + 1); !b.Full() || b.Keep(1) {
			t.Error("not full above three quarters")
		}
		heap = 10
		if time.Sleep(lookEvery + 1); b.Full() {
			t.Error("still full")
		}
	})
}

func TestTheLowestLimitOfAllGroupsCounts(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"/sys/fs/cgroup/a/memory.max":                       "700\n",
		"/sys/fs/cgroup/a/b/memory.max":                     "max\n",
		"/sys/fs/cgroup/memory/c/memory.limit_in_bytes":     "600\n",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes":       "9223372036854771712\n",
		"/sys/fs/cgroup/memory.max":                         "900\n",
		"/sys/fs/cgroup/cpu/d/memory.limit_in_bytes":        "1\n",
		"/sys/fs/cgroup/memory/d/e/memory.limit_in_bytes":   "none\n",
		"/sys/fs/cgroup/memory/d/e/f/memory.limit_in_bytes": "-5\n",
	}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}
	for groups, want := range map[string]int64{
		"0::/a/b\n": 700, "0::/\n": 900, "0::/x/y\n": 900, "4:memory:/c\n2:cpu:/d\n": 600, "4:memory:/d/e/f\n": 1000, "": 1000, "0::/../../a\n": 700, "nonsense": 1000,
	} {
		if got := limitOf([]byte(groups), 1000, read); got != want {
			t.Errorf("%q: %d, want %d", groups, got, want)
		}
	}
	if got := totalOf([]byte("MemFree: 1 kB\nMemTotal:       24576 kB\n")); got != 24576<<10 {
		t.Errorf("total %d", got)
	}
}

func TestSizesAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 8300: "8.1 KiB", 1023 << 10: "1023 KiB", 82 << 20: "82 MiB", 6<<30 + 1: "6.0 GiB",
	} {
		if got := Size(bytes); got != want {
			t.Errorf("%d: %q, want %q", bytes, got, want)
		}
	}
}
