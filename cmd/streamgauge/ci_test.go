package main

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"
)

// action is what these tests need of action.yml.
type action struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Runs struct {
		Using string       `yaml:"using"`
		Steps []actionStep `yaml:"steps"`
	} `yaml:"runs"`
}

type actionStep struct {
	ID    string            `yaml:"id"`
	Uses  string            `yaml:"uses"`
	Shell string            `yaml:"shell"`
	Run   string            `yaml:"run"`
	Env   map[string]string `yaml:"env"`
}

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	if err := yaml.Unmarshal([]byte(fileText(t, "../../action.yml")), &a); err != nil {
		t.Fatal(err)
	}
	if a.Runs.Using != "composite" || len(a.Inputs) == 0 {
		t.Fatalf("action.yml: %+v", a)
	}
	return a
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shell runs a script as CI does, and returns its exit code and what it wrote.
func shell(t *testing.T, dir, script string, env map[string]string) (code int, output string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script)
	c.Dir = dir
	c.Env = os.Environ()
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	text, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}

func needBash(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
}

const tiny = `
name: tiny
load: {subscribers: 5, publish: {rate: 50/s}}
duration: 300ms
expect: {delivery: [unique, complete]}
`

// large has a budget that nothing can keep, however busy the machine is.
const large = `
name: large
load: {subscribers: 5, publish: {rate: 50/s}}
duration: 2s
expect: {delivery: [unique, complete], memory: {max: 1KiB}}
`

// workflow is one fake job on GitHub's runner.
type workflow struct {
	action action
	dir    string
	inputs map[string]string
}

func newWorkflow(t *testing.T, a action, inputs map[string]string) *workflow {
	t.Helper()
	w := &workflow{action: a, dir: t.TempDir(), inputs: inputs}
	for name := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("action.yml has no input %s", name)
		}
	}
	for name, text := range map[string]string{"work/tiny.yaml": tiny, "work/large.yaml": large, "temp/.keep": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(w.dir, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

var expression = regexp.MustCompile(`\$\{\{ *([a-z.\-_]+) *\}\}`)

// step runs one shell step and returns its exit code, its output and the files that GitHub's runner would read.
func (w *workflow) step(t *testing.T, s actionStep) (code int, output string, files map[string]string) {
	t.Helper()
	if s.Shell != "bash" || strings.Contains(s.Run, "${{") {
		t.Fatalf("step %q: shell %q; an expression in a script lets an input run commands", s.Run, s.Shell)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"RUNNER_TEMP": filepath.Join(w.dir, "temp"), "GITHUB_WORKSPACE": filepath.Join(w.dir, "work"), "GITHUB_ACTIONS": "true"}
	for name, value := range s.Env {
		env[name] = expression.ReplaceAllStringFunc(value, func(found string) string {
			switch what := expression.FindStringSubmatch(found)[1]; what {
			case "github.action_path":
				return root
			case "github.action_ref":
				return ""
			default:
				input, ok := strings.CutPrefix(what, "inputs.")
				if !ok {
					t.Fatalf("%s: %s is not known here", name, what)
				}
				if given, ok := w.inputs[input]; ok {
					return given
				}
				return w.action.Inputs[input].Default
			}
		})
	}
	names := []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH", "GITHUB_ENV"}
	for _, name := range names {
		env[name] = filepath.Join(w.dir, "temp", name)
	}
	code, output = shell(t, env["GITHUB_WORKSPACE"], s.Run, env)
	files = map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(env[name])
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return code, output, files
}

func (a action) shellStep(t *testing.T, id string) actionStep {
	t.Helper()
	i := slices.IndexFunc(a.Runs.Steps, func(s actionStep) bool { return s.Run != "" && s.ID == id })
	if i < 0 {
		t.Fatalf("action.yml has no shell step with the id %q", id)
	}
	return a.Runs.Steps[i]
}

// building lets one build profit from what the other has left in the cache.
var building sync.Mutex

func TestTheActionBuildsTheProgram(t *testing.T) {
	t.Parallel()
	needBash(t)
	a := readAction(t)
	w := newWorkflow(t, a, nil)
	building.Lock()
	code, output, files := w.step(t, a.shellStep(t, ""))
	building.Unlock()
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, output)
	}
	program := filepath.Join(strings.TrimSpace(files["GITHUB_PATH"]), "streamgauge")
	said, err := exec.CommandContext(t.Context(), program, "version").CombinedOutput()
	if err != nil || !strings.Contains(string(said), "devel") {
		t.Errorf("%s: %s: %v", program, said, err)
	}
}

