package run

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
	"github.com/streamgauge/streamgauge/scenarios"
)

// spareFiles is what a run needs beside its connections: history, probes, publishers' idle connections, the runtime's own.
const spareFiles = 128

// leastMemory is less than any subscriber takes, and any stream that it follows, in bytes.
const (
	leastMemory       = 2 << 10
	leastMemoryFollow = 64
)

// NoRoomError says what a run needs that this process cannot have, and what would help.
type NoRoomError struct{ Lacks []string }

func (e *NoRoomError) Error() string {
	return strings.Join(e.Lacks, "; ") + "; or lower load.subscribers"
}

// room is what this process can have; zeros are not known, and bound nothing.
type room struct{ files, ports, memory uint64 }

// Fits says whether a run of the scenario has room in this process, before anything of it is planned: a plan takes memory itself. A target that is
// nil is the broker within. The error is a *[NoRoomError] when there is none.
func Fits(s *scenarios.Scenario, t *scenarios.Target) error {
	files, err := fileLimit()
	if err != nil {
		return fmt.Errorf("asking how many files may be opened: %w", err)
	}
	return room{files: files, ports: localPorts(), memory: uint64(memory.Available())}.check(s, t)
}

func (r room) check(s *scenarios.Scenario, t *scenarios.Target) error {
	var lacks []string
	if needed := filesNeeded(s, t); needed > r.files {
		lacks = append(lacks, fmt.Sprintf("this run needs %s but this process may open %d: raise the limit (ulimit -n %d)",
			conformance.Plural(needed, "open file"), r.files, needed))
	}
	if needed := portsNeeded(s, t); r.ports > 0 && needed > r.ports {
		lacks = append(lacks, fmt.Sprintf("this run needs %s of this machine to one address but the kernel gives out %d: widen net.ipv4.ip_local_port_range, which ends at 65535, or run on several machines",
			conformance.Plural(needed, "port"), r.ports))
	}
	if needed := memoryNeeded(s); r.memory > 0 && needed > r.memory {
		const mib = 1 << 20
		lacks = append(lacks, fmt.Sprintf("this run needs %d MiB of memory at least but there are %d MiB: run on a larger machine, or on several", needed/mib, r.memory/mib))
	}
	if len(lacks) > 0 {
		return &NoRoomError{lacks}
	}
	return nil
}

func filesNeeded(s *scenarios.Scenario, t *scenarios.Target) uint64 {
	files := connections(s)
	if s.Load.Publish.Rate > 0 && (t == nil || t.Publish != nil) {
		files += uint64(min(s.Load.Streams*max(1, s.Load.Publish.Publishers), maxPublishConnections))
	}
	if t == nil {
		files *= 2 // the embedded broker holds the other ends
	}
	return files + spareFiles
}

// connections is the most that subscribers have at once.
func connections(s *scenarios.Scenario) uint64 {
	n := uint64(s.Load.Subscribers)
	for _, step := range s.Timeline {
		if step.Fault == "stall" { // the stalled connection stays open beside its successor
			n += uint64(step.Share.Of(s.Load.Subscribers))
		}
	}
	return n
}

// portsNeeded is how many connections go to one address and port, each from a port of its own; 0 where that is not known.
func portsNeeded(s *scenarios.Scenario, t *scenarios.Target) uint64 {
	if t == nil {
		return connections(s)
	}
	u, err := url.Parse(fixedPart(t.Address()))
	if err != nil || t.HTTP == "2" { // whose connections are shared
		return 0
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil {
		return 0 // a name may stand for many
	}
	return connections(s)
}

func memoryNeeded(s *scenarios.Scenario) uint64 {
	return uint64(s.Load.Subscribers) * (leastMemory + leastMemoryFollow*uint64(s.Load.Follow)*uint64(max(1, s.Load.Publish.Publishers)))
}
