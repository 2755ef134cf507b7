package fault

import (
	"bytes"
	"net"
	"os"
	"strconv"
)

// Backlog is what a line's subscriber has taken since its slow reading began, and what is held for it on its open connections.
type Backlog struct {
	Taken  int64 // bytes
	Kernel int64 // bytes that the kernels of both sides hold
	Seen   bool  // the other side's kernel was seen; else Kernel is as much as it might hold
}

// unseenKernel is what the kernel of a target elsewhere may hold for a connection with small segments and a small window: several times what
// Linux gives one.
const unseenKernel = 256 << 10

// Backlog tells what reading slowly holds up. sockets are those of this machine, from Sockets.
func (l *Line) Backlog(sockets map[Pair]int64) Backlog {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := Backlog{Taken: l.taken, Seen: true}
	for c := l.conns; c != nil; c = c.next {
		b.Kernel += int64(max(0, unread(c.inner)))
		pair, ok := pairOf(c.inner)
		unsent, seen := sockets[pair]
		if !ok || !seen {
			b.Seen, unsent = false, unseenKernel
		}
		b.Kernel += unsent
	}
	return b
}

// restart begins to count anew what is taken.
func (l *Line) restart() {
	l.mu.Lock()
	l.taken = 0
	l.mu.Unlock()
}

// Pair are the ports of a target's socket: its own and the subscriber's.
type Pair struct{ Target, Subscriber uint16 }

func pairOf(conn net.Conn) (Pair, bool) {
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	remote, too := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || !too {
		return Pair{}, false
	}
	return Pair{Target: uint16(remote.Port), Subscriber: uint16(local.Port)}, true //nolint:gosec // ports
}

// Sockets are those of this machine, as Linux shows them, with the bytes that each still has to send. Elsewhere there are none.
func Sockets() map[Pair]int64 {
	all := map[Pair]int64{}
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			addSocket(all, line)
		}
	}
	return all
}

// addSocket reads "   1: 0100007F:985D 0100007F:9C5E 01 0039CC00:00000000 …".
func addSocket(all map[Pair]int64, line []byte) {
	fields := bytes.Fields(line)
	if len(fields) < 5 {
		return
	}
	own, ok := hexAfterColon(fields[1])
	other, too := hexAfterColon(fields[2])
	queued, _, found := bytes.Cut(fields[4], []byte(":"))
	unsent, err := strconv.ParseInt(string(queued), 16, 64)
	if ok && too && found && err == nil {
		all[Pair{Target: own, Subscriber: other}] = unsent
	}
}

func hexAfterColon(address []byte) (uint16, bool) {
	port, err := strconv.ParseUint(string(address[bytes.LastIndexByte(address, ':')+1:]), 16, 16)
	return uint16(port), err == nil
}
