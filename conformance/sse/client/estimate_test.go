package client

import (
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

func TestFixedTimesMakeACheckLonger(t *testing.T) {
	t.Parallel()
	hello := func(base, silence float64, caps ...string) subject.Hello {
		return subject.Hello{Caps: caps, Policy: &subject.Policy{Backoff: &subject.Delay{BaseMS: base, Factor: 2, CapMS: 30 * base, SilenceMS: silence}}}
	}
	var o Options
	quick := o.Takes(Cases, hello(20, 0, "multi", "retry"))
	told := o.Takes(Cases, hello(1000, 0, "multi", "retry"))
	slow := o.Takes(Cases, hello(1000, 0, "multi"))
	alone := o.Takes(Cases, hello(1000, 0))
	silent := o.Takes(Cases, hello(1000, 300000, "multi", "retry"))
	// 1, 2, 4, 8, 16 and then three times 30 seconds are what the cap takes.
	if least := 121 * time.Second; slow < least || quick > slow/2 || alone < 2*slow {
		t.Errorf("%v with a base of 20 ms, %v with one of 1 s, %v when it follows one stream at a time; want at least %v for the second", quick, slow, alone, least)
	}
	if most := time.Minute; told > most {
		t.Errorf("%v when it can be told its first delay, want at most %v", told, most)
	}
	if silent < 5*time.Minute {
		t.Errorf("%v when a silence of five minutes is to be noticed, want at least that", silent)
	}
	o.Only = []string{"SSE-RECON-010"}
	if got, most := o.Takes(Cases, hello(20, 0, "multi", "retry")), 5*time.Second; got > most {
		t.Errorf("%v for one case, want at most %v", got, most)
	}
}

func TestWhatTakesLongIsAboutRequirements(t *testing.T) {
	t.Parallel()
	requirements, err := conformance.Requirements()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range requirements {
		known[r.ID] = true
	}
	for id := range takes {
		if !known[id] {
			t.Errorf("%s is no requirement", id)
		}
	}
}
