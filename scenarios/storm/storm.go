// Package storm simulates what follows when all clients of a server lose their connections at once: attempts, refusals and retries, event
// by event in virtual time, with the very policies that the reference client follows. Ten million clients fit into one process, because a
// client that waits is eight bytes.
//
// The server is one queue. It takes connections at a steady rate, in the order they came; a connection that finds the queue full is
// refused at once. A client that has waited for its timeout goes away and tries again later, but its place in the queue stays taken: the server
// finds out when its turn comes, as one that accepts from a backlog does.
package storm

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// Config is a storm. Times are virtual.
type Config struct {
	Clients int
	Policy  *policy.Policy
	Seed    uint64
	Over    time.Duration // clients lose their connections evenly over this time; 0: all at once
	Down    time.Duration // how long the server refuses everybody, from the first loss on
	Accept  float64       // connections that the server takes per second
	Queue   int           // connections that can wait for that, besides the one that is being taken
	Timeout time.Duration // after which an attempt is given up
	Trip    time.Duration // round trip between client and server

	Retry      time.Duration // retry: field that the server sent before the loss; 0: none
	RetryAfter time.Duration // that a refusal asks for; 0: connections are refused without a word

	Until    time.Duration // the storm is watched no longer than this
	Attempts uint64        // nor for more attempts than these

	Interrupted func() bool // asked now and then: whether to stop here; nil: never
}

// Result is what became of a storm. Times count from the first loss.
type Result struct {
	Recovered int           // clients that were connected again at the end
	Attempts  uint64        // connections that were tried
	Refused   uint64        // attempts that found the queue full or the server down
	TimedOut  uint64        // attempts that were given up in the queue
	Wasted    uint64        // turns of the server that went to clients which had gone
	Most      int           // attempts of the client that needed most
	End       time.Duration // when the last of them was
	Watched   time.Duration // until when everything is known
	Cut       bool          // it was interrupted
	Stopped   string        // why it was watched no longer; "" when everybody was back
	Seconds   []Second      // from the first loss on

	times []time.Duration // when the n-th share came back, as shares has it
}

// Second is what happened in one second of a storm.
type Second struct {
	Attempts  uint32
	Refused   uint32
	TimedOut  uint32 // attempts given up
	Connected uint32 // clients that came back
}

// shares of the clients whose recovery is noted.
var shares = []float64{0.5, 0.9, 0.99, 1}

// Recovery is when a share of all clients, one of 0.5, 0.9, 0.99 and 1, was connected again; false when they never were.
func (r *Result) Recovery(share float64) (time.Duration, bool) {
	for i, s := range shares {
		if s == share && i < len(r.times) {
			return r.times[i], true
		}
	}
	return 0, false
}

// Peak is the second with most attempts.
func (r *Result) Peak() (second int, attempts uint32) {
	for i := range r.Seconds {
		if n := r.Seconds[i].Attempts; n > attempts {
			second, attempts = i, n
		}
	}
	return second, attempts
}

// MaxClients is how many clients one storm can have.
const MaxClients = 100_000_000

// Check says what is wrong with a configuration.
func (c *Config) Check() error {
	var problems []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	want(c.Clients > 0 && c.Clients <= MaxClients, "clients is %d, want 1 to %d", c.Clients, MaxClients)
	want(c.Accept > 0 && c.Accept <= 1e9, "the accept rate is %g/s, want more than 0", c.Accept)
	want(c.Queue > 0, "the queue is %d long, want at least 1", c.Queue)
	want(c.Timeout > c.Trip, "the timeout is %v, want more than the round trip of %v", c.Timeout, c.Trip)
	want(c.Until > 0, "the storm is watched for %v, want more than 0", c.Until)
	want(c.Over >= 0 && c.Down >= 0 && c.Trip >= 0 && c.Retry >= 0 && c.RetryAfter >= 0, "a time is below 0")
	if low, high := c.Policy.Bounds(0, c.Retry); high == 0 {
		want(c.Trip > 0, "the policy waits for nothing and the round trip is %v, so that a refused client tries again at once for ever: want a round trip above 0", low)
	}
	return errors.Join(problems...)
}

