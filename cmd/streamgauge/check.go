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
	"github.com/streamgauge/streamgauge/conformance/crash"
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
	full     bool
	noColor  bool
	parallel int           // of `check` alone
	hold     time.Duration // so is this
	through  throughFlags
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
  streamgauge check my-gateway.yaml --hold 130s
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
	addCheckFlags(c, &f, serverSide)
	c.Flags().IntVar(&f.parallel, "parallel", conformance.UsualParallel, "cases at once: fewer for a target that limits connections")
	c.Flags().DurationVar(&f.hold, "hold", 0, "hold streams for at least this long, and wait for what takes as long: 130s outlasts most proxies (default: while the check takes)")
	addThrough(c, &f.through)
	return c
}

// addCheckFlags adds the flags that both checks have.
func addCheckFlags(c *cobra.Command, f *checkFlags, s *side) {
	flags := c.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "judge only these requirements or areas, as in "+s.example+","+s.area)
	flags.BoolVar(&f.list, "list", false, "list what would be judged, and judge nothing")
	flags.StringVar(&f.profile, "profile", s.usual, s.about+strings.Join(s.profiles, ", "))
	flags.BoolVar(&f.strict, "strict", false, "a missed SHOULD fails")
	flags.StringVar(&f.baseline, "baseline", "", "`FILE` with the ids of known failures, one a line; # begins a comment")
	flags.StringArrayVar(&f.set, "set", nil, "set a requirement's parameter, as in "+s.setting+"; may be repeated")
	flags.Uint64Var(&f.seed, "seed", 0, "decides everything random (default: drawn, and printed)")
	flags.StringVar(&f.out, "out", "", "folder for manifest.json, result.json, junit.xml and report.html; must be new or empty")
	flags.StringVar(&f.format, "format", "table", "what stdout gets: "+strings.Join(reports.FormatNames(), ", "))
	flags.BoolVar(&f.quiet, "quiet", false, "no progress on stderr")
	flags.BoolVar(&f.full, "full", false, "the table shows all findings and all evidence")
	flags.BoolVar(&f.noColor, "no-color", false, "no colours on stdout")
	_ = c.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(s.profiles, cobra.ShellCompDirectiveNoFileComp))
}

// checkup is one `streamgauge check` or `streamgauge check-client`.
type checkup struct {
	*side

	flags      checkFlags
	target     string // as it was given; "" for the embedded broker
	parameters parameters
	baseline   *baseline                                 // nil: none
	wired      func(ctx context.Context) error           // sees that a message arrives; nil: the program itself has wired it
	redact     func(text string) string                  // hides the subject's secrets; nil: there are none
	words      func() (words, last []string)             // of the command line that name the subject, and those behind all others
	levels     func(ctx context.Context) (levels, error) // those for the subject; nil: none was named
	sources    func() []reports.Source
	stderr     io.Writer

	total  int // requirements to be judged; 0: not known
	mu     sync.Mutex
	judged map[conformance.Outcome]int
}

func checkServer(c *cobra.Command, target string, f checkFlags) error {
	if err := f.useThrough(target, c.Flags().Changed); err != nil {
		return inputError(err)
	}
	if f.parallel < 1 {
		return inputError(fmt.Errorf("--parallel %d: it must be at least 1", f.parallel))
	}
	if f.hold < 0 {
		return inputError(fmt.Errorf("--hold %v: want a duration such as 130s", f.hold))
	}
	k := &checkup{side: serverSide, flags: f, target: target, stderr: c.ErrOrStderr(), judged: map[conformance.Outcome]int{}}
	k.words, k.sources = k.targetWords, k.targetSources
	if target != "" || f.through.address != "" {
		k.levels = k.targetLevels
	}
	return k.carryOut(c, func() (judging, func(), error) {
		subject, end, err := k.subject()
		if err == nil {
			k.hide(subject.Redact)
		}
		return func(ctx context.Context) (*conformance.Result, error) { return k.judge(ctx, subject) }, end, err
	})
}

// hide has the subject's secrets hidden in all that is written.
func (k *checkup) hide(redact func(string) string) {
	k.redact = redact
	hide(k.stderr, redact)
}

// judging judges a subject.
type judging func(ctx context.Context) (*conformance.Result, error)

