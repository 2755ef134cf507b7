package fault

import (
	"context"
	"errors"
	"testing"
)

// witness is a Target that remembers what was done to it.
type witness struct {
	done []string
	err  error
}

func (w *witness) Restart(context.Context) error { w.done = append(w.done, "restart"); return w.err }
func (w *witness) Drain(context.Context) error   { w.done = append(w.done, "drain"); return w.err }

func TestTargetFaultsDoWhatTheyAreNamedFor(t *testing.T) {
	t.Parallel()
	for _, f := range Faults {
		if f.OnTarget == nil {
			continue
		}
		w := &witness{err: errors.New("no way")}
		if err := f.OnTarget(t.Context(), w, Params{}); !errors.Is(err, w.err) {
			t.Errorf("%s: error is %v, want the target's", f.Name, err)
		}
		if len(w.done) != 1 || w.done[0] != f.Name {
			t.Errorf("%s: the target was asked to %q", f.Name, w.done)
		}
	}
}
