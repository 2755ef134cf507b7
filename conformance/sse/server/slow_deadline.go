package server

import "fmt"

// "A write deadline ends connections whose peer does not drain (zero window) within the documented time."
//
// Fewer messages than queues hold, so that it is not the overflow that ends the connection.
func writeDeadlineEndsStuckConnections(t *Trial) {
	deadline := t.Duration("write_deadline")
	if t.Text("deadline") != "" {
		deadline = t.Duration("deadline") // the target's own
	}
	wait := max(t.longest(2*deadline), deadline+deadline/3)
	t.Allow(wait + defaultPatience)
	stream, other := t.Stream(), t.follow([]string{t.Stream()})
	p, reading := t.stall(stream)
	v := t.volume(stream, 64*kib)
	v.sendBytes(int(t.Number("fill_mib") * mib))
	if other.goesOn() { // it harms nobody
		t.Aside()
	}
	other.leave()
	t.Doing("a connection is left unread for %v", wait)
	t.wait(wait)
	a := aftermathOf(p, reading, v)
	if sent := onTheWire(p); a.alive && sent < buffersHold {
		t.Unknown("after %v without reading: %s; but these are %.1f MiB, which the buffers of both ends may hold", wait, a, float64(sent)/mib)
	}
	if a.alive {
		t.Fail(fmt.Sprintf("the end of a connection that took nothing for %v", deadline), fmt.Sprintf("after %v without reading: %s", wait, a), tail(p.Evidence()))
	}
	if !a.ended {
		t.Fail(fmt.Sprintf("the end of a connection that took nothing for %v", deadline), a.String(), tail(p.Evidence()))
	}
	t.Pass(a.String())
}

// buffersHold is what the kernels of both ends of a connection may take, although one of them does not read: Linux lets a sender's buffer
// grow to 4 MiB (tcp(7), tcp_wmem), some set 6.
const buffersHold = 7 * mib

// onTheWire is how many bytes of a body of incompressible text were sent at least.
func onTheWire(p *Tap) (bytes int) {
	p.Look(func(*Record) { bytes = p.received() })
	if coded(p.Header("Content-Encoding")) {
		bytes = bytes / 4 * 3
	}
	return bytes
}
