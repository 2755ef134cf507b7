package scenarios

import (
	"embed"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/limited"
)

//go:embed shipped/*.yaml
var shipped embed.FS

//go:embed targets/*.yaml
var presets embed.FS

// Lookup returns the value of an environment variable, and whether it is set; os.LookupEnv is one.
type Lookup func(name string) (string, bool)

// LoadScenario reads a scenario: one that is shipped, by its name, or a file. Overrides have the form key=value. What is wrong
// with the input is reported as a *Problems.
func LoadScenario(nameOrPath string, lookup Lookup, overrides ...string) (*Scenario, error) {
	data, source, err := find(nameOrPath, shipped, "shipped", "scenario")
	if err != nil {
		return nil, err
	}
	source.Lookup = lookup
	return ParseScenario(data, source, overrides...)
}

// LoadTarget reads a target: a preset, by its name, a file, or the URL of a stream, which becomes a target that can only be
// subscribed to. What is wrong with the input is reported as a *Problems.
func LoadTarget(fileOrPresetOrURL string, lookup Lookup) (*Target, error) {
	if strings.HasPrefix(fileOrPresetOrURL, "http://") || strings.HasPrefix(fileOrPresetOrURL, "https://") {
		return targetOfURL(fileOrPresetOrURL)
	}
	data, source, err := find(fileOrPresetOrURL, presets, "targets", "target")
	if err != nil {
		return nil, err
	}
	source.Lookup = lookup
	t, err := ParseTarget(data, source)
	if err != nil {
		return nil, err
	}
	for _, beside := range []*string{&t.TLS.CA, &t.Observe.PIDFile} {
		if *beside != "" && !filepath.IsAbs(*beside) {
			*beside = filepath.Join(filepath.Dir(fileOrPresetOrURL), *beside)
		}
	}
	return t, nil
}

// Core are the names of the shipped scenarios that a run without a name carries out.
func Core() []string {
	return []string{"mass-connect", "network-drops", "slow-consumers", "last-event-id-resume", "heartbeat-timeout", "steady-flow"}
}

// ShippedNames are the names of all shipped scenarios: the core ones first, the others after them by name.
func ShippedNames() []string {
	core := Core()
	others := slices.DeleteFunc(namesIn(shipped, "shipped"), func(name string) bool { return slices.Contains(core, name) })
	return slices.Concat(core, others)
}

// PresetNames are the names of the shipped target files.
func PresetNames() []string { return namesIn(presets, "targets") }

func namesIn(files fs.FS, dir string) []string {
	paths, _ := fs.Glob(files, dir+"/*.yaml")
	found := make([]string, len(paths))
	for i, p := range paths {
		found[i] = strings.TrimSuffix(strings.TrimPrefix(p, dir+"/"), ".yaml")
	}
	return found
}

// find returns the text of an embedded file by its name, or of a file on disk.
func find(name string, embedded embed.FS, dir, what string) ([]byte, Source, error) {
	if !isPath(name) {
		if data, err := embedded.ReadFile(dir + "/" + name + ".yaml"); err == nil {
			open := func(beside string) ([]byte, error) { return embedded.ReadFile(dir + "/" + beside) }
			return data, Source{Name: name, Open: open, Find: programIn("")}, nil
		}
		if _, err := os.Stat(name); err != nil {
			hint := Suggest(name, namesIn(embedded, dir)) + " (a file has a / in its path or ends in .yaml)"
			return nil, Source{}, asError([]Problem{{File: name, Text: "no such " + what, Hint: hint}})
		}
	}
	data, err := readLimited(name)
	if err != nil {
		return nil, Source{}, asError([]Problem{{File: name, Text: "cannot read the " + what + ": " + reason(err), Hint: addressHint(name, what)}})
	}
	open := func(beside string) ([]byte, error) {
		if !filepath.IsAbs(beside) {
			beside = filepath.Join(filepath.Dir(name), beside)
		}
		return readLimited(beside)
	}
	return data, Source{Name: name, Open: open, Find: programIn(filepath.Dir(name))}, nil
}

// addressHint says how an address is written, where a name looks like one without its scheme.
func addressHint(name, what string) string {
	host, _, _ := strings.Cut(name, "/")
	if u, err := url.Parse("http://" + name); what != "target" || err != nil || !strings.Contains(host, ":") || u.Port() == "" {
		return ""
	}
	return "an address begins with http:// or https://"
}

func isPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// readLimited reads a file that a person wrote: regular, and not so large that it must be a mistake.
func readLimited(name string) ([]byte, error) {
	return limited.ReadFile(name, maxFileSize)
}

// reason is an error of the file system without the path, which its Problem already names.
func reason(err error) string {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		return inner.Err.Error()
	}
	return err.Error()
}

func targetOfURL(raw string) (*Target, error) {
	t := &Target{
		Name: "url", Protocol: "sse", Ready: ReadyHeaders, HTTP: "1.1", Order: "total",
		Subscribe: Subscribe{URL: raw, LastEventID: "header", PositionFrom: "id"},
	}
	if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
		t.Name = u.Hostname()
	}
	t.secrets = secretsOfAddress(raw)
	compiled, problems := compileRequests(t)
	if len(problems) > 0 {
		return nil, asError([]Problem{{File: "--target", Text: problems[0].err.Error()}})
	}
	if _, err := compiled.subscribe.render(SubscribeVars{Stream: "s", Streams: []string{"s"}}); err != nil {
		return nil, asError([]Problem{{File: "--target", Text: err.Error()}})
	}
	t.requests = compiled
	return t, nil
}