// carryOut reads what was given, prepares the subject, judges it and shows what came of it.
func (k *checkup) carryOut(c *cobra.Command, prepare func() (judge judging, end func(), err error)) error {
	f := k.flags
	if err := k.read(); err != nil {
		return inputError(err)
	}
	if f.list {
		return k.list(c.Context(), c.OutOrStdout())
	}
	format, err := reports.FormatNamed(f.format)
	if err != nil {
		return inputError(err)
	}
	dir, err := prepareDir(c, f.out)
	if err != nil {
		return err
	}
	judge, end, err := prepare()
	if err != nil {
		return err
	}
	defer end()
	ctx := interruptible(c)
	result, err := judge(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return errors.New("interrupted before anything was judged")
	}
	if err != nil {
		return err
	}
	if k.redact != nil {
		result = reports.MapText(result, k.redact)
	}
	opts := reportOptions(c.OutOrStdout(), f.noColor)
	opts.Full = f.full
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

// read reads and checks what was given beside the target.
func (k *checkup) read() error {
	var problems []error
	if k.flags.through.address == "" && k.flags.profile != "" && !slices.Contains(k.profiles, k.flags.profile) {
		problems = append(problems, fmt.Errorf("the profile %q: %s", k.flags.profile, scenarios.Suggest(k.flags.profile, k.profiles)))
	}
	problems = append(problems, checkOnly(k.flags.only))
	var err error
	k.parameters, err = parseParameters(k.flags.set, k.side)
	problems = append(problems, err)
	if k.flags.baseline != "" {
		k.baseline, err = readBaseline(k.flags.baseline, k.side)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// judge runs the cases and makes the result.
func (k *checkup) judge(ctx context.Context, subject *server.Subject) (*conformance.Result, error) {
	if k.wired != nil {
		if err := k.wired(ctx); err != nil && ctx.Err() == nil {
			return nil, inputError(err)
		}
	}
	for _, c := range server.Cases {
		r := conformance.RequirementByID(c.Requirement)
		count(&k.total, r != nil && r.AppliesTo(conformance.Profile(k.flags.profile)) && r.Selected(k.flags.only))
	}
	began := time.Now()
	stop := k.tell(ctx)
	verdicts, health, err := server.Check(ctx, subject, server.Cases, server.Options{
		Profile: conformance.Profile(k.flags.profile), Only: k.flags.only, Seed: k.flags.seed,
		Parallel: k.flags.parallel, Hold: k.flags.hold, Parameter: k.parameters.of, Report: k.count,
	})
	stop()
	if err != nil {
		return nil, err
	}
	return k.result(began, k.flags.profile, verdicts, health, conformance.Subject{Name: subject.Name, Kind: subject.Kind, Protocol: "sse", URL: subject.URL})
}

// result is made of the verdicts, of which there must be one.
func (k *checkup) result(began time.Time, profile string, verdicts []conformance.Verdict, health conformance.Health, subject conformance.Subject) (*conformance.Result, error) {
	if len(verdicts) == 0 {
		return nil, inputError(fmt.Errorf("nothing of what --only %s names is asked of a %s", strings.Join(k.flags.only, ","), profile))
	}
	verdicts = k.weighed(verdicts)
	return &conformance.Result{
		Version: conformance.ResultVersion, Kind: k.kind, Seed: k.flags.seed, Started: began, Subject: subject,
		Verdicts: verdicts, Health: health, Outcome: conformance.Overall(verdicts, false), Duration: conformance.Duration(time.Since(began)),
		Command: k.repeat(nil), Tool: "streamgauge " + buildVersion(),
	}, nil
}

// weighed says how to repeat what was not kept or not judged, and applies --strict and the baseline. A known failure is a warning,
// which --strict does not make a failure again.
func (k *checkup) weighed(verdicts []conformance.Verdict) []conformance.Verdict {
	advise(verdicts)
	for i := range verdicts {
		v := &verdicts[i]
		switch v.Outcome {
		case conformance.Fail, conformance.Warn, conformance.Unknown:
			v.Repeat = []string{k.repeat(conformance.RequirementByID(v.ID))}
		}
		if k.flags.strict && v.Outcome == conformance.Warn {
			v.Outcome = conformance.Fail
			v.Reason = join("a missed SHOULD fails under --strict", v.Reason)
		}
		if k.baseline != nil {
			k.baseline.apply(v)
		}
	}
	return verdicts
}

func (k *checkup) targetSources() []reports.Source {
	if text, err := scenarios.TargetText(k.target); err == nil && k.target != "" {
		return []reports.Source{reports.SourceOf("target", k.target, text)}
	}
	return nil
}

// repeat is the command line that does the same again, for one requirement or for all that were chosen.
func (k *checkup) repeat(r *conformance.Requirement) string {
	words, last := k.words()
	words = append([]string{"streamgauge", k.command}, words...)
	switch {
	case r != nil:
		words = append(words, "--only", r.ID)
	case len(k.flags.only) > 0:
		words = append(words, "--only", strings.Join(k.flags.only, ","))
	}
	if k.flags.through.address == "" && k.flags.profile != k.usual {
		words = append(words, "--profile", k.flags.profile)
	}
	if k.flags.strict {
		words = append(words, "--strict")
	}
	if r == nil && k.command == serverSide.command && k.flags.parallel != conformance.UsualParallel {
		words = append(words, "--parallel", fmt.Sprint(k.flags.parallel))
	}
	if k.flags.hold > 0 {
		words = append(words, "--hold", k.flags.hold.String())
	}
	for _, set := range k.flags.set {
		words = append(words, "--set", set)
	}
	words = append(append(words, "--seed", fmt.Sprint(k.flags.seed)), last...)
	for i := range words {
		if k.redact != nil {
			words[i] = k.redact(words[i])
		}
	}
	return quotedWords(words)
}

// targetWords name the server that is judged.
func (k *checkup) targetWords() (words, last []string) {
	if k.target != "" {
		words = append(words, scenarios.RedactPlaces(k.target))
	}
	if k.flags.through.address != "" {
		words = append(words, k.flags.through.words()...)
	}
	return words, nil
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
	crash.Go(&done, func() {
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
	judged, parts := 0, []string{}
	for _, o := range []conformance.Outcome{conformance.Pass, conformance.Fail, conformance.Warn, conformance.Info} {
		if n := k.judged[o]; n > 0 {
			judged += n
			parts = append(parts, fmt.Sprintf("%d %v", n, o))
		}
	}
	clauses := []string{"no requirement judged yet"}
	if judged > 0 {
		clauses[0] = reports.Plural(uint64(judged), "requirement") + " judged: " + strings.Join(parts, ", ")
	}
	done := judged
	for _, o := range []conformance.Outcome{conformance.Unknown, conformance.Skip} {
		if n := k.judged[o]; n > 0 {
			done += n
			clauses = append(clauses, fmt.Sprintf("%d %v", n, o))
		}
	}
	if k.total > done {
		clauses = append(clauses, fmt.Sprintf("%d of %d to go", k.total-done, k.total))
	}
	return strings.Join(clauses, "; ")
}

// targetLevels are those of the server that is named. None is started for it.
func (k *checkup) targetLevels(context.Context) (levels, error) {
	subject := &server.Subject{Origin: new(server.OriginServer)}
	if k.target != "" {
		named, end, err := k.subject()
		if err != nil {
			return nil, err
		}
		defer end()
		subject = named
	}
	return server.Levels(subject, server.Options{Profile: conformance.Profile(k.flags.profile), Hold: k.flags.hold, Parameter: k.parameters.of}), nil
}

// list shows what would be judged.
func (k *checkup) list(ctx context.Context, w io.Writer) error {
	columns, level := []string{"id", "level", "must_for", "needs", "statement"}, levels(nil)
	if k.levels != nil {
		var err error
		if level, err = k.levels(ctx); err != nil {
			return err
		}
		columns = slices.DeleteFunc(columns, func(c string) bool { return c == "must_for" })
	}
	entries, err := requirementEntries(func(r *conformance.Requirement) bool {
		asked := k.flags.profile == "" && slices.ContainsFunc(k.profiles, func(p string) bool { return r.AppliesTo(conformance.Profile(p)) }) ||
			r.AppliesTo(conformance.Profile(k.flags.profile))
		return asked && r.Selected(k.flags.only) && k.judges(r.ID)
	}, level)
	if err != nil {
		return err
	}
	if k.levels == nil && k.flags.format == "table" {
		fmt.Fprintf(k.stderr, "streamgauge: a level rises to MUST for %s that declares one of the words under MUST FOR: %s --list shows its own levels\n", k.what, k.named)
	}
	l := listing{columns: columns, entries: func([]string) ([]entry, error) { return entries, nil }}
	return l.write(w, k.flags.format, nil)
}

// parameters are what --set gave: id.name → value.
type parameters map[string]string

func (p parameters) of(id, name string) (value string, ok bool) {
	value, ok = p[id+"."+name]
	return value, ok
}

func parseParameters(set []string, s *side) (parameters, error) {
	p := parameters{}
	var problems []error
	for _, setting := range set {
		key, value, given := strings.Cut(setting, "=")
		id, name, named := strings.Cut(key, ".")
		if wrong := s.wrongParameter(id, name, value, given && named); wrong != "" {
			problems = append(problems, fmt.Errorf("--set %s: %s", setting, wrong))
		}
		p[key] = value
	}
	return p, errors.Join(problems...)
}

// longestParameter is far longer than anybody waits for one requirement.
const longestParameter = 30 * 24 * time.Hour

// wrongParameter says why a requirement's parameter cannot be set so, "" when it can. A value is of its default's kind.
func (s *side) wrongParameter(id, name, value string, whole bool) string {
	if !whole {
		return "want ID.NAME=VALUE, as in " + s.setting
	}
	r := conformance.RequirementByID(id)
	if r == nil {
		return fmt.Sprintf("there is no requirement %q: %s", id, hint(id, s.cases, "see streamgauge list requirements"))
	}
	usual, known := r.Parameters[name]
	if !known {
		names := slices.Sorted(parameterNames(r))
		if len(names) == 0 {
			return id + " has no parameters"
		}
		return fmt.Sprintf("%s has no parameter %q: it has %s", id, name, strings.Join(names, ", "))
	}
	if asUsual, err := (conformance.Parameter{Value: usual}).Number(); err == nil {
		if n, err := (conformance.Parameter{Value: value}).Number(); err != nil || n == 0 && asUsual > 1 { // of nothing nothing can be told
			return "want a number such as " + usual
		} else if most := max(asUsual*1000, 1e6); n > most {
			return fmt.Sprintf("want at most %.0f", most)
		}
	} else if _, err := (conformance.Parameter{Value: usual}).Duration(); err == nil {
		if d, err := (conformance.Parameter{Value: value}).Duration(); err != nil || d > longestParameter {
			return "want a duration such as " + usual
		}
	}
	return ""
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
