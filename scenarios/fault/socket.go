package fault

import "net"

// hangUp closes a connection in order. A socket that is closed with unread data resets its peer, so the end is sent and what has
// arrived is read first.
func hangUp(conn net.Conn) {
	if socket, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = socket.CloseWrite()
		discard(conn)
	}
	_ = conn.Close()
}

// reset closes a connection so that its peer is reset, where the network knows such a thing.
func reset(conn net.Conn) {
	if socket, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = socket.SetLinger(0)
	}
	_ = conn.Close()
}

// receiveBuffer is the key of the context in which Line.Dial passes on how many bytes a new socket may buffer.
type receiveBuffer struct{}
