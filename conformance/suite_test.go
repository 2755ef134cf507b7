package conformance

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// decide runs one case for a requirement and returns its verdict.
func decide(t *testing.T, id string, run func(*Trial)) Verdict {
	t.Helper()
	s := Suite{Cases: []Case{{Requirement: id, Run: run}}, Profile: ProfileBroker}
	verdicts, _, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != 1 {
		t.Fatalf("%d verdicts", len(verdicts))
	}
	return verdicts[0]
}

const must, should = "SSE-FORM-001", "SSE-FORM-010"

func TestACaseThatSaysNothingIsUnknown(t *testing.T) {
	t.Parallel()
	if v := decide(t, must, func(*Trial) {}); v.Outcome != Unknown || v.Reason == "" || v.Checked != 0 {
		t.Errorf("%+v", v)
	}
}

func TestACaseThatPanicsIsUnknown(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(*Trial){
		"itself": func(*Trial) { panic("index out of range") },
		"beside": func(c *Trial) { c.Go(func() { panic("index out of range") }); <-c.Context().Done() },
		"wrong parameter": func(c *Trial) {
			c.Number("no such parameter")
			c.Pass("")
		},
	} {
		if v := decide(t, must, run); v.Outcome != Unknown || !strings.Contains(v.Reason, "the case itself failed") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestTheFirstVerdictCounts(t *testing.T) {
	t.Parallel()
	v := decide(t, must, func(c *Trial) {
		c.Cleanup(func() { c.Pass("too late") })
		c.Fail("a", "b")
	})
	if v.Outcome != Fail || v.Actual != "b" {
		t.Errorf("%+v", v)
	}
}

func TestAVerdictBesideTheCaseEndsIt(t *testing.T) {
	t.Parallel()
	v := decide(t, must, func(c *Trial) {
		c.Go(func() { c.Fail("order", "disorder") })
		<-c.Context().Done()
	})
	if v.Outcome != Fail {
		t.Errorf("%+v", v)
	}
}

func TestTheLimitMakesUnknownAndSaysWhatWasAwaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		v := decide(t, must, func(c *Trial) {
			c.Doing("the moon is awaited")
			<-c.Context().Done()
			c.Give()
		})
		if v.Outcome != Unknown || !strings.Contains(v.Reason, "limit while the moon is awaited") {
			t.Errorf("%+v", v)
		}
		if took := time.Since(began); took != 2*defaultLimit {
			t.Errorf("two attempts took %v", took)
		}
	})
}

func TestACaseThatHangsDoesNotHangTheCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		v := decide(t, must, func(*Trial) { <-release })
		close(release)
		if v.Outcome != Unknown {
			t.Errorf("%+v", v)
		}
	})
}

func TestAllowExtendsTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := decide(t, must, func(c *Trial) {
			c.Allow(time.Hour)
			time.Sleep(time.Hour)
			c.Pass("after an hour")
		})
		if v.Outcome != Pass {
			t.Errorf("%+v", v)
		}
	})
}

func TestWhatIsUnknownIsTriedAgainAndBothAttemptsAreShown(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int32
	v := decide(t, must, func(c *Trial) {
		if attempts.Add(1) == 1 {
			c.Unknown("the line was busy")
		}
		c.Fail("a", "b")
	})
	if v.Outcome != Fail || !strings.Contains(v.Reason, "the line was busy") || attempts.Load() != 2 {
		t.Errorf("%d attempts: %+v", attempts.Load(), v)
	}
}

func TestAMissIsWhatItsLevelMakesOfIt(t *testing.T) {
	t.Parallel()
	miss := func(c *Trial) { c.Fail("a", "b", []string{"bytes"}) }
	if v := decide(t, must, miss); v.Outcome != Fail || v.Expected != "a" || len(v.Findings) != 1 || v.Findings[0].Evidence[0] != "bytes" {
		t.Errorf("MUST: %+v", v)
	}
	if v := decide(t, should, miss); v.Outcome != Warn {
		t.Errorf("SHOULD: %+v", v)
	}
}

