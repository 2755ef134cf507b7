package sse

// Body hands the body's bytes to receive as they arrive, framing removed and nothing decoded: whoever wants to keep the very bytes,
// or judge a body in a content coding, feeds a decoder itself. One call gets at most the bytes of one chunk and one read; they
// are valid during the call. It returns like Pump, and takes its place: call one of them, once.
func (s *Stream) Body(receive func(p []byte) error) error {
	s.response = nil
	return s.drain(bodyFunc(receive))
}

type bodyFunc func(p []byte) error

func (f bodyFunc) body(p []byte) error { return f(p) }
