package main

import (
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
)

// side is what is judged, servers or clients, and the words in which the flags that both checks share speak of it.
type side struct {
	command  string
	kind     conformance.Kind
	profiles []string
	usual    string   // the profile that need not be given; "" leaves it to the subject
	about    string   // of the flag --profile
	cases    []string // ids of the requirements that have one
	example  string   // a requirement
	area     string
	setting  string
	what     string // a subject
	named    string // how one is named
}

// judges says whether there is a case for the requirement.
func (s *side) judges(id string) bool { return slices.Contains(s.cases, id) }

var serverSide = &side{
	command: "check", kind: conformance.KindCheck,
	profiles: []string{
		string(conformance.ProfileServer), string(conformance.ProfileLibrary), string(conformance.ProfileBroker), string(conformance.ProfileMercure),
	},
	usual: string(conformance.ProfileBroker), about: "what the target is: ",
	cases:   idsOf(server.Cases, func(c server.Case) string { return c.Requirement }),
	example: "SSE-FORM-003", area: "HTTPS", setting: "SSE-HBS-001.silence=30s",
	what: "a target", named: "check TARGET",
}

var clientSide = &side{
	command: "check-client", kind: conformance.KindCheckClient,
	profiles: []string{string(conformance.ProfileSDK), string(conformance.ProfileBrowser)},
	about:    "what the client is, whatever its adapter says: ",
	cases:    idsOf(client.Cases, func(c client.Case) string { return c.Requirement }),
	example:  "SSE-PARSE-013", area: "RECON", setting: "SSE-PARSE-026.dispatch_p99=1s",
	what: "a client", named: "check-client with a client",
}

func idsOf[C any](cases []C, id func(C) string) []string {
	ids := make([]string, len(cases))
	for i, c := range cases {
		ids[i] = id(c)
	}
	return ids
}