func TestConcludeTakesTheWorst(t *testing.T) {
	t.Parallel()
	v := decide(t, must, func(c *Trial) {
		c.Tolerated("a", "odd")
		c.Deviation("b", "wrong")
		c.Tolerated("c", "odd again")
		c.Conclude("well")
	})
	if v.Outcome != Fail || len(v.Findings) != 3 || !strings.HasPrefix(v.Actual, "3 deviations") {
		t.Errorf("%+v", v)
	}
	if v := decide(t, must, func(c *Trial) { c.Count(7); c.Conclude("well") }); v.Outcome != Pass || v.Checked != 7 || v.Actual != "well" {
		t.Errorf("%+v", v)
	}
}

// TestABreachOfItsOwnPromiseFails: what a subject declares it must keep, where a case asks for no more than a SHOULD of others.
func TestABreachOfItsOwnPromiseFails(t *testing.T) {
	t.Parallel()
	const id = "SSE-RECON-011" // a SHOULD
	for name, test := range map[string]struct {
		note  func(*Trial)
		want  Outcome
		level Level
	}{
		"deviation":            {func(t *Trial) { t.Deviation("a", "b") }, Warn, Should},
		"breach":               {func(t *Trial) { t.Breach("a", "b") }, Fail, Must},
		"breach and tolerated": {func(t *Trial) { t.Breach("a", "b"); t.Tolerated("c", "d") }, Fail, Must},
	} {
		s := Suite{Profile: ProfileSDK, Once: true, Cases: []Case{{Requirement: id, Run: func(t *Trial) { test.note(t); t.Conclude("") }}}}
		verdicts, _, err := s.Run(t.Context())
		if err != nil || len(verdicts) != 1 {
			t.Fatalf("%s: %v, %v", name, verdicts, err)
		}
		if v := verdicts[0]; v.Outcome != test.want || v.Level != test.level {
			t.Errorf("%s: %v, %s; want %v, %s", name, v.Outcome, v.Level, test.want, test.level)
		}
	}
}

func TestTheFirstClassThatHoldsDecides(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		holds [3]bool
		want  Outcome
	}{
		{[3]bool{true, true, true}, Pass}, {[3]bool{false, true, true}, Info}, {[3]bool{false, false, true}, Warn}, {[3]bool{}, Fail},
	} {
		v := decide(t, must, func(c *Trial) {
			c.Classify("seen", nil, Class{Pass, "a", test.holds[0]}, Class{Info, "b", test.holds[1]}, Class{Warn, "c", test.holds[2]})
			c.Conclude("seen")
		})
		if v.Outcome != test.want {
			t.Errorf("%v: %v, want %v", test.holds, v.Outcome, test.want)
		}
		if test.want == Fail && v.Expected != "a; b (info); c (warn)" {
			t.Errorf("expected %q", v.Expected)
		}
	}
}

