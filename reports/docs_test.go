package reports

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// docSection is the part of the page under a heading, up to the next one.
func docSection(t *testing.T, page, heading string) string {
	t.Helper()
	_, after, found := strings.Cut(page, "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/result.md has no heading %q", heading)
	}
	part, _, _ := strings.Cut(after, "\n#")
	return part
}

func TestEveryFieldOfAResultIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/result.md")
	if err != nil {
		t.Fatal(err)
	}
	page := "\n" + string(text)
	const manifest = "# manifest.json"
	for typ, heading := range map[reflect.Type]string{
		reflect.TypeFor[conformance.Result]():        "## The result",
		reflect.TypeFor[conformance.Subject]():       "## Subject",
		reflect.TypeFor[conformance.Verdict]():       "## Verdict",
		reflect.TypeFor[conformance.Finding]():       "## Finding",
		reflect.TypeFor[conformance.Power]():         "## Power",
		reflect.TypeFor[conformance.Measure]():       "## Measure",
		reflect.TypeFor[conformance.Health]():        "## Health",
		reflect.TypeFor[conformance.ScenarioRun]():   "## Run",
		reflect.TypeFor[conformance.Series]():        "## Series",
		reflect.TypeFor[conformance.Curve]():         "## Curve",
		reflect.TypeFor[conformance.FaultBand]():     "## Fault",
		reflect.TypeFor[conformance.Effect]():        "## Effect",
		reflect.TypeFor[conformance.Comparison]():    "## Comparison",
		reflect.TypeFor[conformance.ComparedRun]():   "## Compared run",
		reflect.TypeFor[conformance.VerdictChange](): "## Verdict change",
		reflect.TypeFor[conformance.MeasureChange](): "## Measure change",
		reflect.TypeFor[conformance.Storm]():         "## Storm",
		reflect.TypeFor[conformance.MatrixRow]():     "## Row of the matrix",

		reflect.TypeFor[conformance.Capacity]():              "## Capacity",
		reflect.TypeFor[conformance.CapacityStep]():          "## Step",
		reflect.TypeFor[conformance.CapacityHeadroom]():      "## Headroom",
		reflect.TypeFor[conformance.CapacityCost]():          "## Cost",
		reflect.TypeFor[conformance.CapacityScaling]():       "## Scaling",
		reflect.TypeFor[conformance.CapacityExtrapolation](): "## Extrapolation",

		reflect.TypeFor[Manifest](): manifest,
		reflect.TypeFor[Source]():   manifest,
		reflect.TypeFor[Plan]():     manifest,
		reflect.TypeFor[File]():     manifest,
	} {
		part := docSection(t, page, heading)
		for _, name := range fieldNames(typ) {
			if !strings.Contains(part, "`"+name+"`") {
				t.Errorf("%q does not document %s of %s", heading, name, typ)
			}
		}
		documented := strings.Count(part, "\n| `")
		if fields := typ.NumField(); heading != manifest && documented != fields {
			t.Errorf("%q documents %d fields, %s has %d", heading, documented, typ, fields)
		}
	}
	for o := conformance.Unknown; o <= conformance.Fail; o++ {
		if !strings.Contains(page, "| `"+o.String()+"` |") {
			t.Errorf("outcome %s is not documented", o)
		}
	}
	for _, kind := range []conformance.Kind{
		conformance.KindRun, conformance.KindCheck, conformance.KindCheckClient, conformance.KindCapacity, conformance.KindMutants,
		conformance.KindCompare, conformance.KindSimulate,
	} {
		if !strings.Contains(page, "`"+string(kind)+"`") {
			t.Errorf("kind %s is not documented", kind)
		}
	}
}

func fieldNames(typ reflect.Type) []string {
	var names []string
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
