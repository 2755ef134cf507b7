// Package memory is how much memory this process may use, and how much of that is kept for subjects that never stop sending.
package memory

import (
	"cmp"
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// Budget is a limit that whoever keeps what a subject sent asks before it keeps more. A nil Budget is that of the process.
type Budget struct {
	limit  atomic.Int64 // 0: none
	kept   atomic.Int64
	heap   func() int64
	looked atomic.Int64 // when the heap was last looked at; 0: never
	full   atomic.Bool  // as it was then
}

var process = &Budget{heap: liveHeap}

// New returns a budget of its own, which counts only what is kept of it.
func New(limit int64) *Budget {
	b := &Budget{heap: func() int64 { return 0 }}
	b.limit.Store(limit)
	return b
}

// beside is what the garbage collector does not count: the program itself, and what it shares with others.
const beside = 32 << 20

// Limit sets what this process may use. The garbage collector keeps to it as far as it can.
func Limit(bytes int64) {
	debug.SetMemoryLimit(bytes - min(beside, bytes/8))
	process.limit.Store(bytes)
	process.looked.Store(0)
}

// Given is the limit that the environment variable GOMEMLIMIT sets; 0 for none.
func Given() int64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return limit
	}
	return 0
}

// Usual is the limit where nobody sets one: a quarter of what this machine has, or of what the group of processes gets that this one
// belongs to.
func Usual() int64 { return max(cmp.Or(Available(), unknown)/4, least) }

const (
	least   = 128 << 20 // below it nothing works
	unknown = 8 << 30   // of a machine that does not tell
)

// Keep notes that n bytes more are kept, roughly, or fewer, and says whether they may be.
func (b *Budget) Keep(n int64) bool {
	if b == nil {
		b = process
	}
	kept := b.kept.Add(n)
	return n <= 0 || !b.Full() && !b.over(kept)
}

// over says whether that is more than may be kept: half, as much as is needed to work with it.
func (b *Budget) over(kept int64) bool {
	limit := b.limit.Load()
	return limit > 0 && kept > limit/2
}

// lookEvery is how often the heap is looked at: that costs some microseconds, and fills no gigabyte meanwhile.
const lookEvery = 10 * time.Millisecond

// Full says whether the process, for whatever it needs it, has come so close to its limit that nothing more may be kept.
func (b *Budget) Full() bool {
	if b == nil {
		b = process
	}
	limit := b.limit.Load()
	if limit == 0 {
		return false
	}
	now, looked := time.Now().UnixNano(), b.looked.Load()
	if (now < looked || now-looked > int64(lookEvery)) && b.looked.CompareAndSwap(looked, now) {
		b.full.Store(b.heap() > limit/4*3)
	}
	return b.full.Load()
}

// String is the limit in words.
func (b *Budget) String() string {
	if b == nil {
		b = process
	}
	return Size(b.limit.Load())
}

// Size is a number of bytes as people write it: 512 B, 8.1 KiB, 82 MiB.
func Size[N int64 | uint64](bytes N) string {
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes)/1024, "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if value < 1023.5 {
			break
		}
		value, unit = value/1024, next
	}
	if value < 9.95 {
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}

// liveHeap is what the garbage collector last found in use. Close to the limit it looks often.
func liveHeap() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(min(sample[0].Value.Uint64(), math.MaxInt64))
}
