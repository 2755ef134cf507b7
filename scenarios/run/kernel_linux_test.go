package run

import "testing"

func TestTheKernelSaysWhatItDropped(t *testing.T) {
	t.Parallel()
	const (
		softnet = "012a00d8 00000010 00000002 00000000\n012bc59c 00000001 00000006 00000000\n"
		netstat = "TcpExt: SyncookiesSent ListenOverflows TCPBacklogDrop\nTcpExt: 0 7 3\nIpExt: InNoRoutes\nIpExt: 9\n"
	)
	if got := softnetDrops([]byte(softnet)); got != 17 {
		t.Errorf("%d packets, want 17", got)
	}
	for name, want := range map[string]uint64{"ListenOverflows": 7, "TCPBacklogDrop": 3, "InNoRoutes": 9, "Nothing": 0} {
		if got := netstatCount([]byte(netstat), name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if softnetDrops(nil) != 0 || netstatCount(nil, "ListenOverflows") != 0 {
		t.Error("what the kernel does not say is counted")
	}
}
