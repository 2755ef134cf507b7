package run

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/scenarios"
)

// findWithin bounds the look for a target's processes.
const findWithin = 2 * time.Second

// processesOn finds the processes of a target that runs on this machine: the one that its file names, and whichever listen at its addresses.
func processesOn(t *scenarios.Target) conformance.Processes {
	named := processOf(t.Observe)
	return func() (pids []int, known bool) {
		ctx, cancel := context.WithTimeout(context.Background(), findWithin)
		defer cancel()
		here := false
		for _, address := range append([]string{fixedPart(t.Address())}, t.Nodes...) {
			u, err := url.Parse(address)
			if err != nil || !isHere(ctx, u.Hostname()) {
				continue
			}
			here = true
			if _, port, err := net.SplitHostPort(sse.HostPort(u)); err == nil {
				n, _ := strconv.Atoi(port)
				pids = append(pids, listeners(n)...)
			}
		}
		if named != nil {
			if pid, err := named.find(ctx); err == nil {
				pids = append(pids, pid)
			}
		}
		return pids, !here || len(pids) > 0
	}
}

// isHere says whether a host is this machine.
func isHere(ctx context.Context, host string) bool {
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(addresses, func(a net.IPAddr) bool {
		return a.IP.IsLoopback() || slices.ContainsFunc(own, func(o net.Addr) bool {
			n, ok := o.(*net.IPNet)
			return ok && n.IP.Equal(a.IP)
		})
	})
}
