//go:build unix

package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

// breakEnv names the defect that this program has when a test runs it.
const breakEnv = "STREAMGAUGE_TEST_BREAK"

// program is main, with a defect of the harness where one is asked for.
func program() {
	switch where := os.Getenv(breakEnv); where {
	case "":
	case "main":
		cobra.OnInitialize(func() { panic("a defect\x1b[31m of main") })
	case "early": // a signal before the command has begun
		cobra.OnInitialize(func() {
			_ = os.Unsetenv(breakEnv) // a broker of its own is none
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		})
	case "goroutine": // one that nobody catches
		cobra.OnInitialize(func() {
			go func() { panic("a defect that nobody catches") }()
			select {}
		})
	case "map":
		cobra.OnInitialize(writeMapTogether)
	case "memory":
		cobra.OnInitialize(takeAllMemory)
	case "quit":
		cobra.OnInitialize(func() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGQUIT)
			select {}
		})
	case "stack":
		debug.SetMaxStack(16 << 20)
		cobra.OnInitialize(func() { fmt.Println(deeper(0)) })
	case "timeline":
		breakFault("close", func(*fault.Line) { panic("a defect of the timeline") })
	case "subscriber":
		breakFault("refuse", func(l *fault.Line) { l.Bite = biting(0, "a defect of a subscriber") })
	case "lock": // that is never released
		breakFault("refuse", func(l *fault.Line) { l.Bite = biting(1, "a defect under a lock") })
	case "case":
		for i := range server.Cases {
			server.Cases[i].On, server.Cases[i].Run = "", func(*server.Trial) { panic("a defect of a case") }
		}
	default:
		panic(where)
	}
	main()
}

// breakFault has a fault begin with a defect.
func breakFault(name string, defect func(*fault.Line)) {
	for i := range fault.Faults {
		begin := fault.Faults[i].Begin
		if fault.Faults[i].Name != name {
			continue
		}
		fault.Faults[i].Begin = func(l *fault.Line, p fault.Params) {
			defect(l)
			begin(l, p)
		}
	}
}

// biting panics when a step takes effect: in drops.yaml the first one does so on a subscriber's goroutine, which dials, the second under the lock of a
// connection.
func biting(at int32, defect string) func(subscriber, step int32) {
	return func(_, step int32) {
		if step == at {
			panic(defect)
		}
	}
}

func writeMapTogether() {
	together := map[int]int{}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				together[i%8]++
			}
		}()
	}
	select {}
}

// takeAllMemory leaves itself little to take.
func takeAllMemory() {
	var pages uint64
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(text), &pages)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil {
		limit.Cur = pages*uint64(os.Getpagesize()) + 512<<20
		_ = syscall.Setrlimit(syscall.RLIMIT_AS, &limit)
	}
	for all := [][]byte{}; ; {
		all = append(all, make([]byte, 64<<20))
		if len(all) == 1<<20 {
			fmt.Println(all)
		}
	}
}

func deeper(n int) int {
	if n < 0 {
		return 0
	}
	return deeper(n+1) + 1
}
