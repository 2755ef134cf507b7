package fault

import (
	"net"
	"os"
	"testing"
	"time"
)

// TestABacklogIsWhatTheKernelsHold: what a target could write and a slow subscriber has not taken is all there, on a socket with the kernel's
// default buffer.
func TestABacklogIsWhatTheKernelsHold(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		t.Skip("no sockets to be seen here")
	}
	var l Line
	slowFault.Begin(&l, Params{Step: 1, Read: 1})
	_, peer := socketPair(t, &l)
	wrote := fill(t, peer)
	const room = 256 << 10
	if wrote > room {
		t.Errorf("a target could write %d bytes to a slow subscriber, want fewer than %d", wrote, room)
	}
	b := l.Backlog(Sockets())
	const unacknowledged = 16 << 10 // has arrived, and is held by both sides until that is told
	if !b.Seen || b.Taken+b.Kernel < wrote*9/10 || b.Taken+b.Kernel > wrote+unacknowledged {
		t.Errorf("of %d bytes %d are known: %+v", wrote, b.Taken+b.Kernel, b)
	}
}

// fill writes until nothing has gone through for a while.
func fill(t *testing.T, peer *net.TCPConn) (wrote int64) {
	t.Helper()
	for {
		if err := peer.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := peer.Write(make([]byte, 4<<10))
		if wrote += int64(n); err != nil {
			return wrote
		}
	}
}

func TestOfATargetElsewhereTheMostIsAssumed(t *testing.T) {
	t.Parallel()
	var l Line
	slowFault.Begin(&l, Params{Step: 1, Read: 1})
	socketPair(t, &l)
	if b := l.Backlog(nil); b.Seen || b.Kernel < unseenKernel {
		t.Errorf("%+v is assumed of a socket that is not seen", b)
	}
}