// TestTheActionJudgesAndSaysSo runs the step that follows the build, with this very program in the path.
func TestTheActionJudgesAndSaysSo(t *testing.T) {
	t.Parallel()
	needBash(t)
	a := readAction(t)
	for _, test := range []struct {
		name    string
		inputs  map[string]string
		code    int
		outcome string
		exit    string
		summary string
	}{
		{"kept", map[string]string{"scenarios": "tiny.yaml\n  tiny.yaml ", "arguments": "--seed\n7", "set": "load.subscribers=6\nsettle=9s"}, 0, "pass", "0", "pass"},
		{"broken", map[string]string{"scenarios": "large.yaml", "arguments": "--only=memory"}, 1, "fail", "1", "memory.max"},
		{"unknown", map[string]string{"scenarios": "tiny.yaml", "target": "http://127.0.0.1:1/events"}, 2, "unknown", "2", "does not declare publish"},
		{"allowed", map[string]string{"scenarios": "tiny.yaml", "target": "http://127.0.0.1:1/events", "allow-unknown": "true"}, 0, "unknown", "2", "does not declare publish"},
		{"wrong", map[string]string{"scenarios": "tiny.yaml nowhere $(touch${IFS}owned) *"}, 3, "error", "3", ""},
		{"incomparable", map[string]string{"scenarios": "tiny.yaml", "baseline": "nothing-there"}, 3, "error", "3", "pass"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkflow(t, a, test.inputs)
			code, output, files := w.step(t, a.shellStep(t, "run"))
			if code != test.code || files["GITHUB_OUTPUT"] != "outcome="+test.outcome+"\nexit-code="+test.exit+"\n" {
				t.Errorf("exit code %d, want %d; outputs %q; it said:\n%s", code, test.code, files["GITHUB_OUTPUT"], output)
			}
			if !strings.Contains(files["GITHUB_STEP_SUMMARY"], test.summary) {
				t.Errorf("the summary has no %q:\n%s", test.summary, files["GITHUB_STEP_SUMMARY"])
			}
			_, err := os.Stat(filepath.Join(w.dir, "work", "streamgauge-results", "junit.xml"))
			if wrong := test.exit == "3" && test.summary == ""; (err != nil) != wrong {
				t.Errorf("junit.xml: %v", err)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "work", "owned")); err == nil {
				t.Error("an input was run as a command")
			}
		})
	}
}

// TestTheActionComparesWithABaseline makes a baseline first.
func TestTheActionComparesWithABaseline(t *testing.T) {
	t.Parallel()
	needBash(t)
	a := readAction(t)
	w := newWorkflow(t, a, map[string]string{"scenarios": "tiny.yaml", "arguments": "--seed=7", "baseline": "before", "results": "after"})
	if code, said := shell(t, filepath.Join(w.dir, "work"), "streamgauge run tiny.yaml --seed 7 --quiet --out before", nil); code != 0 {
		t.Fatalf("the baseline: exit code %d: %s", code, said)
	}
	code, output, files := w.step(t, a.shellStep(t, "run"))
	if strings.Count(files["GITHUB_STEP_SUMMARY"], "\n## ") != 1 || !strings.Contains(files["GITHUB_STEP_SUMMARY"], "compare") || code > exitUnknown {
		t.Errorf("exit code %d: %s\nsummary:\n%s", code, output, files["GITHUB_STEP_SUMMARY"])
	}
}

// block returns the one block of docs/ci.md in a language that contains a text.
func block(t *testing.T, language, containing string) string {
	t.Helper()
	for _, found := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(fileText(t, "../../docs/ci.md"), -1) {
		if strings.Contains(found[1], containing) {
			return found[1]
		}
	}
	t.Fatalf("docs/ci.md has no block in %s with %q", language, containing)
	return ""
}

func TestTheWorkflowInTheDocsGivesInputsThatTheActionHas(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	for _, text := range []string{block(t, "yaml", "runs-on"), fileText(t, "../../.github/workflows/ci.yml")} {
		var w struct {
			Jobs map[string]struct {
				Steps []struct {
					Uses string         `yaml:"uses"`
					With map[string]any `yaml:"with"`
				} `yaml:"steps"`
			} `yaml:"jobs"`
		}
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatal(err)
		}
		used := false
		for _, job := range w.Jobs {
			for _, step := range job.Steps {
				if step.Uses != "./" && !strings.HasPrefix(step.Uses, "streamgauge/streamgauge@") {
					continue
				}
				used = true
				for name := range step.With {
					if _, ok := a.Inputs[name]; !ok {
						t.Errorf("action.yml has no input %s", name)
					}
				}
			}
		}
		if !used {
			t.Error("the action is not used")
		}
	}
}

const install = "CGO_ENABLED=0 go install github.com/streamgauge/streamgauge/cmd/streamgauge@latest"

