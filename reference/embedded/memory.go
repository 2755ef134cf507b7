package embedded

import (
	"context"
	"runtime"
)

// memory is what this process holds: the broker, and the harness beside it.
func memory(context.Context) (bytes uint64, err error) {
	runtime.GC()
	var held runtime.MemStats
	runtime.ReadMemStats(&held)
	return held.HeapAlloc + held.StackInuse, nil
}
