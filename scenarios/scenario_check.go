package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MinPayload is the least size of a payload in bytes: what the token by which a message is recognised can take.
const MinPayload = 160

// MinJSONPayload is the least size of a payload that is a JSON object around the token.
const MinJSONPayload = 320

// combination is a check of keys against each other. It is left out when one of them is wrong by itself.
type combination[T any] struct {
	keys  []string
	check func(*reader, *T)
}

var scenarioCombinations = []combination[Scenario]{
	{[]string{"load.ramp", "duration"}, checkRamp},
	{[]string{"load.follow", "load.streams"}, checkFollow},
	{[]string{"load.groups", "load.subscribers", "load.follow", "load.streams"}, checkGroups},
	{[]string{"load.publish"}, checkPayload},
	{[]string{"load.publish", "load.streams"}, checkPublishers},
	{[]string{"load.publish", "load.streams", "load.subscribers", "load.follow"}, checkSubscriptions},
	{[]string{"load.reconnect"}, checkPolicy},
	{[]string{"load.heartbeat_timeout", "load.time_scale", "broker"}, checkBroker},
	{[]string{"duration"}, checkTimeline},
	{[]string{"load.publish"}, checkNothingPublished},
	{[]string{"timeline", "load.return_on", "load.token_life", "load.slow", "broker.session", "expect.delivery"}, checkLosses},
	{[]string{"timeline", "load.slow", "expect.bystanders"}, checkDisturbed},
	{[]string{"expect.delivery", "expect.schemas"}, checkSchemas},
	{[]string{"needs"}, func(r *reader, s *Scenario) { repeated(r, "needs", s.Needs) }},
	{[]string{"load.groups"}, func(r *reader, s *Scenario) { repeated(r, "load.groups", s.Load.Groups) }},
	{[]string{"expect.delivery"}, func(r *reader, s *Scenario) { repeated(r, "expect.delivery", s.Expect.Delivery) }},
}

// combine runs the checks whose keys are right by themselves.
func combine[T any](r *reader, value *T, all []combination[T]) {
	wrong := slices.Clone(r.problems)
	for _, c := range all {
		if !slices.ContainsFunc(c.keys, func(key string) bool { return concerns(wrong, key) }) {
			c.check(r, value)
		}
	}
}

// concerns says whether one of the problems is with the key, with what is in it or with what it is in.
func concerns(problems []Problem, key string) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool {
		return p.Key == key || p.Key == "" || strings.HasPrefix(p.Key, key+".") || strings.HasPrefix(key, p.Key+".")
	})
}

func checkRamp(r *reader, s *Scenario) {
	ramp := &s.Load.Ramp
	switch {
	case ramp.Arrivals == AtOnce && ramp.Over > 0:
		r.at("load.ramp.over", "says that arrivals take "+ramp.Over.String()+", but arrivals is at-once", "remove one of the two")
	case ramp.Over >= s.Duration:
		r.at("load.ramp.over", fmt.Sprintf("is %v, but the whole run lasts %v", ramp.Over, s.Duration), "make duration longer than the ramp")
	}
}

func checkFollow(r *reader, s *Scenario) {
	if load := &s.Load; load.Follow > load.Streams {
		r.at("load.follow", fmt.Sprintf("is %d, but there are %d streams", load.Follow, load.Streams), "write all to follow every stream")
	}
}

func checkGroups(r *reader, s *Scenario) {
	load := &s.Load
	if n := len(load.Groups); n > 0 && load.Subscribers*load.Follow%(load.Streams*n) != 0 {
		r.at("load.groups", fmt.Sprintf("%d subscribers that follow %d of %d streams cannot be divided among %d groups alike",
			load.Subscribers, load.Follow, load.Streams, n), "make subscribers × follow a multiple of streams × groups")
	}
}

