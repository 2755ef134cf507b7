package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// room is what is known of the places that the subject has for connections. Where it does not give them back, more and more cases find none:
// that is one finding, and from then on nothing can be judged.
type room struct {
	looking sync.RWMutex // held while it is looked whether places come back: nobody else asks for one meanwhile

	mu      sync.Mutex
	open    int // streams of cases
	most    int // at once
	ended   int
	spent   string // what became of the places; "" while there are some
	answers int    // looks after which there were some
}

// placesComeBack is the requirement that tells of places that do not.
const placesComeBack = "SSE-LIMIT-003"

const (
	mostLooks    = 3                      // at a subject that gave places back: others take them, it seems
	rarestReturn = 20 * time.Second       // of places, where the declared heartbeat is rare
	lookEvery    = 250 * time.Millisecond // for a place
)

// enter counts a stream that was opened, until it is left.
func (r *room) enter(p *Tap) (leave func()) {
	if p.Status() != http.StatusOK {
		return func() {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	r.most = max(r.most, r.open)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.open--
		r.ended++
	}
}

// enough is how many connections at once show that places come back: half of what there was room for.
func (r *room) enough() int { return max(1, r.most/2) }

// short says whether there are too few connections to explain that there is no room for another one.
func (r *room) short() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open < r.enough() && r.answers < mostLooks
}

func (r *room) whySpent() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spent
}

// lost says why no stream can be opened any more, and which requirement tells of it; "" while one can.
func (s *suite) lost() (why, told string) { return s.room.whySpent(), placesComeBack }

// mustHaveRoom ends the case when there is no room for good. It waits for whoever is finding that out.
func (t *Trial) mustHaveRoom() {
	r := &t.suite.room
	if !r.looking.TryRLock() {
		t.Doing("a place is awaited that a connection had which has ended")
		t.Allow(rarestReturn)
		r.looking.RLock()
	}
	r.looking.RUnlock()
	t.hasRoom()
}

func (t *Trial) hasRoom() {
	if why := t.suite.room.whySpent(); why != "" {
		t.Settled()
		t.Unknown("%s", why)
	}
}

// seekRoom finds out, when a subscription was turned away though few connections are open, whether the places of those that have ended come
// back in time. While one case does that the others ask for none.
func (t *Trial) seekRoom(refusal *Tap) (found bool) {
	r := &t.suite.room
	within := max(t.suite.arrival, min(2*t.Subject.Heartbeat, rarestReturn))
	if !r.short() || limitsRate(refusal, within) {
		return false
	}
	r.looking.Lock()
	defer r.looking.Unlock()
	t.hasRoom()
	t.Allow(within)
	t.Doing("a place is awaited that a connection had which has ended")
	var probes []*Tap
	defer func() {
		for _, p := range probes {
			p.discard()
		}
	}()
	for end := time.Now().Add(within); r.short(); {
		p, err := t.open(t.opening([]string{t.Stream()})) // another stream, another client: who may have too many of either
		switch {
		case err != nil:
			return false
		case p.Status() == http.StatusOK:
			probes = append(probes, p)
			continue
		}
		p.discard()
		if time.Now().After(end) {
			t.spend(p, within)
		}
		t.wait(lookEvery)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers++
	return true
}

// limitsRate says whether a refusal is for how often was asked, or for longer than a place is awaited.
func limitsRate(refusal *Tap, within time.Duration) bool {
	seconds, _ := strconv.Atoi(refusal.Header("Retry-After")) // a date is rare
	if time.Duration(seconds)*time.Second > within {
		return true
	}
	for name := range refusal.Response.Header {
		if name = strings.TrimPrefix(name, "X-"); strings.HasPrefix(name, "Ratelimit") {
			return true
		}
	}
	return false
}

// spend notes that there is no room for good, and ends the case.
func (t *Trial) spend(refusal *Tap, after time.Duration) {
	r := &t.suite.room
	r.mu.Lock()
	r.spent = fmt.Sprintf("connections that end do not give their places back: where %d were open at once before, there was no room for more than %d within %v, after %s had ended; the answer is %s",
		r.most, r.open, after, conformance.Plural(r.ended, "connection"), answerText(refusal))
	r.mu.Unlock()
	t.hasRoom()
}
