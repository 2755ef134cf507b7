package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestASlowSubjectIsJudgedForABoundedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		endless := func(c *Trial) {
			for c.Context().Err() == nil {
				c.Allow(0) // a message came
				rest(c.Context(), time.Second)
			}
			c.Give()
		}
		s := Suite{Profile: ProfileBroker, Parallel: 2, Pace: 210 * time.Millisecond, Cases: []Case{
			{Requirement: "SSE-FORM-001", Run: func(c *Trial) { c.Absent("a message", "none") }}, // it would be tried again by itself
			{Requirement: "SSE-FORM-002", Run: func(c *Trial) { c.Pass("") }},
			{Requirement: "SSE-FORM-003", Run: endless},
			{Requirement: "SSE-FORM-004", Run: endless},
			{Requirement: "SSE-FORM-005", Run: endless},
			{Requirement: "SSE-FORM-006", Run: func(c *Trial) { c.Fail("a", "b") }, Turn: Disturbing},
		}}
		verdicts, _, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []Outcome{Unknown, Pass, Unknown, Unknown, Unknown, Unknown} {
			v := verdicts[i]
			if v.Outcome != want || want == Unknown && !strings.HasPrefix(v.Reason, "not judged within 4m0s: the target takes 210ms a message") {
				t.Errorf("%+v", v)
			}
		}
		if !strings.Contains(verdicts[0].Reason, "the first attempt, beside others: fail") {
			t.Errorf("what was seen is not told: %s", verdicts[0].Reason)
		}
		if took := time.Since(began); took > slowLimit+time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

// TestASlowSubjectIsNotCalledDead: what waits in its queue takes longer than a quick one may take.
func TestASlowSubjectIsNotCalledDead(t *testing.T) {
	t.Parallel()
	for pace, want := range map[time.Duration]Outcome{0: Fail, 200 * time.Millisecond: Pass} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			s := Suite{Profile: ProfileBroker, Pace: pace, Cases: []Case{{Requirement: "SSE-FORM-001", Run: func(c *Trial) {
				over := c.Ask()
				rest(c.Context(), 25*time.Second)
				over(c.Context().Err() == nil)
				if c.Context().Err() != nil {
					c.Give()
				}
				c.Pass("")
			}}}}
			s.Answers = func(ctx context.Context) (why error, gone bool) {
				if rest(ctx, 4*time.Second); time.Since(began) < 25*time.Second {
					return errors.New("no answer within 4s"), false
				}
				return nil, false
			}
			verdicts, _, err := s.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if v := verdicts[0]; v.Outcome != want && (want == Pass || v.Outcome == Pass) {
				t.Errorf("at %v a message: %+v", pace, v)
			}
		})
	}
}

// TestASlowSubjectIsAskedForLittleFirst: what takes many messages comes last in its turn, what
// failed is tried again before that, and what is open behind all of it.
func TestASlowSubjectIsAskedForLittleFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran []string
		passes := func(c *Trial) { ran = append(ran, c.Requirement.ID[4:]); c.Pass("") }
		s := Suite{Profile: ProfileBroker, Parallel: 1, Pace: 200 * time.Millisecond, Cases: []Case{
			{Requirement: "SSE-FORM-001", Run: func(c *Trial) { ran = append(ran, "open"); c.Unknown("so far") }},
			{Requirement: "SSE-FORM-002", Run: func(c *Trial) { ran = append(ran, "settled"); c.Settled(); c.Unknown("for good") }},
			{Requirement: "SSE-FORM-003", Run: func(c *Trial) { ran = append(ran, "late"); c.Absent("a message", "none") }},
			{Requirement: "SSE-RESUME-005", Turn: Demanding, Asks: 10000, Run: passes},
			{Requirement: "SSE-RESUME-016", Turn: Demanding, Asks: 500, Run: passes},
			{Requirement: "SSE-LIMIT-001", Turn: Demanding, Run: passes},
		}}
		if _, _, err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := "open settled late late LIMIT-001 RESUME-016 RESUME-005 open"; strings.Join(ran, " ") != want {
			t.Errorf("%q, want %q", ran, want)
		}
	})
}

// TestNoCaseGoesOnForEver: however often it is given more time, but for as long as it asked for at once.
func TestNoCaseGoesOnForEver(t *testing.T) {
	t.Parallel()
	for asked, most := range map[time.Duration]time.Duration{0: lastLimit + time.Minute, time.Hour: time.Hour + lastLimit + time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			s := Suite{Profile: ProfileBroker, Once: true, Cases: []Case{{Requirement: "SSE-FORM-001", Run: func(c *Trial) {
				c.Allow(asked)
				rest(c.Context(), asked)
				for c.Context().Err() == nil {
					c.Allow(10 * time.Second)
					rest(c.Context(), 10*time.Second)
				}
				c.Give()
			}}}}
			verdicts, _, err := s.Run(t.Context())
			if err != nil || verdicts[0].Outcome != Unknown {
				t.Errorf("%+v, %v", verdicts, err)
			}
			if took := time.Since(began); took < asked || took > most {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestWhatArrivesLateIsJudgedForABoundedTime: however quickly it is taken.
func TestWhatArrivesLateIsJudgedForABoundedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := Suite{Profile: ProfileBroker, Pace: time.Millisecond, Delay: 2 * time.Second, Cases: []Case{{Requirement: "SSE-FORM-001", Run: func(c *Trial) {
			for c.Context().Err() == nil {
				c.Allow(0)
				rest(c.Context(), time.Second)
			}
			c.Give()
		}}}}
		verdicts, _, err := s.Run(t.Context())
		if err != nil || verdicts[0].Outcome != Unknown || verdicts[0].Reason != "not judged within 2m30s: messages take 2s to arrive" {
			t.Errorf("%+v, %v", verdicts, err)
		}
		if took := time.Since(began); took > lateLimit+time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}
