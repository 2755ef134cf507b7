package run

import (
	"errors"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/scenarios"
)

func TestARunThatHasNoRoomSaysAllThatItNeeds(t *testing.T) {
	t.Parallel()
	s := &scenarios.Scenario{
		Load:     scenarios.Load{Streams: 4, Subscribers: 10_000_000, Follow: 1, Publish: scenarios.Publish{Rate: 1, Publishers: 2}},
		Timeline: []scenarios.Step{{Fault: "stall", Share: 0.5}, {Fault: "reset", Share: 1}},
	}
	machine := room{files: 20_000, ports: 28_232, memory: 1 << 30}
	err := machine.check(s, nil)
	if noRoom := (*NoRoomError)(nil); !errors.As(err, &noRoom) {
		t.Fatalf("%v, want that there is no room", err)
	}
	for _, want := range []string{
		"needs 30000144 open files but this process may open 20000", "ulimit -n 30000144",
		"needs 15000000 ports of this machine to one address but the kernel gives out 28232", "20751 MiB of memory at least but there are 1024 MiB", "lower load.subscribers",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
	if err := (room{files: 40_000_000}).check(s, nil); err != nil {
		t.Errorf("%v, though nothing is known to lack", err)
	}
}

func TestOnlyAnAddressLimitsPorts(t *testing.T) {
	t.Parallel()
	s := &scenarios.Scenario{Load: scenarios.Load{Streams: 1, Subscribers: 30_000, Follow: 1}}
	machine := room{files: 1 << 20, ports: 28_232}
	for url, full := range map[string]bool{
		"http://192.0.2.1:80/{{.Stream}}": true, "http://[2001:db8::1]/": true, "http://many.example/": false, "http://{{.Stream}}.example/": false,
	} {
		target := &scenarios.Target{Subscribe: scenarios.Subscribe{URL: url}}
		if err := machine.check(s, target); (err != nil) != full {
			t.Errorf("%s: %v, want an error: %t", url, err, full)
		}
		target.HTTP = "2"
		if err := machine.check(s, target); err != nil {
			t.Errorf("%s over HTTP/2, whose connections are shared: %v", url, err)
		}
	}
}
