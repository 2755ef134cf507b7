package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// sample is the state of one process at one instant.
type sample struct {
	Resident  int64         // bytes
	InUse     int64         // bytes of live heap and of stacks; exact only when the garbage was just collected
	CPU       time.Duration // user and system, since the process began
	Connected int
	Events    uint64 // sent by a server, received by a client

	URL     string  `json:",omitempty"` // where a server listens
	Verdict verdict // of the harness's run, once it has ended
	Err     string  `json:",omitempty"`
}

// role is one kind of process. Its functions may be nil where there is nothing to do.
type role struct {
	url   string
	start func()             // begins to connect
	rate  func(perS float64) // publishes that many events per second to each connection
	count func() (connected int, events uint64)
	end   func() (verdict, error) // waits for the end of the run
}

// roles are the processes that a measurement is made of.
var roles = map[string]func(context.Context, setup) (*role, error){
	"minimal-server": newMinimalServer,
	"minimal-reader": newMinimalReader,
	"broker":         newBroker,
	"harness":        newHarness,
}

// serveRole is a process's life: it answers each line of its standard input with a sample, until there is none.
func serveRole(ctx context.Context, name, config string) error {
	var s setup
	if err := json.Unmarshal([]byte(config), &s); err != nil {
		return fmt.Errorf("reading the setup: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := roles[name](ctx, s)
	if err != nil {
		return err
	}
	stop, err := profile(s.Profile, name)
	if err != nil {
		return fmt.Errorf("profiling: %w", err)
	}
	out := json.NewEncoder(os.Stdout)
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		if err := out.Encode(r.do(commands.Text())); err != nil {
			return err
		}
	}
	return stop()
}

func (r *role) do(command string) sample {
	word, argument, _ := strings.Cut(command, " ")
	answer := sample{URL: r.url}
	var err error
	switch word {
	case "start":
		r.start()
	case "rate":
		var perS float64
		perS, err = strconv.ParseFloat(argument, 64)
		r.rate(perS)
	case "collect":
		collect()
	case "end":
		answer.Verdict, err = r.end()
	}
	if err == nil {
		err = answer.take(r)
	}
	if err != nil {
		answer.Err = err.Error()
	}
	return answer
}

// collect leaves what a process keeps for good. It takes several turns: the first only moves aside what pools hold, and each halves a
// stack that grew while a connection was opened.
func collect() {
	var m runtime.MemStats
	for inUse := uint64(math.MaxUint64); ; {
		runtime.GC()
		runtime.ReadMemStats(&m)
		if now := m.HeapAlloc + m.StackInuse; now < inUse-inUse/1000 {
			inUse = now
			continue
		}
		debug.FreeOSMemory()
		return
	}
}

func (s *sample) take(r *role) (err error) {
	s.Connected, s.Events = r.count()
	if s.CPU, err = processorTime(); err != nil {
		return err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.InUse = int64(m.HeapAlloc + m.StackInuse)
	s.Resident, err = residentMemory()
	return err
}