func checkPayload(r *reader, s *Scenario) {
	publish := &s.Load.Publish
	if publish.Rate == 0 || !r.given("load.publish.size") {
		return
	}
	least := MinPayload
	if publish.Payload == PayloadJSON {
		least = MinJSONPayload
	}
	switch {
	case publish.Size < int64(least):
		r.at("load.publish.size", fmt.Sprintf("is %dB, but the token by which a message is recognised takes up to %dB", publish.Size, least),
			fmt.Sprintf("make it %dB or more", least))
	case publish.Size > maxPayload:
		r.at("load.publish.size", fmt.Sprintf("is %dB, more than %dMiB", publish.Size, maxPayload>>20), "")
	}
}

// checkPublishers bounds what numbers make together that are each within their limits.
func checkPublishers(r *reader, s *Scenario) {
	if n := s.Load.Streams * s.Load.Publish.Publishers; s.Load.Publish.Rate > 0 && n > maxStreams {
		r.at("load.publish.publishers", fmt.Sprintf("makes %d publishers on %d streams, more than %d", n, s.Load.Streams, maxStreams), "")
	}
}

// checkSubscriptions bounds what is kept of whom: without a publisher a stream counts as one.
func checkSubscriptions(r *reader, s *Scenario) {
	publishers := max(1, s.Load.Publish.Publishers)
	if n := s.Load.Subscribers * s.Load.Follow; n > maxSubscriptions/publishers {
		key := "load.subscribers"
		if s.Load.Follow > 1 {
			key = "load.follow"
		}
		r.at(key, fmt.Sprintf("makes %d subscribers that follow %d streams with %d publishers each, more than %d in all", s.Load.Subscribers, s.Load.Follow, publishers, maxSubscriptions), "")
	}
}

func checkPolicy(r *reader, s *Scenario) {
	p := &s.Load.Reconnect
	if p.Cap > 0 && p.Cap < p.Base {
		r.at("load.reconnect.cap", fmt.Sprintf("is %v, shorter than the base of %v", p.Cap, p.Base), "")
	}
	if p.Name == customPolicy && p.Jitter == 0 && r.given("load.reconnect.spread") {
		r.at("load.reconnect.spread", "says where jitter goes, but there is no jitter", "add for example jitter: 30%")
	}
}

func checkBroker(r *reader, s *Scenario) {
	timeout := time.Duration(float64(s.Load.HeartbeatTimeout) * s.Load.TimeScale)
	if timeout > 0 && s.Broker.Heartbeat > 0 && timeout <= s.Broker.Heartbeat {
		r.at("load.heartbeat_timeout", fmt.Sprintf("ends a connection after %v of silence, but the broker's heartbeat comes every %v", timeout, s.Broker.Heartbeat),
			"make it two or three heartbeats")
	}
	if s.Broker.Farewell != "" && s.Broker.Session == 0 {
		r.at("broker.farewell", "is never sent, because sessions do not end", "add for example session: 10s")
	}
}

func checkTimeline(r *reader, s *Scenario) {
	wrong := slices.Clone(r.problems)
	for i, step := range s.Timeline {
		path := "timeline." + strconv.Itoa(i)
		fault, ok := FaultByName(step.Fault)
		if !ok || concerns(wrong, path) {
			continue
		}
		for _, name := range fault.Needs {
			if !r.given(path + "." + name) {
				r.at(path, fmt.Sprintf("%s needs %s", fault.Name, name), "for example "+name+": "+stepExamples[name])
			}
		}
		allowed := slices.Concat([]string{"at", "fault"}, fault.Needs, fault.Takes)
		for _, name := range []string{"share", "for", "delay", "jitter", "read", "command"} {
			if r.given(path+"."+name) && !slices.Contains(allowed, name) {
				r.at(path+"."+name, fmt.Sprintf("means nothing to %s", fault.Name), "it takes "+strings.Join(allowed, ", "))
			}
		}
		checkStepTime(r, s, step, path)
		if step.Fault == "cut" && s.Load.Publish.Rate == 0 && !concerns(wrong, "load.publish") {
			r.at(path+".fault", "never happens, because nothing is published and no event can be cut", "add load.publish, for example {rate: 100/s}")
		}
	}
}

