package conformance

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatFailsIsTriedAgainByItselfAndItsEvidenceDecides(t *testing.T) {
	t.Parallel()
	seen := func(c *Trial) { c.Fail("once", "twice") }
	absent := func(c *Trial) { c.Absent("a message", "nothing") }
	late := func(c *Trial) { c.Late(time.Hour, "soon", "later") }
	both := func(c *Trial) {
		c.Absence("a message", "nothing")
		c.Deviation("once", "twice")
		c.Conclude("")
	}
	fine := func(c *Trial) { c.Pass("fine") }
	unknown := func(c *Trial) { c.Unknown("the line was busy") }
	for name, test := range map[string]struct {
		id            string
		first, second func(*Trial)
		want          Outcome
		told          string
	}{
		"seen, and then not":                {must, seen, fine, Fail, "seen once, which is enough; tried again by itself it did not show (pass, fine), so it is rare"},
		"seen twice":                        {must, seen, seen, Fail, "tried again by itself: fail, twice"},
		"seen beside what did not come":     {must, both, fine, Fail, "tried again by itself it did not show (pass"},
		"seen, and then unknown":            {must, seen, unknown, Fail, "seen once, which is enough; tried again by itself it could not be told: unknown, the line was busy"},
		"nothing came, and then it did":     {must, absent, fine, Pass, "the first attempt: fail, nothing, which alone does not count: it can be the load's doing"},
		"nothing came, twice":               {must, absent, absent, Fail, "the first attempt: fail, nothing"},
		"nothing came, and then unknown":    {must, absent, unknown, Unknown, "the first attempt: fail, nothing"},
		"late, and then not":                {must, late, fine, Pass, "the first attempt: fail, later"},
		"late for a SHOULD":                 {should, late, fine, Pass, "the first attempt: warn, later"},
		"nothing came, and then it is seen": {must, absent, seen, Fail, "the first attempt: fail, nothing"},
	} {
		var attempts atomic.Int32
		v := decide(t, test.id, func(c *Trial) {
			if attempts.Add(1) == 1 {
				test.first(c)
			}
			test.second(c)
		})
		if v.Outcome != test.want || !strings.Contains(v.Reason, test.told) || attempts.Load() != 2 {
			t.Errorf("%s: %d attempts: %+v", name, attempts.Load(), v)
		}
	}
}

func TestWhatIsTriedAgainRunsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		busy := func(c *Trial) {
			beside := running.Add(1)
			defer running.Add(-1)
			time.Sleep(time.Second)
			if beside > 1 {
				c.Absent("an answer", "status 502")
			}
			c.Pass("")
		}
		s := Suite{Profile: ProfileBroker, Cases: []Case{
			{Requirement: "SSE-FORM-001", Run: busy}, {Requirement: "SSE-FORM-002", Run: busy}, {Requirement: "SSE-FORM-003", Run: busy},
		}}
		verdicts, _, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verdicts {
			if v.Outcome != Pass {
				t.Errorf("%+v", v)
			}
		}
	})
}

func TestWhatStaysAsItIsIsNotRepeatedForLong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		id       string
		end      func(*Trial)
		attempts int
	}{
		"seen":                   {must, func(c *Trial) { c.Fail("once", "twice") }, 1},
		"absent, for a SHOULD":   {should, func(c *Trial) { c.Absent("a message", "nothing") }, 1},
		"absent, where it fails": {must, func(c *Trial) { c.Absent("a message", "nothing") }, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			decide(t, test.id, func(c *Trial) {
				attempts++
				time.Sleep(longFirst)
				test.end(c)
			})
			if attempts != test.attempts {
				t.Errorf("%s: %d attempts, want %d", name, attempts, test.attempts)
			}
		})
	}
}
