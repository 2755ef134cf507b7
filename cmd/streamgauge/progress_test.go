package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/scenarios/run"
)

// timedStatus is a run of a minute in which a fault lasts from 7 s to 9 s.
func timedStatus() func() run.Status {
	start := time.Now()
	return func() run.Status {
		elapsed := time.Since(start)
		s := run.Status{
			Scenario: "network-drops", Phase: "running", Elapsed: elapsed, Total: time.Minute, Subscribers: 2000, Connected: 1990,
			Published: uint64(elapsed / time.Millisecond), Delivered: 1234567, Reconnects: 3,
		}
		if elapsed >= 7*time.Second && elapsed < 9*time.Second {
			s.Faults = "reset"
		}
		return s
	}
}

func TestPlainProgressSpeaksOnChangeAndEveryFewSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, false, false, timedStatus())
		p.Start()
		<-time.After(16*time.Second + time.Millisecond)
		p.Stop()
		const figures = " published, 1,234,567 delivered, 3 reconnects"
		want := strings.Join([]string{
			"network-drops: running, 1 s of 1m 00s, 1,990 of 2,000 connected, 1,000" + figures,
			"network-drops: running, 6 s of 1m 00s, 1,990 of 2,000 connected, 6,000" + figures,
			"network-drops: running, 7 s of 1m 00s, 1,990 of 2,000 connected, 7,000" + figures + ", fault: reset",
			"network-drops: running, 9 s of 1m 00s, 1,990 of 2,000 connected, 9,000" + figures,
			"network-drops: running, 14 s of 1m 00s, 1,990 of 2,000 connected, 14,000" + figures,
			"",
		}, "\n")
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestQuietProgressSaysNothingButWhatIsToStay(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			p := newProgress(&out, terminal, true, func() run.Status { panic("nobody may ask") })
			p.Start()
			<-time.After(time.Minute)
			p.Println("the target is gone")
			p.Stop()
			if out.String() != "the target is gone\n" {
				t.Errorf("got %q", out.String())
			}
		})
	}
}

func TestProgressStopsTwiceAndWithoutStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		p := newProgress(&bytes.Buffer{}, false, false, timedStatus())
		p.Stop()
		p.Stop()
	})
}

func TestLinesOfSeveralGoroutinesStayWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newProgress(&out, false, false, timedStatus())
	p.Start()
	var writers sync.WaitGroup
	for range 20 {
		writers.Go(func() { p.Println("whole") })
	}
	writers.Wait()
	p.Stop()
	if got := strings.Count(out.String(), "whole\n"); got != 20 {
		t.Errorf("%d whole lines of 20: %q", got, out.String())
	}
}

func TestABarNeverCompletesByItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		elapsed, total time.Duration
		want           int64
	}{
		{0, 0, 0}, {time.Second, 0, 0}, {-time.Second, time.Minute, 0}, {30 * time.Second, time.Minute, 500},
		{time.Minute, time.Minute, 999}, {time.Hour, time.Minute, 999},
	} {
		if got := barPosition(run.Status{Elapsed: c.elapsed, Total: c.total}); got != c.want {
			t.Errorf("after %s of %s: %d, want %d", c.elapsed, c.total, got, c.want)
		}
	}
}

func TestAnUnknownEndIsNotShown(t *testing.T) {
	t.Parallel()
	if got := clock(run.Status{Elapsed: 61 * time.Second}); got != "1m 01s" {
		t.Errorf("got %q", got)
	}
}