var stepExamples = map[string]string{"share": "30%", "for": "5s", "delay": "200ms", "read": "1KiB/s"}

func checkStepTime(r *reader, s *Scenario, step Step, path string) {
	switch {
	case step.At >= s.Duration:
		r.at(path+".at", fmt.Sprintf("is %v, but the run ends at %v", step.At, s.Duration), s.longer(step, path+".at"))
	case step.At+step.For > s.Duration:
		r.at(path+".for", fmt.Sprintf("lasts until %v, but the run ends at %v", step.At+step.For, s.Duration), "what a fault held back has to arrive before completeness is judged")
	}
	if step.Jitter > step.Delay {
		r.at(path+".jitter", fmt.Sprintf("is %v, more than the delay of %v", step.Jitter, step.Delay), "")
	}
}

// longer says what to do about steps that come when the run is over, beside the last of them.
func (s *Scenario) longer(late Step, key string) string {
	var last time.Duration
	for _, step := range s.Timeline {
		if step.At > late.At {
			return ""
		}
		last = max(last, step.At+step.For)
	}
	return fmt.Sprintf("the times of a timeline do not follow the duration: let it be more than %v, or move each step that comes too late, as with --set %s=%v", last, key, s.Duration/2)
}

// checkNothingPublished reports expectations about messages in a scenario without any.
func checkNothingPublished(r *reader, s *Scenario) {
	if s.Load.Publish.Rate > 0 {
		return
	}
	for _, name := range []string{"delivery", "schemas", "latency", "calm", "resume", "fan_out", "bystanders"} {
		if r.given("expect." + name) {
			r.at("expect."+name, "cannot be judged, because nothing is published", "add load.publish, for example {rate: 100/s}")
		}
	}
}

func checkSchemas(r *reader, s *Scenario) {
	if i := slices.Index(s.Expect.Delivery, wellFormed); i >= 0 && len(s.Expect.Schemas) == 0 {
		r.at(fmt.Sprintf("expect.delivery.%d", i), "well-formed cannot be judged, because there are no schemas", "add expect.schemas, for example {order: {type: object}}")
	}
}

// checkLosses reports expectations about coming back in a scenario in which nobody ever has to.
func checkLosses(r *reader, s *Scenario) {
	if s.loses() {
		return
	}
	const why, hint = "cannot be judged, because no connection is ever lost", "add a step to the timeline, for example {at: 10s, fault: reset, share: 30%}"
	for _, name := range []string{"reconnect", "resume"} {
		if r.given("expect." + name) {
			r.at("expect."+name, why, hint)
		}
	}
	if i := slices.Index(s.Expect.Delivery, "resumable"); i >= 0 {
		r.at(fmt.Sprintf("expect.delivery.%d", i), "resumable "+why, hint)
	}
}

// loses says whether connections end in the course of the scenario.
func (s *Scenario) loses() bool {
	if s.Load.ReturnOn != "" || s.Load.TokenLife > 0 || s.Load.Slow.Share > 0 || s.Broker.Session > 0 {
		return true
	}
	return slices.ContainsFunc(s.Timeline, func(step Step) bool {
		f, _ := FaultByName(step.Fault)
		return f.Loses || f.Name == "slow"
	})
}

func checkDisturbed(r *reader, s *Scenario) {
	if s.Expect.Bystanders != nil && s.Load.Slow.Share == 0 && len(s.Timeline) == 0 {
		r.at("expect.bystanders", "cannot be judged, because nobody is slow or disturbed", "add load.slow, for example {share: 5%, read: 1KiB/s}")
	}
	if s.Load.Slow.Share == 1 && s.Expect.Bystanders != nil {
		r.at("load.slow.share", "leaves no bystanders to judge", "make it less than 100%")
	}
}

func repeated[T comparable](r *reader, key string, values []T) {
	for i, v := range values {
		if slices.Index(values, v) < i {
			r.at(key+"."+strconv.Itoa(i), fmt.Sprintf("%v is in the list twice", v), "")
		}
	}
}
