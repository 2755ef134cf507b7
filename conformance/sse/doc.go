// Package sse is the wire: an exact decoder of event streams, a light HTTP client that carries
// ten thousand of them, and a scripted server that answers with the very bytes a test asks for.
//
// The decoder follows WHATWG HTML, sections 9.2.5 and 9.2.6. It is the oracle of the harness, so it
// shares no code with the broker and the clients that it judges.
//
// A subscriber opens a [Stream] with [Open] and then blocks in [Stream.Pump], which hands every
// event, comment and retry hint to a [Handler]:
//
//	stream, err := sse.Open(ctx, dialer.DialContext, &sse.Request{URL: u}, sse.Options{})
//	if err != nil {
//		return err
//	}
//	defer stream.Close()
//	err = stream.Pump(&decoder, handler) // io.EOF when the server ended the stream
//
// While a stream is silent it holds no buffer: Pump waits until bytes have arrived, borrows a
// buffer, decodes what is there and gives the buffer back.
package sse
