package builtin_test

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/builtin"
	"github.com/streamgauge/streamgauge/conformance/subject/selftest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What a client is known to do wrong is found, and what it does right is not held against it.
func TestKnownDeviationsAreFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		client subject.Client
		found  []string // known deviations: fail or warn
		passed []string
	}{
		{
			"go-sse", builtin.GoSSE{},
			[]string{
				"SSE-PARSE-007", // dispatches blocks without data
				"SSE-PARSE-028", // dispatches an event that the end of the stream cuts off
				"SSE-RECON-020", // and sends its id
				"SSE-PARSE-035", // accepts retry: +300
				"SSE-RECON-006", // forgets retry: after the next success
			},
			[]string{"SSE-PARSE-001", "SSE-PARSE-002", "SSE-PARSE-013", "SSE-PARSE-030", "SSE-RECON-015"},
		},
		{
			"net/http", builtin.NetHTTP{},
			[]string{
				"SSE-PARSE-002", // forgets the line feeds between several lines of data
				"SSE-PARSE-004", // trims
				"SSE-PARSE-013", // knows no CR
				"SSE-RECON-004", // never heard of retry:
			},
			[]string{"SSE-PARSE-001", "SSE-PARSE-009", "SSE-RECON-001"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			verdicts, _, _, err := client.Check(t.Context(), subject.Local(test.client), client.Cases, client.Options{Only: slices.Concat(test.found, test.passed)})
			if err != nil {
				t.Fatal(err)
			}
			if len(verdicts) != len(test.found)+len(test.passed) {
				t.Errorf("%d verdicts, want %d", len(verdicts), len(test.found)+len(test.passed))
			}
			for _, v := range verdicts {
				found := v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
				busy := v.Outcome == conformance.Unknown // no timing decides a test
				if known := slices.Contains(test.found, v.ID); !busy && known != found {
					t.Errorf("%s is %v: %s; %s", v.ID, v.Outcome, v.Actual, v.Reason)
				}
			}
		})
	}
}

// The adapters are right where their clients are not.
func TestTheAdaptersAreRight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]subject.Client{"go-sse": builtin.GoSSE{}, "net/http": builtin.NetHTTP{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results, err := selftest.Run(t.Context(), subject.Local(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if r.Problem != "" && !r.Ambiguous {
					t.Errorf("%s: %s", r.Name, r.Problem)
				}
				// Both have the limit of 64 KiB that a bufio.Scanner has.
				if limited := r.Name == "echo of 1 MiB"; limited != (r.Problem != "") && !strings.HasPrefix(name, "net") {
					t.Errorf("%s: %q", r.Name, r.Problem)
				}
			}
		})
	}
}
