package mutant_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

func TestABoundedMutantIsNamedWithItsLimit(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"late-above-100": "As soon as more than 100 subscribers have received something, every message takes two seconds.",
		"full-after-7":   "After 7 messages every publish is refused.",
		"late-above-N":   "", "late-above-": "", "late-above--1": "", "full-after-1x": "",
	} {
		m, ok := mutant.ByName(name)
		if ok != (want != "") || m.Bug != want {
			t.Errorf("%s: %q, %v", name, m.Bug, ok)
		}
		if ok && (m.Name != name || m.Broker == nil || len(m.Kills) == 0) {
			t.Errorf("%s is %+v", name, m)
		}
	}
}

func TestAFullBrokerRefusesWhatComesAfterItsLimit(t *testing.T) {
	t.Parallel()
	m, _ := mutant.ByName("full-after-2")
	var c broker.Config
	m.Broker(&c)
	handler := c.Tamper.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusInsufficientStorage} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/publish?stream=a", http.NoBody))
		if answer.Code != want {
			t.Errorf("publish %d: %d, want %d", i+1, answer.Code, want)
		}
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/events?stream=a", http.NoBody))
	if answer.Code != http.StatusOK {
		t.Errorf("a subscription: %d", answer.Code)
	}
}

func TestUpToItsLimitALateBrokerIsOnTime(t *testing.T) {
	t.Parallel()
	m, _ := mutant.ByName("late-above-2")
	var c broker.Config
	m.Broker(&c)
	first, second := new(broker.Subscriber), new(broker.Subscriber)
	for _, to := range []*broker.Subscriber{first, second, first, second, first} {
		if sent := c.Tamper.Deliver(to, broker.Event{Data: []byte("x")}); len(sent) != 1 {
			t.Fatalf("%d events went out at once, want 1", len(sent))
		}
	}
}
