package conformance

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

// Requirement is one sentence that a subject must keep, with where it is written down and how it is judged.
type Requirement struct {
	ID         string            `yaml:"id"`   // SSE-FORM-003; never changes its meaning
	Side       string            `yaml:"side"` // server | client | intermediary | delivery
	Level      Level             `yaml:"level"`
	Core       bool              `yaml:"core"`     // belongs to what every subject of its profiles is expected to keep
	Security   bool              `yaml:"security"` // missing it fails, whatever the level
	Statement  string            `yaml:"statement"`
	Sources    []string          `yaml:"sources"`
	Profiles   []Profile         `yaml:"profiles"`
	MustFor    []string          `yaml:"must_for"` // profiles, declarations, and parameters once set, that make a SHOULD a MUST
	Needs      []Access          `yaml:"needs"`    // all the access that judging takes
	Parameters map[string]string `yaml:"params"`   // name → default: a duration, a number or a text
	Stimulus   string            `yaml:"stimulus"`
	Observe    string            `yaml:"observe"`
	Verdict    string            `yaml:"verdict"`
	Lasts      string            `yaml:"lasts"` // how long it holds or waits, where that is long; "" elsewhere
	Notes      string            `yaml:"notes"`
	Corrected  string            `yaml:"corrected"` // what was changed in the catalogue it was taken from, and why
}

// Profile is the kind of subject that a requirement is about.
type Profile string

const (
	ProfileServer  Profile = "sse-server"
	ProfileLibrary Profile = "sse-server-lib"
	ProfileBroker  Profile = "sse-broker"
	ProfileMercure Profile = "mercure-hub"
	ProfileGateway Profile = "gateway"
	ProfileBrowser Profile = "whatwg-client"
	ProfileSDK     Profile = "sdk-client"
	ProfileSLO     Profile = "slo"
)

// kinds says what a profile is as well: a hub is a broker, and a broker is a server.
var kinds = map[Profile][]Profile{
	ProfileServer:  {ProfileServer},
	ProfileLibrary: {ProfileLibrary, ProfileServer},
	ProfileBroker:  {ProfileBroker, ProfileServer},
	ProfileMercure: {ProfileMercure, ProfileBroker, ProfileServer},
	ProfileGateway: {ProfileGateway},
	ProfileBrowser: {ProfileBrowser},
	ProfileSDK:     {ProfileSDK},
	ProfileSLO:     {ProfileSLO},
}

// Includes says whether what is asked of other is asked of p.
func (p Profile) Includes(other Profile) bool { return slices.Contains(kinds[p], other) }

// Access is something that judging needs to have of a subject.
type Access string

const (
	AccessSubscribe Access = "subscribe" // the address of a stream
	AccessPublish   Access = "publish"   // a way to publish
	AccessAuth      Access = "auth"      // streams that tokens protect
	AccessTokens    Access = "tokens"    // tokens made for given streams and lives
	AccessKey       Access = "key"       // the signing key, so that wrong tokens can be made
	AccessCookie    Access = "cookie"    // authentication by cookie
	AccessRevoke    Access = "revoke"    // a way to withdraw a token's rights
	AccessRestart   Access = "restart"   // a command that restarts it
	AccessDrain     Access = "drain"     // a command that shuts it down gracefully
	AccessMemory    Access = "memory"    // its resident memory
	AccessFiles     Access = "files"     // how many files it has open
	AccessNodes     Access = "nodes"     // several addresses of one cluster
	AccessClient    Access = "client"    // a client behind an adapter
	AccessProxy     Access = "proxy"     // the harness on both sides of it
)

// Area is the part of the catalogue that a requirement belongs to: FORM of SSE-FORM-003.
func (r *Requirement) Area() string { return AreaOf(r.ID) }

// AreaOf is the area in a requirement's id, or "" when it is no such id.
func AreaOf(id string) string {
	if parts := strings.Split(id, "-"); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

// AppliesTo says whether the requirement is asked of a subject of this profile.
func (r *Requirement) AppliesTo(p Profile) bool { return slices.ContainsFunc(r.Profiles, p.Includes) }

// LevelFor is the level for a subject of which the given profiles and declarations hold. What a subject declares it must keep.
func (r *Requirement) LevelFor(holds func(word string) bool) Level {
	if slices.ContainsFunc(r.MustFor, holds) {
		return Must
	}
	return r.Level
}

// Missed is what it means that the requirement was not met: a fail for a MUST and for whatever concerns security, a warn for a
// SHOULD, and only a note for what may be done or left.
func (r *Requirement) Missed(level Level) Outcome {
	switch {
	case r.Security || level == Must:
		return Fail
	case level == Should:
		return Warn
	}
	return Info
}

// Selected says whether one of the given words names the requirement: its whole id, its area, or its id without SSE-.
func (r *Requirement) Selected(words []string) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(word string) bool {
		word = strings.TrimPrefix(strings.ToUpper(word), "SSE-")
		return word == r.Area() || "SSE-"+word == r.ID
	})
}

//go:embed requirements.yaml
var requirementsText []byte