// Run lets the storm pass. The configuration must have passed Check.
func Run(c Config) *Result {
	s := simulation{Config: c, delays: newDelays(&c), service: float64(time.Second) / c.Accept, waiting: newCalendar()}
	for i := range c.Clients {
		lost := time.Duration(0)
		if c.Over > 0 {
			lost = time.Duration(float64(c.Over) * float64(i) / float64(c.Clients))
		}
		s.retry(attempt{client: uint32(i)}, lost, 0)
	}
	s.result.Watched = s.run()
	s.result.End = s.last
	return &s.result
}

// simulation is a storm on its way. Its clock is the server's: an attempt stands for the moment it arrives there.
type simulation struct {
	Config
	delays  delays
	service float64 // nanoseconds that one connection takes
	waiting *calendar
	free    float64 // when the server will have taken all that it has accepted
	result  Result
	last    time.Duration // when the last client came back
}

// attempt is a client's next one. Number counts those before it, since it lost its connection.
type attempt struct {
	client uint32
	number int
}

// run returns until when the storm was watched.
func (s *simulation) run() time.Duration {
	for n := 0; ; n++ {
		at, a, there := s.waiting.next()
		switch {
		case !there && s.result.Stopped == "":
			return s.last
		case !there, at > s.Until:
			s.late()
			return s.Until
		case s.result.Attempts >= s.Attempts:
			s.result.Stopped = fmt.Sprintf("watched for %d attempts, until %v", s.Attempts, at.Round(time.Millisecond))
			return at
		case n%askEvery == 0 && s.Interrupted != nil && s.Interrupted():
			s.result.Cut, s.result.Stopped = true, fmt.Sprintf("interrupted at %v", at.Round(time.Millisecond))
			return at
		}
		s.arrive(at, a)
	}
}

// askEvery is after how many attempts it is asked whether to stop.
const askEvery = 1 << 16

// late notes that something happens after the storm is watched.
func (s *simulation) late() { s.result.Stopped = fmt.Sprintf("watched for %v", s.Until) }

// arrive is an attempt at the server's door.
func (s *simulation) arrive(at time.Duration, a attempt) {
	s.result.Attempts++
	s.result.Most = max(s.result.Most, a.number+1)
	s.second(at-s.Trip/2).Attempts++
	now := float64(at)
	begun := max(s.free, now)
	switch {
	case at < s.Down, math.Ceil((begun-now)/s.service) > float64(s.Queue):
		s.result.Refused++
		s.second(at).Refused++
		a.number++
		s.retry(a, at+s.Trip/2, s.RetryAfter)
		return
	}
	s.free = begun + s.service
	connected := time.Duration(s.free) + s.Trip/2
	if given := at - s.Trip/2 + s.Timeout; connected > given {
		s.result.TimedOut++
		s.result.Wasted++
		s.second(given).TimedOut++
		a.number++
		s.retry(a, given, 0)
		return
	}
	s.connect(connected)
}

func (s *simulation) connect(at time.Duration) {
	if at > s.Until {
		s.late()
		return
	}
	s.result.Recovered++
	s.second(at).Connected++
	s.last = at
	for len(s.result.times) < len(shares) && s.result.Recovered >= int(math.Ceil(shares[len(s.result.times)]*float64(s.Clients))) {
		s.result.times = append(s.result.times, at)
	}
}

// retry has a client wait that lost its connection, or its attempt, at a time, and that was asked to stay away for a while.
func (s *simulation) retry(a attempt, lost, asked time.Duration) {
	delay := max(s.delays.draw(a), asked)
	if delay > math.MaxInt64-lost-s.Trip {
		delay = math.MaxInt64 - lost - s.Trip // for ever
	}
	s.waiting.add(lost+delay+s.Trip/2, a)
}

// second is what is counted of the second that a time lies in.
func (s *simulation) second(at time.Duration) *Second {
	i := int(min(max(at, 0), s.Until) / time.Second)
	for len(s.result.Seconds) <= i {
		s.result.Seconds = append(s.result.Seconds, Second{})
	}
	return &s.result.Seconds[i]
}
