package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
)

func TestEvidenceIsCutToWhatDecides(t *testing.T) {
	t.Parallel()
	f := conformance.Finding{
		Text: "no Retry-After",
		Evidence: []string{
			"HTTP/1.1 429 Too Many Requests", "Date: today", "Retry-After: 0", "Content-Type: text/plain", "Server: x", "curl -N http://h/",
			"+0.001s \"a\"", "+0.002s \"b\"", "+0.003s \"c\"", "+0.004s \"d\"", "+0.005s \"e\"", "+0.006s \"f\"",
		},
	}
	want := []string{
		"HTTP/1.1 429 Too Many Requests · Retry-After: 0 · Content-Type: text/plain (2 fields more)", "+0.001s \"a\"", "+0.002s \"b\"", "… 2 lines more …",
		"+0.005s \"e\"", "+0.006s \"f\"",
	}
	if diff := cmp.Diff(want, decisive(f, 5)); diff != "" {
		t.Error(diff)
	}
}

func TestPaddingIsElidedInItsMiddle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{`+0.001s "data: short\n\n"`, `+0.001s "data: short\n\n"`},
		{`+0.001s ": ` + strings.Repeat("x", 4096) + `\n\n"`, `+0.001s ": xxxxxxxxxxxxxxxxxxxxx … 4,064 bytes … xxxxxxxxxxx\n\n"`},
		{`"` + strings.Repeat(`\u20ac`, 100) + `"`, `"\u20ac\u20ac\u20ac\u20ac\u20ac … 279 bytes … \u20ac\u20ac"`},
		{`+1s "` + strings.Repeat("a", 160) + `" … 1000 bytes … "` + strings.Repeat("b", 80) + `"`, `+1s "aaaaaaaaaaaaaaaaaaaaaaaaaaa … 1,198 bytes … bbbbbbbbbbbbbbb"`},
	} {
		got := elide(c.line, 72)
		if columns(got) > 72 {
			t.Errorf("%d columns: %s", columns(got), got)
		}
		if c.want != got {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestAReportOfManyFailuresStaysReadable bounds the lines of each failure, and shows all of them where that is asked for.
func TestAReportOfManyFailuresStaysReadable(t *testing.T) {
	t.Parallel()
	const failures = 20
	r := &conformance.Result{Version: 1, Kind: conformance.KindCheck, Outcome: conformance.Fail}
	for i := range failures {
		v := conformance.Verdict{ID: fmt.Sprintf("SSE-FORM-%03d", i+1), Title: "A promise.", Level: conformance.Must, Outcome: conformance.Fail, Checked: 1}
		for k := range 10 {
			f := conformance.Finding{Name: "deviation", Count: 1, Text: fmt.Sprintf("deviation %d", k), Expected: "none", Evidence: []string{"HTTP/1.1 200 OK", "Server: x"}}
			for n := range 60 {
				f.Evidence = append(f.Evidence, fmt.Sprintf("+%d.000s %q", n, strings.Repeat("padding ", 600)))
			}
			v.Findings = append(v.Findings, f)
		}
		r.Verdicts = append(r.Verdicts, v)
	}
	lines := func(full bool) int {
		var out bytes.Buffer
		if err := Table(&out, r, Options{Width: 100, Full: full}); err != nil {
			t.Fatal(err)
		}
		return strings.Count(out.String(), "\n")
	}
	if short, full := lines(false), lines(true); short > 32*failures || full < 2*short {
		t.Errorf("%d lines, in full %d", short, full)
	}
}