// catalogue is the form of requirements.yaml.
type catalogue struct {
	Version      int               `yaml:"version"`
	Revision     string            `yaml:"revision"`
	Sources      map[string]string `yaml:"sources"`
	Normative    []string          `yaml:"normative"`    // of the sources, those that bind whom they are about
	Declarations map[string]string `yaml:"declarations"` // what a subject can promise beside its profile
	Profiles     map[string]string `yaml:"profiles"`
	Needs        map[string]string `yaml:"needs"`
	Requirements []Requirement     `yaml:"requirements"`
}

var loaded = sync.OnceValues(func() (*catalogue, error) { return parseCatalogue(requirementsText) })

// Requirements is the embedded catalogue, in its order. The slice and what it holds are shared: change nothing in them. The error
// is that of a program built with a broken catalogue.
func Requirements() ([]Requirement, error) {
	c, err := loaded()
	if err != nil {
		return nil, err
	}
	return c.Requirements, nil
}

// Declarations are what a subject can promise beside its profile, each with where it does: what makes a SHOULD a MUST for it.
func Declarations() map[string]string {
	c, err := loaded()
	if err != nil {
		return nil
	}
	return c.Declarations
}

// Revision names the set of requirements, so that two results can be told apart.
func Revision() string {
	c, err := loaded()
	if err != nil {
		return ""
	}
	return c.Revision
}

// RequirementByID finds a requirement of the embedded catalogue; nil when there is none.
func RequirementByID(id string) *Requirement {
	c, err := loaded()
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(c.Requirements, func(r Requirement) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Requirements[i]
}

func parseCatalogue(text []byte) (*catalogue, error) {
	var c catalogue
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("reading the catalogue of requirements: %w", err)
	}
	var problems []error
	seen := map[string]bool{}
	for i := range c.Requirements {
		r := &c.Requirements[i]
		for _, problem := range c.problems(r) {
			problems = append(problems, fmt.Errorf("requirement %s: %s", r.ID, problem))
		}
		if seen[r.ID] {
			problems = append(problems, fmt.Errorf("requirement %s: its id is used twice", r.ID))
		}
		seen[r.ID] = true
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &c, nil
}

var idForm = regexp.MustCompile(`^SSE-[A-Z]+-[0-9]{3}$`)

func (c *catalogue) problems(r *Requirement) (problems []string) {
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	wrong(!idForm.MatchString(r.ID), "want an id such as SSE-FORM-003")
	wrong(!slices.Contains([]string{"server", "client", "intermediary", "delivery"}, r.Side), "side is %q", r.Side)
	wrong(!slices.Contains([]Level{Must, Should, May}, r.Level), "level is %q", r.Level)
	wrong(!strings.HasSuffix(r.Statement, "."), "the statement %q is no sentence", r.Statement)
	wrong(len(r.Sources) == 0, "no source")
	wrong(r.Stimulus == "" || r.Observe == "" || r.Verdict == "", "it is not said how it is judged")
	wrong(len(r.Profiles) == 0 || len(r.Needs) == 0, "want at least one profile and one access")
	wrong(r.Level == Must && !r.Security && !slices.ContainsFunc(r.Sources, func(s string) bool { return c.binds(s, r) }),
		"a MUST needs the section of a normative source, or to concern security; what rests on a promise is a SHOULD with must_for")
	for _, word := range r.MustFor {
		_, parameter := r.Parameters[word]
		wrong(c.Profiles[word] == "" && c.Declarations[word] == "" && !parameter, "must_for %q is neither a profile nor a declaration nor a parameter", word)
	}
	for _, p := range r.Profiles {
		wrong(c.Profiles[string(p)] == "", "profile %q is not explained", p)
	}
	for _, n := range r.Needs {
		wrong(c.Needs[string(n)] == "", "access %q is not explained", n)
	}
	return problems
}

// binds says whether a source is normative for those whom a requirement is about: a standard with its section, or a test of one. A protocol
// binds those who speak it.
func (c *catalogue) binds(source string, r *Requirement) bool {
	name, section, _ := strings.Cut(source, "#")
	name, test, _ := strings.Cut(name, ":")
	if rfcForm.MatchString(name) {
		name = "rfcNNNN"
	}
	return slices.Contains(c.Normative, name) && (section != "" || test != "") &&
		(name != "mercure" || !slices.ContainsFunc(r.Profiles, func(p Profile) bool { return p != ProfileMercure }))
}

var rfcForm = regexp.MustCompile(`^rfc[0-9]+$`)

// Parameter is a requirement's parameter: what a user set, else its default.
type Parameter struct {
	Name  string
	Value string
}

// Duration reads a duration such as 15s.
func (p Parameter) Duration() (time.Duration, error) {
	d, err := time.ParseDuration(p.Value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("parameter %s is %q, want a duration such as 15s", p.Name, p.Value)
	}
	return d, nil
}

// Number reads a number.
func (p Parameter) Number() (float64, error) {
	n, err := strconv.ParseFloat(p.Value, 64)
	if err != nil || !(n >= 0 && n <= math.MaxInt32) { // also no number at all
		return 0, fmt.Errorf("parameter %s is %q, want a number", p.Name, p.Value)
	}
	return n, nil
}
