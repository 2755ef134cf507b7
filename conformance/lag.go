package conformance

import "time"

// Lag is the longest that a timer of this process has fired late since the case began: what was measured meanwhile is in doubt by
// about as much.
func (t *Trial) Lag() time.Duration { return t.pulse.worstSince(t.began) }

// LagSince is Lag since a later time, give or take half a second.
func (t *Trial) LagSince(began time.Time) time.Duration { return t.pulse.worstSince(began) }
