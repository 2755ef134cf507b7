package reports

import (
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// causes are the parts of the catalogue in the order in which what goes wrong in one explains what goes wrong in the next: a stream that
// does not open delivers nothing, one that does not deliver cannot be resumed. What is in none of them comes last.
var causes = [][]string{
	{"SSE-HTTPS-001", "SSE-HTTPS-002", "SSE-HTTPS-029", "SSE-HTTPS-003", "SSE-HTTPS-013", "SSE-PROXY-002", "SSE-PROXY-003", "SSE-HTTPC-001", "SSE-HTTPC-005", "SSE-HTTPC-011", "connect"},
	{"SSE-DELIV", "SSE-PROXY-001", "SSE-HTTPS-020", "SSE-PARSE-001", "SSE-PARSE-025", "SSE-PARSE-026", "delivery"},
	{"SSE-RESUME", "SSE-RECON", "SSE-ISO", "reconnect", "resume"},
	{"SSE-SLOW", "SSE-DRAIN", "SSE-AUTH", "SSE-HBS", "SSE-HBC"},
}

// byCause are the verdicts with a cause before its consequences, else in their order.
func byCause(verdicts []conformance.Verdict) []conformance.Verdict {
	sorted := slices.Clone(verdicts)
	slices.SortStableFunc(sorted, func(a, b conformance.Verdict) int { return causeRank(a.ID) - causeRank(b.ID) })
	return sorted
}

func causeRank(id string) int {
	for rank, names := range causes {
		for _, name := range names {
			if rest, ok := strings.CutPrefix(id, name); ok && (rest == "" || rest[0] == '-' || rest[0] == '.') {
				return rank
			}
		}
	}
	return len(causes)
}