func TestParametersComeFromTheUserFirst(t *testing.T) {
	t.Parallel()
	const id = "SSE-HBS-001"
	var got time.Duration
	s := Suite{
		Profile: ProfileServer,
		Cases:   []Case{{Requirement: id, Run: func(c *Trial) { got = c.Duration("silence"); c.Pass("") }}},
	}
	for want, value := range map[time.Duration]string{15 * time.Second: "", 2 * time.Second: "2s"} {
		s.Parameter = func(_, name string) (string, bool) { return value, value != "" && name == "silence" }
		if _, _, err := s.Run(t.Context()); err != nil || got != want {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	s.Parameter = func(string, string) (string, bool) { return "soon", true }
	verdicts, _, err := s.Run(t.Context())
	if err != nil || verdicts[0].Outcome != Unknown || !strings.Contains(verdicts[0].Reason, `"soon"`) {
		t.Errorf("%+v, %v", verdicts, err)
	}
}

func TestMissingAccessIsASkipWithItsReason(t *testing.T) {
	t.Parallel()
	s := Suite{
		Profile: ProfileServer, Cases: []Case{{Requirement: must, Run: func(c *Trial) { c.Fail("", "") }}},
		Lacks: func(*Requirement) string { return "needs a key" },
	}
	verdicts, _, err := s.Run(t.Context())
	if err != nil || verdicts[0].Outcome != Skip || verdicts[0].Reason != "needs a key" {
		t.Errorf("%+v, %v", verdicts, err)
	}
}

func TestCasesAloneRunAfterTheOthersAndByThemselves(t *testing.T) {
	t.Parallel()
	var running, together, finished atomic.Int32
	run := func(c *Trial) {
		together.Store(max(together.Load(), running.Add(1)))
		time.Sleep(time.Second)
		running.Add(-1)
		finished.Add(1)
		c.Pass("")
	}
	alone := func(c *Trial) {
		if running.Load() != 0 || finished.Load() < 3 {
			c.Fail("nothing beside it", "something")
		}
		c.Pass("")
	}
	synctest.Test(t, func(t *testing.T) {
		s := Suite{Profile: ProfileBroker, Parallel: 2, Cases: []Case{
			{Requirement: "SSE-FORM-001", Turn: Demanding, Run: alone}, {Requirement: "SSE-FORM-002", Run: run}, {Requirement: "SSE-FORM-003", Run: run},
			{Requirement: "SSE-FORM-004", Run: run}, {Requirement: "SSE-FORM-005", Turn: Demanding, Run: alone},
		}}
		verdicts, _, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range verdicts {
			if v.Outcome != Pass || i > 0 && v.ID < verdicts[i-1].ID {
				t.Errorf("%+v", v)
			}
		}
		if together.Load() != 2 {
			t.Errorf("%d cases at once, want 2", together.Load())
		}
	})
}

func TestAnInterruptLeavesWhatWasNotJudgedUnknown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := Suite{Profile: ProfileBroker, Parallel: 1, Cases: []Case{
		{Requirement: "SSE-FORM-001", Run: func(c *Trial) { c.Pass("") }},
		{Requirement: "SSE-FORM-002", Turn: Demanding, Run: func(c *Trial) { cancel(); <-c.Context().Done(); c.Give() }},
		{Requirement: "SSE-FORM-003", Turn: Demanding, Run: func(c *Trial) { <-c.Context().Done(); c.Give() }},
	}}
	verdicts, _, err := s.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if verdicts[0].Outcome != Pass || verdicts[1].Outcome != Unknown || verdicts[2].Outcome != Unknown ||
		!strings.Contains(verdicts[2].Reason, "interrupted") {
		t.Errorf("%+v", verdicts)
	}
}

func TestACaseForNothingOrTwiceIsAnError(t *testing.T) {
	t.Parallel()
	run := func(c *Trial) { c.Pass("") }
	for _, cases := range [][]Case{
		{{Requirement: "SSE-FORM-999", Run: run}},
		{{Requirement: must, Run: run}, {Requirement: must, Run: run}},
	} {
		s := Suite{Cases: cases, Profile: ProfileBroker}
		if _, _, err := s.Run(t.Context()); err == nil {
			t.Errorf("%v: no error", cases)
		}
	}
}

func TestLatenessOfOurOwnIsNotTheSubjects(t *testing.T) {
	t.Parallel()
	for late, want := range map[time.Duration]Outcome{0: Fail, 110 * time.Millisecond: Fail, 490 * time.Millisecond: Fail, 510 * time.Millisecond: Unknown} {
		v := decide(t, must, func(c *Trial) {
			c.pulse = &pulse{first: c.began}
			c.pulse.note(time.Now(), late)
			c.Late(time.Second, "in time", "late")
		})
		if v.Outcome != want {
			t.Errorf("%v late ourselves: %v, want %v", late, v.Outcome, want)
		}
	}
}

// TestAPassOverSamplesSaysWhatWouldHaveShown, and a failure does not.
func TestAPassOverSamplesSaysWhatWouldHaveShown(t *testing.T) {
	t.Parallel()
	v := decide(t, must, func(c *Trial) { c.Sample(12_000, "delivery"); c.Pass("none") })
	if v.Power == nil || v.Power.String() != "> 1 in 4,006 would show (95%)" || v.Checked != 12_000 {
		t.Errorf("%+v, %v", v, v.Power)
	}
	if v := decide(t, must, func(c *Trial) { c.Sample(12_000, "delivery"); c.Fail("none", "one") }); v.Power != nil {
		t.Errorf("a failure with %v", v.Power)
	}
}
