package matrix

import (
	"context"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/hub"
)

// casesAtOnce is how many cases of one row run at once; several rows do as well.
const casesAtOnce = 12

// starter starts a subject; end gives it up.
type starter func(ctx context.Context) (s *server.Subject, end func(), err error)

// hubOf starts the reference hub, changed by wrong.
func hubOf(wrong func(*hub.Rules)) starter {
	return func(context.Context) (*server.Subject, func(), error) {
		h, err := embedded.StartHub(wrong)
		if err != nil {
			return nil, nil, err
		}
		return h.Subject(), h.Close, nil
	}
}

// parameterOf gives some parameters of requirements other values than their defaults.
type parameterOf func(requirement, name string) (value string, ok bool)

// soon is how long mutants are waited for: most of what does not come from them would not come later either. What a correct subject owes is
// waited for as long as ever.
const soon = 4 * time.Second

// judge is a judging of subjects, each started anew, by server cases.
func judge(start starter, r *Row, profile conformance.Profile, seed uint64, parameter parameterOf) func(context.Context, []string) (Judged, error) {
	patience := soon
	if r.right() {
		patience = 0
	}
	return func(ctx context.Context, columns []string) (Judged, error) {
		s, end, err := start(ctx)
		if err != nil {
			return Judged{}, err
		}
		defer end()
		verdicts, health, err := server.Check(ctx, s, server.Cases, server.Options{
			Profile: profile, Only: columns, Parallel: casesAtOnce, Seed: seed, Parameter: parameter, Once: true, Arrival: patience,
		})
		return judgedBy(verdicts, health), err
	}
}

// judgedBy is what cases said. Where the machine was too busy, what is unknown is so for that.
func judgedBy(verdicts []conformance.Verdict, health conformance.Health) Judged {
	if !health.OK {
		for i := range verdicts {
			if verdicts[i].Outcome == conformance.Unknown && !tooBusy(verdicts[i]) {
				verdicts[i].Reason += "; " + busyReason
			}
		}
	}
	return Judged{Verdicts: verdicts, Health: health}
}

// brokerOf starts the reference broker, changed by mutate, which claims some capabilities beside its own, and withholds others.
func brokerOf(mutate func(*broker.Config), claims, withholds []string) starter {
	return func(context.Context) (*server.Subject, func(), error) {
		config := embedded.Config()
		if mutate != nil {
			mutate(&config)
		}
		b, err := embedded.Start(config)
		if err != nil {
			return nil, nil, err
		}
		subject := b.Subject()
		subject.Capabilities = append(subject.Capabilities, claims...)
		embedded.Withhold(subject, withholds...)
		return subject, b.Close, nil
	}
}

// gatewayOf starts the reference gateway, changed by o, in front of an origin.
func gatewayOf(o embedded.GatewayOptions) starter {
	return func(ctx context.Context) (*server.Subject, func(), error) {
		g, err := embedded.StartGateway(context.WithoutCancel(ctx), o)
		if err != nil {
			return nil, nil, err
		}
		end := func() { _ = g.Close() } // never fails
		s, err := g.Subject()
		if err != nil {
			end()
			return nil, nil, err
		}
		return s, end, nil
	}
}

// setting gives parameters, as SSE-HTTPS-017.stream, the values of a subject's target file.
func setting(values map[string]string, others parameterOf) parameterOf {
	return func(id, name string) (string, bool) {
		if value, ok := values[id+"."+name]; ok {
			return value, true
		}
		return others(id, name)
	}
}

// shorter makes cases wait less long than they would for a server in the field: what a mutant keeps back does not come at all.
func shorter(id, name string) (string, bool) {
	value, ok := shortened[id+"."+name]
	return value, ok
}

// smaller is shorter that makes the cases with many messages or connections smaller as well, unless a mutant names them.
func smaller(named func(id string) bool) parameterOf {
	return func(id, name string) (string, bool) {
		if named(id) {
			return shorter(id, name)
		}
		value, ok := small[id+"."+name]
		if !ok && slices.Contains([]string{"RESUME", "DELIV", "ISO"}, conformance.AreaOf(id)) {
			value, ok = small[name]
		}
		if ok {
			return value, true
		}
		return shorter(id, name)
	}
}

var small = map[string]string{
	"subscribers": "6", "rate": "80", "lasting": "900ms", "away": "60ms", "messages": "20", "joins": "40", "streams": "5", "replays": "5",
	"backlog": "300", "resumes": "10",

	"SSE-LIMIT-001.largest": "200000", "SSE-FORM-012.events": "10", "SSE-FORM-013.events": "60", "SSE-FORM-014.events": "60", "SSE-HTTPS-023.streams": "20", "SSE-AUTH-012.attempts": "40", "SSE-LIMIT-003.rounds": "2", "SSE-HTTPS-028.resets": "300", "SSE-DRAIN-001.streams": "40",
	"SSE-HTTPS-020.hold": "4s", "SSE-HBS-001.lasting": "1s", "SSE-AUTH-010.life": "2s", "SSE-AUTH-010.grace": "1s",
}

var shortened = map[string]string{
	"SSE-HBS-001.ceiling": "3s", "SSE-HBS-002.ceiling": "3s", "SSE-HBS-003.ceiling": "3s", "SSE-HBS-004.ceiling": "3s", "SSE-HBS-005.hold": "3s",
	"SSE-HTTPS-003.within":    "500ms",
	"SSE-HTTPS-019.heartbeat": "1s",
	"SSE-HTTPS-020.hold":      "6s",

	"SSE-RESUME-005.subscribers": "16", "SSE-RESUME-005.rate": "200", "SSE-RESUME-005.lasting": "2s",
	"SSE-RESUME-016.backlog": "2500", "SSE-RESUME-016.replays": "12",

	"SSE-PROXY-001.events": "8", "SSE-PROXY-001.gap": "10ms", "SSE-PROXY-001.added_p99": "1s",
	"SSE-PROXY-002.within": "2s",
	"SSE-PROXY-003.events": "8", "SSE-PROXY-003.gap": "10ms", "SSE-PROXY-003.added_p99": "1s",

	"SSE-PROXY-007.gap": "10ms", "SSE-PROXY-007.within": "1s",
	"SSE-PROXY-008.heartbeat": "500ms", "SSE-PROXY-008.lifetime": "4s",
	"SSE-PROXY-015.grace":   "1s",
	"SSE-PROXY-016.taken":   "48",
	"SSE-PROXY-017.within":  "500ms",
	"SSE-PROXY-018.streams": "100", "SSE-PROXY-018.within": "2s",

	"SSE-LIMIT-011.heartbeat": "1s",

	"SSE-HBC-004.silence": "5s", "SSE-HTTPC-029.connect_timeout": "6s",
}
