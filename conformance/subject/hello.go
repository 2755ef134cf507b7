package subject

import (
	"fmt"
	"time"
)

// Bounds of what a hello can declare: far beyond any client's, and small enough to be reckoned with.
const (
	maxDelayMS = float64(30 * 24 * time.Hour / time.Millisecond)
	maxFactor  = 1000
)

// validate says what of it no client can mean.
func (h *Hello) validate() error {
	if h.Policy == nil {
		return nil
	}
	for name, list := range map[string][]int{"retry_status": h.Policy.RetryStatus, "stop_status": h.Policy.StopStatus} {
		for _, status := range list {
			if status < 100 || status > 999 {
				return fmt.Errorf("%s has %d, want 100 to 999", name, status)
			}
		}
	}
	d := h.Policy.Backoff
	if d == nil {
		return nil
	}
	for _, n := range []struct {
		name        string
		value, most float64
	}{
		{"base_ms", d.BaseMS, maxDelayMS}, {"cap_ms", d.CapMS, maxDelayMS}, {"reset_after_ms", d.ResetAfterMS, maxDelayMS},
		{"silence_ms", d.SilenceMS, maxDelayMS}, {"factor", d.Factor, maxFactor}, {"jitter", d.Jitter, 1},
	} {
		if !(n.value >= 0 && n.value <= n.most) {
			return fmt.Errorf("%s is %g, want 0 to %g", n.name, n.value, n.most)
		}
	}
	return nil
}
