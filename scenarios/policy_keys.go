package scenarios

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// customPolicy is the name of a policy that a scenario writes out.
const customPolicy = "custom"

var policyKeys = object(
	key("name", "Short name of the policy, as it appears in reports.", word, func(p *policy.Policy) *string { return &p.Name }),
	key("base", "Delay after the first loss.", duration, func(p *policy.Policy) *time.Duration { return &p.Base }).need(),
	key("factor", "What the delay is multiplied with after each further loss; 1 for a constant delay.", fraction(1, 100), func(p *policy.Policy) *float64 { return &p.Factor }).or("1"),
	key("cap", "The longest undisturbed delay. Without it, there is none.", positive, func(p *policy.Policy) *time.Duration { return &p.Cap }),
	key("jitter", "Share of the delay that is left to chance.", share, func(p *policy.Policy) *Share { return (*Share)(&p.Jitter) }),
	key("spread", "Where jitter moves a delay d: up (d to d+jitter), both (d−jitter to d+jitter), full (0 to d).", oneOf(policy.Up, policy.Both, policy.Full), func(p *policy.Policy) *policy.Spread { return &p.Spread }).or(string(policy.Up)),
	key("reset", "When losses are counted from the start again. A stream that ends within a second (times load.time_scale) and brings no new message does not count.", oneOf(policy.OnOpen, policy.OnEvent, policy.Never), func(p *policy.Policy) *policy.Reset { return &p.Reset }).or(string(policy.OnOpen)),
	key("retry", "Whether a retry: field of the stream replaces the base.", boolean, func(p *policy.Policy) *bool { return &p.HonorRetry }).or("false"),
	key("silence", "How long an open connection may be silent before it counts as dead. Without it, for ever.", positive, func(p *policy.Policy) *time.Duration { return &p.Silence }),
	key("come_back_on", "Type of an event by which the server asks the client to connect anew.", event, func(p *policy.Policy) *string { return &p.ComeBackOn }),
)

// policyShape is the name of a policy or a mapping with its numbers.
var policyShape = func() shape[policy.Policy] {
	known := make([]string, len(policy.Named))
	for i, p := range policy.Named {
		known[i] = p.Name
	}
	named := oneOf(known...)
	s := schema{"anyOf": append([]any{policyKeys.schema}, named.schema["anyOf"].([]any)...)}
	return shape[policy.Policy]{schema: s, read: func(r *reader, key string, n *yaml.Node, into *policy.Policy) {
		if n.Kind == yaml.MappingNode {
			*into = policy.Policy{Name: customPolicy}
			policyKeys.read(r, key, n, into)
			return
		}
		var name string
		named.read(r, key, n, &name)
		*into, _ = policy.ByName(name)
	}}
}()