// TestTheGitLabJobRuns runs its commands, all but the one that fetches the program.
func TestTheGitLabJobRuns(t *testing.T) {
	t.Parallel()
	needBash(t)
	var jobs map[string]struct {
		Variables map[string]string `yaml:"variables"`
		Before    []string          `yaml:"before_script"`
		Script    []string          `yaml:"script"`
		After     []string          `yaml:"after_script"`
		Allow     struct {
			Codes []int `yaml:"exit_codes"`
		} `yaml:"allow_failure"`
		Artifacts struct {
			Paths   []string          `yaml:"paths"`
			Reports map[string]string `yaml:"reports"`
		} `yaml:"artifacts"`
	}
	if err := yaml.Unmarshal([]byte(block(t, "yaml", "before_script")), &jobs); err != nil {
		t.Fatal(err)
	}
	job := jobs["streamgauge"]
	if !slices.Equal(job.Before, []string{install}) || !slices.Equal(job.Allow.Codes, []int{exitUnknown}) || job.Variables["SCENARIOS"] == "" {
		t.Errorf("job %+v", job)
	}
	dir := tinyDir(t)
	variables := maps.Clone(job.Variables)
	variables["SCENARIOS"] = "tiny.yaml"
	for _, script := range [][]string{job.Script, job.After} { // GitLab runs each in a shell of its own
		if code, said := shell(t, dir, strings.Join(script, "\n"), variables); code != 0 || len(script) == 0 {
			t.Errorf("%q: exit code %d: %s", script, code, said)
		}
	}
	for _, file := range append(job.Artifacts.Paths, job.Artifacts.Reports["junit"], "streamgauge-results/summary.md", "streamgauge-results/report.html") {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
	if code, said := shell(t, dir, strings.Join(job.Script, "\n"), variables); code != exitInput {
		t.Errorf("into a folder with results: exit code %d: %s", code, said)
	}
}

// TestTheJenkinsPipelineRuns runs what its sh steps run, twice in one workspace.
func TestTheJenkinsPipelineRuns(t *testing.T) {
	t.Parallel()
	needBash(t)
	text := block(t, "groovy", "pipeline")
	scripts := regexp.MustCompile(`(?s)sh [^']*'''(.*?)'''`).FindAllStringSubmatch(text, -1)
	if len(scripts) != 1 || strings.Count(text, "{") != strings.Count(text, "}") {
		t.Fatalf("%d shell steps in\n%s", len(scripts), text)
	}
	dir := tinyDir(t)
	for range 2 {
		if code, said := shell(t, dir, scripts[0][1], map[string]string{"SCENARIOS": "tiny.yaml"}); code != 0 {
			t.Errorf("exit code %d: %s", code, said)
		}
	}
	for _, file := range regexp.MustCompile(`'(streamgauge-results/[^'*]+)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(dir, file[1])); err != nil {
			t.Error(err)
		}
	}
}

func tinyDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tiny.yaml"), []byte(tiny), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTheImageHoldsAStaticProgramOfAUserWithoutRights runs the Dockerfile's build here, and looks at what the image is made of.
func TestTheImageHoldsAStaticProgramOfAUserWithoutRights(t *testing.T) {
	t.Parallel()
	needBash(t)
	text := fileText(t, "../../Dockerfile")
	_, last, _ := strings.Cut(text, "\nFROM scratch\n")
	for _, want := range []string{"\nUSER 65532:65532\n", `ENTRYPOINT ["/usr/local/bin/streamgauge"]`, "COPY --from=build /out/streamgauge /usr/local/bin/streamgauge\n"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last stage has no %q", want)
		}
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(fileText(t, "../../go.mod"))
	for _, file := range []string{"../../Dockerfile", "../../.github/workflows/ci.yml", "../../docs/ci.md"} {
		if image := "golang:" + version[1] + "-"; !strings.Contains(fileText(t, file), image) {
			t.Errorf("%s does not use an image %s", file, image)
		}
	}
	build := regexp.MustCompile(`(?m)^RUN (.*go build.*)$`).FindStringSubmatch(text)
	if build == nil {
		t.Fatal("the Dockerfile builds nothing")
	}
	out := t.TempDir()
	command := strings.ReplaceAll(build[1], "/out/", out+"/")
	building.Lock()
	code, said := shell(t, "../..", command, map[string]string{"VERSION": "v1.2.3"})
	building.Unlock()
	if code != 0 {
		t.Fatalf("%s: exit code %d: %s", command, code, said)
	}
	program, err := elf.Open(filepath.Join(out, "streamgauge"))
	if err != nil {
		t.Skipf("it is no ELF file: %v", err)
	}
	defer func() { _ = program.Close() }()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is linked dynamically: %v", p.Type)
		}
	}
	// In the image there is neither an environment nor any other file.
	var told bytes.Buffer
	c := exec.CommandContext(t.Context(), filepath.Join(out, "streamgauge"), "version")
	c.Env, c.Dir, c.Stdout, c.Stderr = []string{}, t.TempDir(), &told, io.Discard
	if err := c.Run(); err != nil || !strings.Contains(told.String(), "v1.2.3") {
		t.Errorf("it says %q: %v", cmp.Or(told.String(), "nothing"), err)
	}
}
