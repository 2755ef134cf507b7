//go:build !linux

package sse

import "net/netip"

// peerQueue is not known here.
type peerQueue struct{}

func openPeerQueue(local, remote netip.AddrPort) *peerQueue { return nil }

func (q *peerQueue) close() {}

func (q *peerQueue) unread() (bytes uint32, ok bool) { return 0, false }
