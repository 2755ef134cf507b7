package server

import (
	"testing"
	"time"
)

// TestPatienceShrinksWhereItWasInVain: not below what a message that is late needs, and not above what was asked for.
func TestPatienceShrinksWhereItWasInVain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		vain    int32
		longest time.Duration
		want    time.Duration
	}{
		{0, 0, 10 * time.Second},
		{2, 0, 10 * time.Second},
		{3, 0, 5 * time.Second},
		{6, 0, 2500 * time.Millisecond},
		{100, 0, shortest},
		{100, time.Second, 4 * time.Second},
		{100, 8 * time.Second, 10 * time.Second},
	} {
		var p patience
		p.vain.Store(test.vain)
		p.came(test.longest)
		p.came(test.longest / 2)
		if got := p.now(10 * time.Second); got != test.want {
			t.Errorf("after %d in vain and %v: %v, want %v", test.vain, test.longest, got, test.want)
		}
	}
	var p patience
	if got := p.now(time.Second); got != time.Second {
		t.Errorf("%v", got)
	}
}
