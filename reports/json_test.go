package reports

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/streamgauge/streamgauge/conformance"
)

func TestAResultOfNothingButValuesIsRefused(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]string{"objects": strings.Repeat("{},", 1<<18) + "{}", "texts": strings.Repeat(`"",`, 1<<18) + `""`} {
		text := []byte(`{"version": 1, "kind": "run", "outcome": "pass", "verdicts": [` + values + `]}`)
		if _, err := parseResult("x", text); err == nil || !strings.Contains(err.Error(), "x: holds more values than a result of its size has") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatJSONStoresLoadReadsBack(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		path := filepath.Join(t.TempDir(), "any.json")
		if err := os.WriteFile(path, []byte(render(t, Formats[1], s.result, Options{})), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		want := MapText(s.result, validText)
		for i := range want.Measures {
			want.Measures[i] = finiteMeasure(want.Measures[i])
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), sameSamples); diff != "" {
			t.Errorf("%s (-stored +loaded):\n%s", s.name, diff)
		}
	}
}

func TestJSONLeavesInfiniteQuantilesOut(t *testing.T) {
	t.Parallel()
	text := render(t, Formats[1], infinite(), Options{})
	if strings.Contains(text, `"p99"`) {
		t.Error("an infinite p99 was written")
	}
	r := base(conformance.Pass)
	r.Measures = []conformance.Measure{{Name: "latency", Value: math.NaN(), Max: math.Inf(1), Min: math.Inf(-1)}}
	r.Health.CPU = math.NaN()
	if text := render(t, Formats[1], r, Options{}); !strings.Contains(text, `"max": 1.7976931348623157e+308`) {
		t.Errorf("an infinite maximum is not the largest number in\n%s", text)
	}
}

func TestAnEmptyResultHasListsAndNoNulls(t *testing.T) {
	t.Parallel()
	text := render(t, Formats[1], &conformance.Result{}, Options{})
	if strings.Contains(text, "null") {
		t.Error(text)
	}
}

func TestLoadTakesTheDirectoryOrTheFile(t *testing.T) {
	t.Parallel()
	d, err := PrepareDir(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteReports(failed(), NewManifest(failed()), Options{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{d.Path, filepath.Join(d.Path, ResultFile)} {
		if r, err := Load(path); err != nil || r.Outcome != conformance.Fail {
			t.Errorf("Load(%s) = %v, %v", path, r, err)
		}
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"cut off", "{\n  \"version\": 1,\n  \"kind\": ", ":3:10: unexpected end of JSON input"},
		{"broken", "{\n  \"version\": 1,\n  oops\n}", ":3:3: invalid character 'o'"},
		{"wrong type", "{\"version\": 1, \"kind\": \"run\",\n \"seed\": \"42\"}", ":2:13: seed cannot be a JSON string"},
		{"other JSON", `{"name": "x"}`, "has no version or no kind"},
		{"no kind", `{"version": 1}`, "has no version or no kind"},
		{"list", `[]`, "cannot be a JSON array"},
		{"future", `{"version": 2, "kind": "run"}`, "version 2 of the result format is not known"},
		{"outcome", `{"version": 1, "kind": "run", "outcome": "great"}`, `outcome "great" is not one of`},
		{"trailing", `{"version": 1, "kind": "run"} {}`, "invalid character '{' after top-level value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "result.json")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q and the path", err, c.want)
			}
		})
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "holds no result.json") {
		t.Errorf("of an empty directory: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("of nothing: %v", err)
	}
}

func TestLoadPassesOverFieldsOfLaterVersions(t *testing.T) {
	t.Parallel()
	r, err := parseResult("x", []byte(`{"version": 1, "kind": "run", "outcome": "pass", "seed": 7, "added_later": {"a": 1}}`))
	if err != nil || r.Seed != 7 {
		t.Errorf("got %v, %v", r, err)
	}
}
