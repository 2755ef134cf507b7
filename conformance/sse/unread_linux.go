package sse

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// peerQueue tells what the other end of a connection has not read, where it is a socket of this machine. It asks the kernel as ss(8) does:
// sock_diag(7), struct inet_diag_req_v2 and struct inet_diag_msg.
type peerQueue struct {
	fd            int
	local, remote netip.AddrPort
}

func openPeerQueue(local, remote netip.AddrPort) *peerQueue {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil
	}
	return &peerQueue{fd, local, remote}
}

func (q *peerQueue) close() {
	if q != nil {
		_ = unix.Close(q.fd) // nothing was written that could be lost
	}
}

// unread is how many bytes lie in the other end's receive queue.
func (q *peerQueue) unread() (bytes uint32, ok bool) {
	const (
		header      = unix.SizeofNlMsghdr
		requestSize = 56
		idAt        = 8 // of the socket's addresses in the request
		queueAt     = 56
		anySocket   = 0xffffffff // INET_DIAG_NOCOOKIE
	)
	if q == nil {
		return 0, false
	}
	local, remote := q.local, q.remote
	own, order := binary.NativeEndian, binary.BigEndian
	var request [header + requestSize]byte
	own.PutUint32(request[0:], uint32(len(request)))
	own.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
	own.PutUint16(request[6:], unix.NLM_F_REQUEST)
	body := request[header:]
	body[0], body[1] = unix.AF_INET, unix.IPPROTO_TCP
	if remote.Addr().Is6() {
		body[0] = unix.AF_INET6
	}
	own.PutUint32(body[4:], anySocket)
	id := body[idAt:]
	order.PutUint16(id[0:], remote.Port())
	order.PutUint16(id[2:], local.Port())
	copy(id[4:20], remote.Addr().AsSlice())
	copy(id[20:36], local.Addr().AsSlice())
	own.PutUint32(id[40:], anySocket)
	own.PutUint32(id[44:], anySocket)
	if err := unix.Sendto(q.fd, request[:], unix.MSG_DONTWAIT, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, false
	}
	var answer [4 << 10]byte
	n, _, err := unix.Recvfrom(q.fd, answer[:], unix.MSG_DONTWAIT)
	if err != nil || n < header+queueAt+4 || own.Uint16(answer[4:]) != unix.SOCK_DIAG_BY_FAMILY {
		return 0, false
	}
	return own.Uint32(answer[header+queueAt:]), true
}
