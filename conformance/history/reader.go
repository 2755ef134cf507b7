package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Reader reads the histories of a file, one after the other, as archive/tar does: Next, then Read until io.EOF, then Next again.
type Reader struct {
	in        *bufio.Reader
	line      int
	header    *Header // read ahead of Next
	end       *End
	inside    bool
	truncated bool
	buf       []byte
}

// NewReader reads from in.
func NewReader(in io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(in, 1<<16)}
}

// Next skips to the next history and returns its header; io.EOF: there is none.
func (r *Reader) Next() (*Header, error) {
	for r.inside {
		if err := r.Read(new(Observation)); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	r.end, r.truncated = nil, false
	if r.header == nil {
		line, err := r.next()
		if err != nil {
			return nil, err
		}
		if err := r.readHeader(line); err != nil {
			return nil, err
		}
	}
	h := r.header
	r.header, r.inside = nil, true
	return h, nil
}

func (r *Reader) readHeader(line []byte) error {
	h := new(Header)
	if err := json.Unmarshal(line, h); err != nil {
		return fmt.Errorf("history line %d: reading the header: %w", r.line, err)
	}
	switch {
	case h.Format != formatName:
		return fmt.Errorf("history line %d: want a header with \"streamgauge\":%q", r.line, formatName)
	case h.Version > Version:
		return fmt.Errorf("history line %d: version %d is newer than %d, which this program reads", r.line, h.Version, Version)
	}
	r.header = h
	return nil
}

// Read reads the next observation of the history into o; io.EOF: it has no more. Lines of a kind that a later version
// added are skipped.
func (r *Reader) Read(o *Observation) error {
	for r.inside {
		line, err := r.next()
		if err != nil {
			r.inside = false
			if errors.Is(err, io.EOF) {
				r.truncated = true // no end came
			}
			return err
		}
		var s stored
		if err := json.Unmarshal(line, &s); err != nil {
			return r.damaged(err)
		}
		switch {
		case s.Format != "":
			r.inside, r.truncated = false, true
			if err := r.readHeader(line); err != nil {
				return err
			}
			return io.EOF
		case s.End != nil:
			r.inside, r.end = false, new(End)
			if err := json.Unmarshal(line, r.end); err != nil {
				return fmt.Errorf("history line %d: reading its end: %w", r.line, err)
			}
			return io.EOF
		}
		if err := s.observation(o); err != nil {
			return fmt.Errorf("history line %d: %w", r.line, err)
		}
		if o.Kind != 0 {
			return nil
		}
	}
	return io.EOF
}

// damaged ends the history when its last line was cut off; a line that is broken in the middle is an error.
func (r *Reader) damaged(err error) error {
	r.inside = false
	if _, peek := r.in.Peek(1); errors.Is(peek, io.EOF) {
		r.truncated = true
		return io.EOF
	}
	return fmt.Errorf("history line %d: %w", r.line, err)
}

// End is the end of the history that was read; nil: it was cut off.
func (r *Reader) End() *End { return r.end }

// Truncated says that the history that was read to its end was cut off: what its last lines told is missing.
func (r *Reader) Truncated() bool { return r.truncated }

// next returns the next line that is not empty. It is valid until the call after it.
func (r *Reader) next() ([]byte, error) {
	for {
		r.line++
		line, err := r.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			r.buf = append(r.buf[:0], line...)
			line, err = r.rest()
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				err = fmt.Errorf("history line %d: %w", r.line, err)
			}
			return nil, err
		}
	}
}

// rest reads the rest of a line that is longer than the reader's buffer, such as a header.
func (r *Reader) rest() ([]byte, error) {
	for {
		part, err := r.in.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return r.buf, err
		}
	}
}
