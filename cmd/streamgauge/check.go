package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

// checkFlags are the flags of `streamgauge check`.
type checkFlags struct {
	only     []string
	list     bool
	profile  string
	strict   bool
	baseline string
	set      []string
	seed     uint64
	out      string
	format   string
	quiet    bool
	noColor  bool
	through  throughFlags
}

// serverProfiles are those that a server can be checked as.
var serverProfiles = []string{
	string(conformance.ProfileServer), string(conformance.ProfileLibrary), string(conformance.ProfileBroker), string(conformance.ProfileMercure),
}

func newCheckCommand() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check [TARGET]",
		Short: "Server conformance: one verdict per requirement",
		Long: `Check judges a server of event streams, requirement by requirement. TARGET is a target file, a preset or the
address of a stream; without it the embedded reference broker is judged.

An address alone is enough for framing, headers, heartbeat and limits. With a publisher, tokens and commands in a target
file more can be judged; what cannot be is skipped, with the reason.

A baseline lists known failures, one id a line. They still run; one that passes makes the check fail, so that the list stays true.`,
		Example: `  streamgauge check
  streamgauge check https://gw.example/events
  streamgauge check my-gateway.yaml --only FORM,SSE-HTTPS-003 --strict
  streamgauge check --through http://127.0.0.1:8080/events --origin 127.0.0.1:9000
  streamgauge check my-gateway.yaml --set SSE-HBS-001.silence=30s --baseline known.txt`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarios.PresetNames(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("seed") {
				f.seed = rand.Uint64N(1 << 32)
			}
			return checkServer(c, strings.Join(args, ""), f)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "judge only these requirements or areas, as in SSE-FORM-003,HTTPS")
	flags.BoolVar(&f.list, "list", false, "list what would be judged, and judge nothing")
	flags.StringVar(&f.profile, "profile", string(conformance.ProfileBroker), "what the target is: "+strings.Join(serverProfiles, ", "))
	flags.BoolVar(&f.strict, "strict", false, "a missed SHOULD fails")
	flags.StringVar(&f.baseline, "baseline", "", "`FILE` with the ids of known failures, one a line; # begins a comment")
	flags.StringArrayVar(&f.set, "set", nil, "set a requirement's parameter, as in SSE-HBS-001.silence=30s; may be repeated")
	flags.Uint64Var(&f.seed, "seed", 0, "decides everything random (default: drawn, and printed)")
	flags.StringVar(&f.out, "out", "", "folder for manifest.json, result.json and junit.xml; must be new or empty")
	flags.StringVar(&f.format, "format", "table", "what stdout gets: "+strings.Join(reports.FormatNames(), ", "))
	flags.BoolVar(&f.quiet, "quiet", false, "no progress on stderr")
	flags.BoolVar(&f.noColor, "no-color", false, "no colours on stdout")
	addThrough(c, &f.through)
	_ = c.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(serverProfiles, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// checkup is one `streamgauge check`.
type checkup struct {
	flags      checkFlags
	target     string // as it was given; "" for the embedded broker
	parameters parameters
	baseline   *baseline // nil: none
	stderr     io.Writer

	mu     sync.Mutex
	judged map[conformance.Outcome]int
}

func checkServer(c *cobra.Command, target string, f checkFlags) error {
	format, err := reports.FormatNamed(f.format)
	if err != nil {
		return inputError(err)
	}
	if err := f.useThrough(target); err != nil {
		return inputError(err)
	}
	k := &checkup{flags: f, target: target, stderr: c.ErrOrStderr(), judged: map[conformance.Outcome]int{}}
	if err := k.read(); err != nil {
		return inputError(err)
	}
	if f.list {
		return k.list(c.OutOrStdout())
	}
	dir, err := prepareDir(f.out)
	if err != nil {
		return inputError(err)
	}
	subject, end, err := k.subject()
	if err != nil {
		return err
	}
	defer end()
	ctx, stop := interruptible(c.Context(), k.stderr)
	result, err := k.judge(ctx, subject)
	stop()
	if err != nil {
		return err
	}
	opts := reportOptions(c.OutOrStdout(), f.noColor)
	var written error
	if dir != nil {
		written = dir.WriteReports(result, reports.NewManifest(result, k.sources()...), opts, nil)
		opts.Dir, opts.Files = dir.Path, dir.Files()
	}
	if err := format.Render(c.OutOrStdout(), result, opts); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if written != nil {
		return written
	}
	return outcomeError(result.Outcome)
}

func prepareDir(path string) (*reports.Dir, error) {
	if path == "" {
		return nil, nil
	}
	return reports.PrepareDir(path)
}

// read reads and checks what was given beside the target.
func (k *checkup) read() error {
	requirements, err := conformance.Requirements()
	if err != nil {
		return err
	}
	var problems []error
	if k.flags.through.address == "" && !slices.Contains(serverProfiles, k.flags.profile) {
		problems = append(problems, fmt.Errorf("the profile %q: %s", k.flags.profile, scenarios.Suggest(k.flags.profile, serverProfiles)))
	}
	for _, word := range k.flags.only {
		if !slices.ContainsFunc(requirements, func(r conformance.Requirement) bool { return r.Selected([]string{word}) }) {
			problems = append(problems, fmt.Errorf("--only %s names no requirement and no area: see streamgauge list requirements", word))
		}
	}
	k.parameters, err = parseParameters(k.flags.set)
	problems = append(problems, err)
	if k.flags.baseline != "" {
		k.baseline, err = readBaseline(k.flags.baseline)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// judge runs the cases and makes the result.
func (k *checkup) judge(ctx context.Context, subject *server.Subject) (*conformance.Result, error) {
	result := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindCheck, Seed: k.flags.seed, Started: time.Now(),
		Subject: conformance.Subject{Name: subject.Name, Kind: subject.Kind, Protocol: "sse", URL: subject.URL},
		Command: k.repeat(nil), Tool: "streamgauge " + buildVersion(),
	}
	stop := k.tell(ctx)
	verdicts, health, err := server.Check(ctx, subject, server.Cases, server.Options{
		Profile: conformance.Profile(k.flags.profile), Only: k.flags.only, Seed: k.flags.seed,
		Parameter: k.parameters.of, Report: k.count,
		Next: func(r *conformance.Requirement) string { return "repeat it with: " + k.repeat(r) },
	})
	stop()
	if err != nil {
		return nil, err
	}
	if len(verdicts) == 0 {
		return nil, inputError(fmt.Errorf("nothing of what --only %s names is asked of a %s", strings.Join(k.flags.only, ","), k.flags.profile))
	}
	result.Verdicts, result.Health = k.weighed(verdicts), health
	result.Duration = conformance.Duration(time.Since(result.Started))
	result.Outcome = conformance.Overall(result.Verdicts, false)
	return result, nil
}

// weighed applies --strict and the baseline. A known failure is a warning, which --strict does not make a failure again.
func (k *checkup) weighed(verdicts []conformance.Verdict) []conformance.Verdict {
	for i := range verdicts {
		if k.flags.strict && verdicts[i].Outcome == conformance.Warn {
			verdicts[i].Outcome = conformance.Fail
		}
		if k.baseline != nil {
			k.baseline.apply(&verdicts[i])
		}
	}
	return verdicts
}

func (k *checkup) sources() []reports.Source {
	if text, err := scenarios.TargetText(k.target); err == nil && k.target != "" {
		return []reports.Source{reports.SourceOf("target", k.target, text)}
	}
	return nil
}

// repeat is the command line that does the same again, for one requirement or for all that were chosen.
func (k *checkup) repeat(r *conformance.Requirement) string {
	words := []string{"streamgauge", "check"}
	if k.target != "" {
		words = append(words, redactedURL(k.target))
	}
	switch {
	case r != nil:
		words = append(words, "--only", r.ID)
	case len(k.flags.only) > 0:
		words = append(words, "--only", strings.Join(k.flags.only, ","))
	}
	if k.flags.through.address != "" {
		words = append(words, k.flags.through.words()...)
	} else if k.flags.profile != string(conformance.ProfileBroker) {
		words = append(words, "--profile", k.flags.profile)
	}
	for _, set := range k.flags.set {
		words = append(words, "--set", set)
	}
	return quotedWords(append(words, "--seed", fmt.Sprint(k.flags.seed)))
}

// count is told of every verdict as it is reached.
func (k *checkup) count(v conformance.Verdict) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.judged[v.Outcome]++
}

// tellEvery is how often progress is reported.
const tellEvery = 5 * time.Second

// tell reports progress until it is stopped.
func (k *checkup) tell(ctx context.Context) (stop func()) {
	if k.flags.quiet {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(tellEvery)
		defer ticker.Stop()
		for last := ""; ; {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if now := k.progress(); now != last {
					last = now
					fmt.Fprintln(k.stderr, "streamgauge: "+now)
				}
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

func (k *checkup) progress() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	total, parts := 0, []string{}
	for o := conformance.Unknown; o <= conformance.Fail; o++ {
		if n := k.judged[o]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %v", n, o))
		}
	}
	if total == 0 {
		return "no requirement judged yet"
	}
	return fmt.Sprintf("%d requirements judged: %s", total, strings.Join(parts, ", "))
}

// list shows what would be judged.
func (k *checkup) list(w io.Writer) error {
	entries, err := requirementEntries(func(r *conformance.Requirement) bool {
		return r.AppliesTo(conformance.Profile(k.flags.profile)) && r.Selected(k.flags.only) && hasCase(r.ID)
	})
	if err != nil {
		return err
	}
	return listing{columns: []string{"id", "level", "needs", "statement"}}.table(w, entries)
}

func hasCase(id string) bool {
	return slices.ContainsFunc(server.Cases, func(c server.Case) bool { return c.Requirement == id })
}

// parameters are what --set gave: id.name → value.
type parameters map[string]string

func (p parameters) of(id, name string) (value string, ok bool) {
	value, ok = p[id+"."+name]
	return value, ok
}

func parseParameters(set []string) (parameters, error) {
	p := parameters{}
	var problems []error
	for _, s := range set {
		key, value, _ := strings.Cut(s, "=")
		id, name, _ := strings.Cut(key, ".")
		r := conformance.RequirementByID(id)
		switch {
		case r == nil:
			problems = append(problems, fmt.Errorf("--set %s: there is no requirement %q", s, id))
		case !slices.Contains(slices.Sorted(parameterNames(r)), name):
			names := slices.Sorted(parameterNames(r))
			problems = append(problems, fmt.Errorf("--set %s: %s has no parameter %q: it has [%s]", s, id, name, strings.Join(names, " ")))
		default:
			p[key] = value
		}
	}
	return p, errors.Join(problems...)
}

func parameterNames(r *conformance.Requirement) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range r.Parameters {
			if !yield(name) {
				return
			}
		}
	}
}

// lookupTarget loads a target file, a preset or an address.
func lookupTarget(name string) (*scenarios.Target, error) {
	return scenarios.LoadTarget(name, os.LookupEnv)
}
