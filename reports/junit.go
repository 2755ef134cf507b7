package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// JUnit writes JUnit XML as Jenkins, GitLab and the GitHub actions read it: a testsuite per scenario or area, a testcase per
// promise. A fail is a failure; an unknown is an error, since nothing was judged and it must not look like a pass; a skip is
// skipped with its reason; a warn passes with its text in system-out, or is a failure when strict. The verdicts of a scenario
// are reached together, so its time is shared out evenly among them.
func JUnit(w io.Writer, r *conformance.Result, opts Options) error {
	strict := isStrict(r, opts)
	r = MapText(r, Visible)
	report := junitReport{Name: "streamgauge " + string(r.Kind), Time: seconds(r.Duration)}
	parts := sections(r, strict)
	if len(parts) == 0 {
		parts = []section{{name: string(r.Kind)}}
	}
	for _, s := range parts {
		suite := junitSuiteOf(r, s, strict)
		suite.ID = len(report.Suites)
		report.Tests += suite.Tests
		report.Failures += suite.Failures
		report.Errors += suite.Errors
		report.Suites = append(report.Suites, suite)
	}
	text, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("encode JUnit XML: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

// junitReport and what is in it keep to the schema of Jenkins's xUnit plugin, junit-10.xsd, which is the strictest in use.
type junitReport struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

// junitSuite has its children in the order, and all the attributes, that the schema of Ant's JUnit task demands.
type junitSuite struct {
	Name       string          `xml:"name,attr"`
	ID         int             `xml:"id,attr"`
	Package    string          `xml:"package,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	SystemOut  junitOutput     `xml:"system-out"`
	SystemErr  junitOutput     `xml:"system-err"`
}

// junitOutput is CDATA, so that its lines are lines in the file too.
type junitOutput struct {
	Text string `xml:",cdata"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string       `xml:"name,attr"`
	Classname string       `xml:"classname,attr"`
	Time      string       `xml:"time,attr"`
	Skipped   *junitReason `xml:"skipped"`
	Error     *junitReason `xml:"error"`
	Failure   *junitReason `xml:"failure"`
	SystemOut *junitOutput `xml:"system-out"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",cdata"`
}

func junitSuiteOf(r *conformance.Result, s section, strict bool) junitSuite {
	took, health := r.Duration, r.Health
	if s.run != nil {
		took, health = s.run.Duration, s.run.Health
	}
	suite := junitSuite{
		Name: token(s.name), Package: "streamgauge." + string(r.Kind), Hostname: "localhost",
		Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), Time: seconds(took),
		Properties: junitProperties(r, s), SystemErr: junitOutput{strings.Join(health.Problems, "\n")},
	}
	if s.run != nil {
		suite.SystemOut.Text = joinNonEmpty("\n", s.run.About, strings.Join(runFigures(*s.run), " · "), s.run.Reason)
	}
	verdicts := s.verdicts
	if len(verdicts) == 0 {
		verdicts = []conformance.Verdict{unjudged(s)}
	}
	each := seconds(conformance.Duration(time.Duration(took) / time.Duration(len(verdicts))))
	for _, v := range verdicts {
		c := junitCaseOf(v, strict)
		c.Classname, c.Time = "streamgauge."+token(s.name), each
		suite.add(c)
	}
	return suite
}

// unjudged stands for a scenario, or a whole result, without any verdict: an empty suite would look like a pass.
func unjudged(s section) conformance.Verdict {
	v := conformance.Verdict{ID: "scenario", Reason: "nothing was judged"}
	if s.run == nil {
		return v
	}
	v.Title = s.run.About
	if s.run.Reason != "" {
		v.Reason = s.run.Reason
	}
	if !isGood(s.run.Outcome) {
		v.Outcome = s.run.Outcome
	}
	return v
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitCaseOf(v conformance.Verdict, strict bool) junitCase {
	c := junitCase{Name: token(v.ID)}
	switch v.Outcome {
	case conformance.Pass:
	case conformance.Info:
		c.SystemOut = &junitOutput{junitText(v)}
	case conformance.Warn:
		if strict {
			c.Failure = &junitReason{Message: junitMessage(v), Type: "warn", Text: junitText(v)}
		} else {
			c.SystemOut = &junitOutput{"warning: " + junitMessage(v) + "\n" + junitText(v)}
		}
	case conformance.Skip:
		c.Skipped = &junitReason{Message: v.Reason}
	case conformance.Fail:
		c.Failure = &junitReason{Message: junitMessage(v), Type: junitType(v), Text: junitText(v)}
	default:
		c.Error = &junitReason{Message: "unknown: " + v.Reason, Type: "unknown", Text: junitText(v)}
	}
	return c
}

// junitMessage is the one line that lists of failures show.
func junitMessage(v conformance.Verdict) string {
	if v.Expected == "" && v.Actual == "" {
		return joinNonEmpty(": ", v.ID, v.Reason)
	}
	return fmt.Sprintf("%s: expected %s, got %s", v.ID, orNothing(v.Expected), orNothing(v.Actual))
}

// junitType is the kind of failure, by which readers group: the first finding's name.
func junitType(v conformance.Verdict) string {
	if len(v.Findings) > 0 && v.Findings[0].Name != "" {
		return v.Findings[0].Name
	}
	return "fail"
}

func junitText(v conformance.Verdict) string {
	var b strings.Builder
	writeNotes(&b, explain(v, detail{findings: 20, evidence: 40, values: true}))
	fmt.Fprintf(&b, "%s checked\n", Plural(v.Checked, "sample"))
	return b.String()
}

// writeNotes writes notes as plain text, indented by their depth.
func writeNotes(b *strings.Builder, notes []note) {
	for _, n := range notes {
		b.WriteString(strings.Repeat("  ", n.depth))
		switch {
		case n.evidence:
			b.WriteString("| ")
		case n.label != "":
			b.WriteString(n.label + "  ")
		}
		b.WriteString(n.text + "\n")
	}
}

func junitProperties(r *conformance.Result, s section) []junitProperty {
	properties := []junitProperty{
		{"seed", strconv.FormatUint(r.Seed, 10)},
		{"subject", joinNonEmpty(" ", r.Subject.Name, r.Subject.Version, r.Subject.URL)},
		{"tool", r.Tool},
		{"outcome", s.outcome.String()},
	}
	if r.Command != "" {
		properties = append(properties, junitProperty{"command", r.Command})
	}
	if s.run != nil {
		properties = append(properties, junitProperty{"plan", s.run.Plan})
	}
	return properties
}

// token is s as the schema's xs:token: without spaces at its ends or two in a row, and never empty.
func token(s string) string {
	if t := strings.Join(strings.Fields(s), " "); t != "" {
		return t
	}
	return "unnamed"
}

func seconds(d conformance.Duration) string {
	return strconv.FormatFloat(max(0, time.Duration(d).Seconds()), 'f', 3, 64)
}
