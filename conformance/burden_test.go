package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAProcessThatWasAtWorkAllTheTimeIsTold(t *testing.T) {
	t.Parallel()
	fails := func(c *Trial) { time.Sleep(5 * time.Second); c.Absent("a message", "none") }
	passes := func(c *Trial) { time.Sleep(5 * time.Second); c.Pass("") }
	for name, test := range map[string]struct {
		share float64
		err   error
		run   func(*Trial)
		told  bool
	}{
		"a whole core":       {1, nil, fails, true},
		"several":            {3.5, nil, fails, true},
		"half of one":        {0.5, nil, fails, false},
		"it passes":          {1, nil, passes, false},
		"it cannot be seen":  {1, errors.New("no such process"), fails, false},
		"nothing of it came": {0, nil, fails, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			s := Suite{Profile: ProfileBroker, Once: true, Cases: []Case{{Requirement: "SSE-FORM-001", Run: test.run}}}
			s.Processor = func(context.Context) (time.Duration, error) {
				return time.Duration(test.share * float64(time.Since(began))), test.err
			}
			verdicts, _, err := s.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if told := strings.Contains(verdicts[0].Reason, "the target's process used"); told != test.told {
				t.Errorf("%s: %+v", name, verdicts[0])
			}
		})
	}
}
