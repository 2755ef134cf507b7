package embedded

import (
	"context"
	"math"
	"runtime"
)

// memory is what this process holds: the broker, and the harness beside it. One collection leaves what pools and finalizers still hold,
// which the next one would take for a shrinking broker: so it goes on until there is little more to collect.
func memory(ctx context.Context) (bytes uint64, err error) {
	const little = 1 << 20
	bytes = math.MaxUint64
	for ctx.Err() == nil {
		runtime.GC()
		var held runtime.MemStats
		runtime.ReadMemStats(&held)
		now := held.HeapAlloc + held.StackInuse
		if now+little >= bytes {
			return now, nil
		}
		bytes = now
	}
	return 0, ctx.Err()
}
