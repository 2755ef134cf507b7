//go:build !unix

package sse

import "syscall"

const canReadSockets = false

func (r *reader) readSocket(syscall.RawConn) { r.readConn() }
