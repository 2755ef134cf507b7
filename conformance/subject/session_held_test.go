package subject

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/memory"
)

// TestASessionKeepsNoMoreThanThereIsRoomFor, and gives it back in the end.
func TestASessionKeepsNoMoreThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	budget := memory.New(1 << 20) // half of it is kept
	for _, want := range []int{32, 32} {
		s := &Session{changed: make(chan struct{}), conns: map[string]*Conn{}, budget: budget}
		s.conns["c"] = &Conn{session: s, name: "c"}
		text := fmt.Appendf(nil, `{"ev":"event","conn":"c","data":%q}`, strings.Repeat("x", 16<<10-64))
		kept := 0
		for ; kept < 1000; kept++ {
			if err := s.take(text, 2, nil); err != nil {
				if !errors.Is(err, ErrFlooding) {
					t.Error(err)
				}
				break
			}
		}
		if kept != want {
			t.Errorf("%d reports were kept, want %d", kept, want)
		}
		s.release()
	}
}
