package scenarios

import (
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// LoadPolicy reads a reconnection policy: a named one, or a YAML file with the keys that load.reconnect of a scenario takes. What is
// wrong with the input is reported as a *Problems.
func LoadPolicy(nameOrPath string, lookup Lookup) (*policy.Policy, error) {
	if p, ok := policy.ByName(nameOrPath); ok && !isPath(nameOrPath) {
		return &p, nil
	}
	data, err := readLimited(nameOrPath)
	if err != nil && !isPath(nameOrPath) {
		return nil, asError([]Problem{{File: nameOrPath, Text: "no such policy", Hint: Suggest(nameOrPath, policyNames()) + " (a file has a / in its path or ends in .yaml)"}})
	}
	if err != nil {
		return nil, asError([]Problem{{File: nameOrPath, Text: "cannot read the policy: " + reason(err)}})
	}
	return parsePolicy(data, Source{Name: nameOrPath, Lookup: lookup})
}

func parsePolicy(data []byte, source Source) (*policy.Policy, error) {
	r := newReader(source)
	root := r.parse(data)
	if root == nil {
		return nil, asError(r.problems)
	}
	r.expand(root)
	p := &policy.Policy{Name: source.Name}
	if n := r.enter("", root); n != nil {
		policyKeys.read(r, "", n, p)
	}
	if p.Cap > 0 && p.Cap < p.Base {
		r.at("cap", fmt.Sprintf("is %v, shorter than the base of %v", p.Cap, p.Base), "")
	}
	if err := asError(r.problems); err != nil {
		return nil, err
	}
	return p, nil
}

func policyNames() []string {
	names := make([]string, len(policy.Named))
	for i, p := range policy.Named {
		names[i] = p.Name
	}
	slices.Sort(names)
	return names
}
