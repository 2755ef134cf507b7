//go:build !linux

package sse

import "net/netip"

// unread is not known here.
func unread(local, remote netip.AddrPort) (bytes uint32, ok bool) { return 0, false }
