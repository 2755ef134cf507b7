package peers

import (
	"testing"
)

// TestAContractServiceIsJudgedAsItsClientIs follows the client of launchdarkly/eventsource through a test service of the contract: what is
// found is what an adapter of its own finds.
func TestAContractServiceIsJudgedAsItsClientIs(t *testing.T) {
	t.Parallel()
	_, url := startServer(t, buildOnce(t, "client-contract", "./clients/contract"))
	playing.Wait()
	clientChecks <- struct{}{}
	defer func() { <-clientChecks }()
	w := way{words: []string{"--contract", url}}
	compare(t, map[string]deviation{
		"SSE-PARSE-017": keepsBOM,
		"SSE-HTTPC-011": noTypeLooked,
		"SSE-HTTPC-029": waitsForEver, // its creation is not answered meanwhile
		"SSE-RECON-003": {always(warn), "1 request", "The first attempt is not repeated."},
		"SSE-RECON-017": {always(fail), `request 3: "1"`, "When the last id becomes empty, the old one is sent for ever."},
	}, w.check(t, []string{
		"SSE-PARSE-001", "SSE-PARSE-017", "SSE-PARSE-022", "SSE-API-005", "SSE-HTTPC-011", "SSE-HTTPC-026", "SSE-HTTPC-029", "SSE-RECON-003", "SSE-RECON-015",
		"SSE-RECON-017", "SSE-RECON-021", "SSE-HBC-001",
	}).Verdicts)
}
