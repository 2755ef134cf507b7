package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime/debug"
)

// Reader reads the histories of a file, one after the other, as archive/tar does: Next, then Read until io.EOF, then Next again.
type Reader struct {
	in        *bufio.Reader
	line      int
	header    *Header // read ahead of Next
	end       *End
	inside    bool
	truncated bool
	unknown   map[string]int // kinds of lines that were skipped
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
		return r.wrong(fmt.Errorf("the header: %w", Plainly(err)))
	}
	switch {
	case h.Format != formatName:
		return r.wrong(fmt.Errorf("no header: a history begins with {\"streamgauge\":%q,\"version\":%d,\"mode\":\"full\",\"config\":{…}}", formatName, Version))
	case h.Version > Version:
		return r.wrong(fmt.Errorf("version %d is newer than %d, which this program reads", h.Version, Version))
	}
	r.header = h
	return nil
}

// Read reads the next observation of the history into o; io.EOF: it has no more. Lines of a kind that a later version
// added are skipped. After a *LineError, which is of one line alone, reading may go on.
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
				return r.wrong(fmt.Errorf("the end: %w", Plainly(err)))
			}
			if r.end.At < 0 || r.end.At > MaxTime {
				return r.wrong(fmt.Errorf("the end at %d ns, want 0 to ten years", r.end.At))
			}
			return io.EOF
		}
		if err := s.observation(o); err != nil {
			return r.wrong(err)
		}
		if o.Kind != 0 {
			return nil
		}
		if r.unknown == nil {
			r.unknown = map[string]int{}
		}
		r.unknown[s.Kind]++
	}
	return io.EOF
}

// damaged ends the history when its last line was cut off; a line that is broken elsewhere is an error.
func (r *Reader) damaged(err error) error {
	var syntax *json.SyntaxError
	if _, peek := r.in.Peek(1); errors.Is(peek, io.EOF) && errors.As(err, &syntax) {
		r.inside, r.truncated = false, true
		return io.EOF
	}
	return r.wrong(Plainly(err))
}

// LineError is what is wrong with one line.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("history line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

func (r *Reader) wrong(err error) error { return &LineError{r.line, err} }

// Line is the number of the line that was read last.
func (r *Reader) Line() int { return r.line }

// Unknown counts the lines that were skipped because their kind is not known, by the kind.
func (r *Reader) Unknown() map[string]int { return r.unknown }

// Plainly says what is wrong with a line in the words of those who write one.
func Plainly(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("column %d: no JSON object: %w", syntax.Offset, err)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("it is a JSON %s, want an object", kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("column %d: %q is a %s, want %s", kind.Offset, kind.Field, kind.Value, wanted(kind.Type))
	}
	return err
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number of 0 or more"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return t.String()
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
			line, err = r.rest(line)
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

const (
	maxLine   = 16 << 20  // of an observation, in bytes
	maxHeader = 256 << 20 // that of a large plan is long
)

// beginHeader is how a header is written.
var beginHeader = []byte(`{"streamgauge":`)

// rest is the line that begins with these bytes, longer than the reader's buffer. It is put together once it has ended: what grows is copied
// again and again.
func (r *Reader) rest(begin []byte) ([]byte, error) {
	most := maxLine
	if bytes.HasPrefix(begin, beginHeader) {
		most = maxHeader
	}
	parts := [][]byte{bytes.Clone(begin)}
	for length := len(begin); length <= most; {
		part, err := r.in.ReadSlice('\n')
		parts = append(parts, bytes.Clone(part))
		length += len(part)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		line := bytes.Join(parts, nil)
		if length > maxLine {
			debug.FreeOSMemory() // its parts have gone
		}
		return line, err
	}
	return nil, fmt.Errorf("longer than %d MiB", most>>20)
}
