package run

import (
	"context"
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

const (
	vigilEvery = 250 * time.Millisecond
	// goneAfter is how long nothing may listen at the target's address before it has died; one that is started again at once has not.
	goneAfter = 2 * time.Second
	// muteAfter is how long requests may wait without any of them being answered and any message coming, before it is asked whether the
	// target still answers at all, and muteLonger how long that question waits.
	muteAfter  = 5 * time.Second
	muteLonger = 4 * time.Second
	// backWithin is what a target gets to come back in after a fault that took it away on purpose.
	backWithin = 10 * time.Second
	// lateHarness is a lateness of our own timers at which nothing is made of silence.
	lateHarness = time.Second
)

// vigil watches whether the target still answers. It returns true as soon as it does not, and false when the load ends.
func (e *engine) vigil(load context.Context) (died bool) {
	v := vigil{engine: e, signs: e.status.signs()}
	for e.clock.sleep(e.clock.now()+vigilEvery, load.Done()) {
		if seen := v.look(load); seen != "" && load.Err() == nil {
			e.observe(&history.Observation{At: v.last, Kind: history.Death, Subscriber: -1, Text: v.during, Data: seen})
			return true
		}
	}
	return false
}

// vigil is what was seen of the target by its last sign of life.
type vigil struct {
	engine   *engine
	signs    uint64
	last     time.Duration // the last sign of life
	during   string        // what went on right after it
	stood    time.Duration // when a stream was last open
	turned   uint64        // connections that nobody took, by then
	lastAway time.Duration // when a fault last took the target away on purpose
}

// look says how it shows that the target is dead, "" while it is not or nobody knows.
func (v *vigil) look(ctx context.Context) (dead string) {
	e, now := v.engine, v.engine.clock.now()
	signs, turned := e.status.signs(), e.status.turnedOff.Load()
	away := e.away.Load() > 0
	if away {
		v.lastAway = now
	}
	refused := turned > v.turned
	if e.status.connected.Load() > 0 {
		v.stood = now
	}
	switch {
	case signs != v.signs, away, e.watch.lately() > lateHarness, e.status.pending.Load() == 0 && !refused:
		v.signs, v.turned, v.last, v.during = signs, turned, now, ""
		return ""
	case v.during == "":
		v.during = e.going()
	case v.lastAway > 0 && now < v.lastAway+backWithin:
		return ""
	case refused && now-v.last >= goneAfter:
		return v.gone(ctx)
	case now-v.last >= muteAfter:
		return v.mute(ctx)
	}
	return ""
}

// going is what the run is doing.
func (e *engine) going() string {
	if f := e.status.fault.Load(); f != nil && *f != "" {
		return "step " + *f + " ran"
	}
	return "the phase " + *e.status.phase.Load() + " ran"
}

// gone asks whether anybody listens.
func (v *vigil) gone(ctx context.Context) string {
	address, err := v.address(ctx)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, muteLonger)
	defer cancel()
	conn, err := v.engine.dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close() // somebody does
		return ""
	}
	if v.stood > 0 {
		v.last = min(v.last, v.stood)
	}
	return fmt.Sprintf("nothing has listened for %v: %v", (v.engine.clock.now() - v.last).Round(100*time.Millisecond), err)
}

// mute asks for one more stream, on which nobody else is.
func (v *vigil) mute(ctx context.Context) string {
	e := v.engine
	req, err := e.subscribeTo(ctx, []string{e.plan.Streams[0] + "-look"}, e.plan.Subscribers[0].Index, "")
	if err != nil {
		return ""
	}
	options := e.clientConfig().Options
	options.DialTimeout, options.HeadTimeout = muteLonger, muteLonger
	stream, err := sse.Open(ctx, nil, req, options)
	if err == nil {
		_ = stream.Close() // it answers
	}
	if err == nil || sse.CauseOf(err).Own() || e.held || e.status.signs() != v.signs {
		v.last = e.clock.now() // silence for some other reason, which is for the judge
		return ""
	}
	return fmt.Sprintf("for %v no request was answered and no message came, and then: %v", (e.clock.now() - v.last).Round(100*time.Millisecond), err)
}

// address is where the target listens, "host:port".
func (v *vigil) address(ctx context.Context) (string, error) {
	req, err := v.engine.subscribeTo(ctx, []string{v.engine.plan.Streams[0]}, v.engine.plan.Subscribers[0].Index, "")
	if err != nil {
		return "", err
	}
	return sse.HostPort(req.URL), nil
}
