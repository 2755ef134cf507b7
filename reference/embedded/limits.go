package embedded

import "strconv"

// limits are the parameters that tell what the embedded broker is configured to refuse and to end. They follow from Config and
// not from a broker's own configuration, which breaks them when it is a mutant's.
func limits() map[string]map[string]string {
	c := Config()
	user := map[string]string{"limit": strconv.Itoa(c.MaxConnectionsPerUser)}
	overflow := map[string]string{"overflow_mib": "16"}
	return map[string]map[string]string{
		"SSE-AUTH-004":  {"grace": "2s"},
		"SSE-AUTH-005":  {"within": "2s"},
		"SSE-SLOW-004":  {"overflow_mib": overflow["overflow_mib"], "write_deadline": c.WriteTimeout.String()},
		"SSE-SLOW-005":  overflow,
		"SSE-SLOW-006":  overflow,
		"SSE-SLOW-007":  {"deadline": c.WriteTimeout.String(), "fill_mib": "8"},
		"SSE-SLOW-008":  overflow,
		"SSE-DRAIN-001": {"grace": "5s"},
		"SSE-LIMIT-001": {"limit": strconv.Itoa(maxEventBytes)},
		"SSE-LIMIT-002": user,
		"SSE-LIMIT-003": user,
		"SSE-LIMIT-004": {"burst": strconv.Itoa(5 * c.PublishBurst)}, // more than the rate allows on a slow machine, too
		"SSE-LIMIT-009": {"burst": strconv.Itoa(5 * c.PublishBurst)},
		"SSE-LIMIT-006": {"cap": strconv.Itoa(c.MaxConnections)},
		"SSE-LIMIT-008": {"within": "30s"},
	}
}

// maxEventBytes is the largest payload of a broker that is configured without one.
const maxEventBytes = 1 << 20
