//go:build !linux

package broker

import (
	"net"
	"time"
)

// limitUnacknowledged leaves a client that vanished to the write deadline and the system's keep-alive.
func limitUnacknowledged(*net.TCPConn, time.Duration) {}
