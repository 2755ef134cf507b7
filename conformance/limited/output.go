package limited

import "fmt"

// Output keeps what a command prints. Beyond Most bytes writing fails, which ends the command.
type Output struct {
	Most int

	text []byte
}

// Write keeps p, or as much of it as there is room for.
func (o *Output) Write(p []byte) (int, error) {
	n := min(len(p), o.Most-len(o.text))
	o.text = append(o.text, p[:n]...)
	if n < len(p) {
		return n, fmt.Errorf("it printed more than %s", size(int64(o.Most)))
	}
	return n, nil
}

// Bytes are what was kept.
func (o *Output) Bytes() []byte { return o.text }
