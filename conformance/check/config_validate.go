package check

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// What a judge makes room for. A plan that a scenario describes is far below that; a config that comes with a history may say anything.
const (
	maxLedgers       = 10_000_000 // publishers of all streams
	maxSubscriptions = 1 << 25    // of subscribers to publishers
	maxSubscribers   = 10_000_000
	maxPublishers    = 1_000 // of one stream
)

// Validate says what of it no run can have.
func (c *Config) Validate() error {
	if err := c.validatePublishers(); err != nil {
		return err
	}
	if err := c.validateSubscribers(); err != nil {
		return err
	}
	if c.Duration < 0 || c.Duration > history.MaxTime {
		return fmt.Errorf("duration is %d ns, want 0 to ten years", c.Duration)
	}
	for i, s := range c.Steps {
		if s.At < 0 || s.At > history.MaxTime || s.Subscribers < 0 {
			return fmt.Errorf("steps: %d: at is %d ns and subscribers %d, want 0 or more", i, s.At, s.Subscribers)
		}
	}
	if c.Target.Events < 0 || c.Target.Age < 0 || c.Target.Age > history.MaxTime {
		return fmt.Errorf("target: events is %d and age %d ns, want 0 or more", c.Target.Events, c.Target.Age)
	}
	return c.Expect.validate()
}

// Memory is about how many bytes a judge takes before it has seen anything.
func (c *Config) Memory() int64 {
	const perPublisher, perSubscriber, perFollowed = 170, 184, 48
	n := int64(len(c.Subscribers)) * perSubscriber
	for stream := range c.Streams {
		n += int64(c.PublishersOf(stream)) * perPublisher
	}
	for i := range c.Subscribers {
		for _, stream := range c.Subscribers[i].Streams {
			n += int64(c.PublishersOf(int(stream))) * perFollowed
		}
	}
	return n
}

func (c *Config) validatePublishers() error {
	if len(c.Publishers) > len(c.Streams) {
		return fmt.Errorf("publishers has %d entries for %s", len(c.Publishers), conformance.Plural(len(c.Streams), "stream"))
	}
	all := int64(len(c.Streams) - len(c.Publishers))
	for stream, n := range c.Publishers {
		if n < 0 || n > maxPublishers {
			return fmt.Errorf("publishers: %d publish to stream %d, want 0 to %d", n, stream, maxPublishers)
		}
		all += int64(n)
	}
	if all > maxLedgers {
		return fmt.Errorf("publishers: %d in all, want at most %d", all, maxLedgers)
	}
	return nil
}

func (c *Config) validateSubscribers() error {
	if c.First < 0 || int64(c.First)+int64(len(c.Subscribers)) > maxSubscribers {
		return fmt.Errorf("%s from %d on, want at most %d", conformance.Plural(len(c.Subscribers), "subscriber"), c.First, maxSubscribers)
	}
	var all int64
	followed := make([]int, len(c.Streams)) // by which subscriber last, from 1
	for i := range c.Subscribers {
		for _, stream := range c.Subscribers[i].Streams {
			if stream < 0 || int(stream) >= len(c.Streams) {
				return fmt.Errorf("subscribers: %d follows stream %d, want 0 to %d", i, stream, len(c.Streams)-1)
			}
			if followed[stream] == i+1 {
				return fmt.Errorf("subscribers: %d follows stream %d twice", i, stream)
			}
			followed[stream] = i + 1
			if all += int64(c.PublishersOf(int(stream))); all > maxSubscriptions {
				return fmt.Errorf("subscribers: they follow more than %s in all", conformance.Plural(maxSubscriptions, "publisher"))
			}
		}
	}
	return nil
}

func (e *Expect) validate() error {
	for name, list := range map[string][]Quantile{
		"latency": e.Latency, "calm": e.Calm, "first_event": e.FirstEvent, "connect": e.Connect, "resume_gap": e.ResumeGap, "fan_out_spread": e.Spread,
	} {
		for _, q := range list {
			if !(q.Percent > 0 && q.Percent <= 100) || q.AtMost < 0 {
				return fmt.Errorf("expect: %s: %v%% within %d ns, want above 0%% up to 100%%, and 0 or more", name, q.Percent, q.AtMost)
			}
		}
	}
	for name, d := range map[string]time.Duration{"stalled": e.Stalled, "reconnect_within": e.Within, "heartbeat": e.Heartbeat, "expiry": e.Expiry} {
		if d < 0 || d > history.MaxTime {
			return fmt.Errorf("expect: %s is %d ns, want 0 to ten years", name, d)
		}
	}
	return nil
}
