package sse

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Phase is the part of a stream's life in which an error happened.
type Phase string

// The phases, in order.
const (
	PhaseRequest Phase = "request" // the request itself cannot be sent
	PhaseDial    Phase = "dial"
	PhaseTLS     Phase = "tls"
	PhaseHead    Phase = "head" // writing the request and reading the response's head
	PhaseBody    Phase = "body"
)

// Error is an error of Open or Pump, with the phase and the address it belongs to.
type Error struct {
	Phase Phase
	Addr  string // host:port
	Err   error
}

func (e *Error) Error() string {
	switch e.Phase {
	case PhaseRequest:
		return "preparing the request: " + e.Err.Error()
	case PhaseDial:
		return "connecting to " + e.Addr + ": " + e.Err.Error()
	case PhaseTLS:
		return "tls handshake with " + e.Addr + ": " + e.Err.Error()
	case PhaseHead:
		return "waiting for the response of " + e.Addr + ": " + e.Err.Error()
	}
	return "reading the stream of " + e.Addr + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// ErrIdle says that nothing, not even a comment, arrived for the stream's idle timeout.
var ErrIdle error = idleError{}

type idleError struct{}

func (idleError) Error() string { return "silent for longer than the idle timeout" }
func (idleError) Timeout() bool { return true }

// EncodedError says that a body came in a content coding that was not asked for and cannot be read.
type EncodedError struct{ Encoding string }

func (e *EncodedError) Error() string {
	return "body has content encoding " + e.Encoding + ", which was not asked for"
}

// Cause is what ended a stream or kept it from opening, as far as a caller wants to tell.
type Cause uint8

// The causes. Ends of a body that are no error of HTTP say nothing about a cut event: see [Decoder.Pending].
const (
	CauseUnknown     Cause = iota
	CauseEnd               // the body is complete, or the server closed a body that lasts until then
	CauseTruncated         // the connection was closed inside a chunk or before Content-Length
	CauseReset             // the peer reset the connection, or acknowledges nothing any more
	CauseIdle              // ErrIdle
	CauseRefused           // nothing listens there
	CauseUnreachable       // no route to host or network
	CauseDNS               // the name has no address
	CauseDialTimeout       // no answer to connect, or none in the TLS handshake
	CauseTLS               // handshake or certificate
	CauseNoResponse        // closed before a complete head
	CauseHeadTimeout       // no complete head in time
	CauseMalformed         // not HTTP, or not chunks
	CauseTooLong           // head, line or event over its limit
	CauseEncoded           // in a content coding that was not asked for and cannot be read
	CauseCanceled          // the caller's context ended, or the caller closed the stream
	CauseFiles             // this process or machine is out of file descriptors: the harness's own
	CausePorts             // no local address or port is left: the harness's own
	CauseRequest           // the request cannot be sent: the harness's own
)

var causeNames = [...]string{
	"unknown", "end", "truncated", "reset", "idle", "refused", "unreachable", "dns", "dial-timeout", "tls",
	"no-response", "head-timeout", "malformed", "too-long", "encoded", "canceled", "files", "ports", "request",
}

func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return causeNames[CauseUnknown]
}

// Own says that the harness, not the target, was at fault.
func (c Cause) Own() bool { return c == CauseFiles || c == CausePorts || c == CauseRequest }

// ErrHeadTooLong says that a response's head exceeded Options.MaxHeadBytes.
var ErrHeadTooLong = errors.New("head of the response too long")

// CauseOf classifies an error of Open, Pump or Feed.
func CauseOf(err error) Cause {
	var phase Phase
	if e := (*Error)(nil); errors.As(err, &e) {
		phase = e.Phase
	}
	for _, known := range []struct {
		err   error
		cause Cause
	}{
		{ErrIdle, CauseIdle},
		{ErrTooLong, CauseTooLong},
		{ErrHeadTooLong, CauseTooLong},
		{context.Canceled, CauseCanceled},
		{net.ErrClosed, CauseCanceled},
		{io.ErrClosedPipe, CauseCanceled},
		{errStreamLost, CauseReset},
		{syscall.EMFILE, CauseFiles},
		{syscall.ENFILE, CauseFiles},
		{syscall.EADDRNOTAVAIL, CausePorts},
		{syscall.ECONNREFUSED, CauseRefused},
		{syscall.EHOSTUNREACH, CauseUnreachable},
		{syscall.ENETUNREACH, CauseUnreachable},
	} {
		if errors.Is(err, known.err) {
			return known.cause
		}
	}
	switch {
	case err == nil:
		return CauseUnknown
	case phase == PhaseRequest:
		return CauseRequest
	case is[*net.DNSError](err):
		return CauseDNS
	case isTimeout(err):
		return timeoutCause(phase, err)
	case is[*EncodedError](err):
		return CauseEncoded
	case is[*MalformedError](err):
		return CauseMalformed
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return CauseReset
	case phase == PhaseTLS || isTLS(err):
		return CauseTLS
	case phase == PhaseHead && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return CauseNoResponse
	case errors.Is(err, io.ErrUnexpectedEOF):
		return CauseTruncated
	case errors.Is(err, io.EOF):
		return CauseEnd
	}
	return CauseUnknown
}

func timeoutCause(phase Phase, err error) Cause {
	switch {
	case phase == PhaseDial || phase == PhaseTLS:
		return CauseDialTimeout
	case phase == PhaseHead:
		return CauseHeadTimeout
	case errors.Is(err, syscall.ETIMEDOUT):
		return CauseReset
	}
	return CauseUnknown
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &t) && t.Timeout()
}

func isTLS(err error) bool {
	return is[*tls.CertificateVerificationError](err) || is[tls.RecordHeaderError](err) || is[tls.AlertError](err) ||
		is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err)
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}
