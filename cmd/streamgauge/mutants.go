package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/matrix"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

// mutantFlags are the flags of `streamgauge mutants`.
type mutantFlags struct {
	only    []string
	short   bool
	heavy   bool
	list    bool
	seed    uint64
	out     string
	format  string
	quiet   bool
	noColor bool
	row     string   // hidden: what one row comes to, for the process that asks
	columns []string // of that row
}

func newMutantsCommand() *cobra.Command {
	var f mutantFlags
	c := &cobra.Command{
		Use:   "mutants",
		Short: "The kill matrix: every mutant against what must catch it",
		Long: `Mutants judges the judges. Each mutant is the reference broker, client or gateway with one deliberate defect: what it
breaks must fail, and nothing unrelated may: that is judged by its own areas and by a third of all other requirements, which the
seed decides. Each correct subject, usual or not, must pass everything.

A mutant that is not caught is a survivor, a correct subject that is accused a false alarm. What a busy machine leaves unknown is
judged again, and never taken for either.

Exit codes: 0 none of these, 1 a survivor, a false alarm or an unrelated failure, 2 only something undecided.`,
		Example: `  streamgauge mutants
  streamgauge mutants --short
  streamgauge mutants --only never-beats,reference-broker --format markdown
  streamgauge serve --mutant never-beats`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runMatrix(c, f) },
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "only these mutants and correct subjects, see --list")
	flags.BoolVar(&f.short, "short", false, "each mutant against what it names, and no correct servers: a fraction of the time")
	flags.BoolVar(&f.heavy, "heavy", false, "every mutant by all requirements, also those that ask most of a subject, and in a scenario: half an hour")
	c.MarkFlagsMutuallyExclusive("short", "heavy")
	flags.BoolVar(&f.list, "list", false, "list what would be run, and run nothing")
	flags.Uint64Var(&f.seed, "seed", 1, "decides everything random")
	flags.StringVar(&f.out, "out", "", "folder for manifest.json, result.json, junit.xml and report.html; must be new or empty")
	flags.StringVar(&f.format, "format", "table", "what stdout gets: "+strings.Join(reports.FormatNames(), ", "))
	flags.BoolVar(&f.quiet, "quiet", false, "no progress on stderr")
	flags.BoolVar(&f.noColor, "no-color", false, "no colours on stdout")
	flags.StringVar(&f.row, "row", "", "judge one row and write what came out as JSON")
	flags.StringSliceVar(&f.columns, "columns", nil, "the cases by which --row is judged")
	for _, name := range []string{"row", "columns"} {
		_ = flags.MarkHidden(name) // it is there
	}
	_ = c.RegisterFlagCompletionFunc("only", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		names, err := matrix.Names()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

func runMatrix(c *cobra.Command, f mutantFlags) error {
	format, err := reports.FormatNamed(f.format)
	if err != nil {
		return inputError(err)
	}
	rows, err := f.rows()
	if err != nil {
		return err
	}
	if f.list {
		return listRows(c.OutOrStdout(), rows)
	}
	if f.row != "" {
		return f.judgeRow(interruptible(c), c.OutOrStdout(), rows)
	}
	dir, err := prepareDir(c, f.out)
	if err != nil {
		return err
	}
	result := f.judge(c, rows)
	opts := reportOptions(c.OutOrStdout(), f.noColor)
	var written error
	if dir != nil {
		written = dir.WriteReports(result, reports.NewManifest(result), opts, nil)
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

// rows are the rows that were asked for.
func (f mutantFlags) rows() ([]matrix.Row, error) {
	names, err := matrix.Names()
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, name := range f.only {
		if !slices.Contains(names, name) {
			problems = append(problems, fmt.Errorf("--only %s: %s", name, scenarios.Suggest(name, names)))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, inputError(err)
	}
	rows, err := matrix.Rows(matrix.Selection{Only: f.only, Short: f.short, Heavy: f.heavy, Seed: f.seed})
	if err == nil && len(rows) == 0 {
		err = inputError(fmt.Errorf("the short form has nothing of --only %s: leave --short out", strings.Join(f.only, ",")))
	}
	return rows, err
}

// judge carries the rows out. After an interrupt the rest is undecided.
func (f mutantFlags) judge(c *cobra.Command, rows []matrix.Row) *conformance.Result {
	result := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindMutants, Seed: f.seed, Started: time.Now(),
		Subject: conformance.Subject{Name: "mutants of the references", Kind: "reference", Protocol: "sse"},
		Command: quotedWords(f.repeat()), Tool: "streamgauge " + buildVersion(),
	}
	stderr := c.ErrOrStderr()
	p := &matrixProgress{w: stderr, quiet: f.quiet}
	matrix.Run(interruptible(c), rows, matrix.Options{Report: p.report, Apart: f.judgeApart}).Fill(result)
	result.Duration = conformance.Duration(time.Since(result.Started))
	return result
}

// repeat is the command line that does the same again.
func (f mutantFlags) repeat() []string {
	words := []string{"streamgauge", "mutants"}
	if len(f.only) > 0 {
		words = append(words, "--only", strings.Join(f.only, ","))
	}
	if f.short {
		words = append(words, "--short")
	}
	if f.heavy {
		words = append(words, "--heavy")
	}
	return append(words, "--seed", fmt.Sprint(f.seed))
}

// matrixProgress tells now and then how many rows are judged.
type matrixProgress struct {
	w     io.Writer
	quiet bool

	mu   sync.Mutex
	told time.Time
}

func (p *matrixProgress) report(done, total int, about string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet || done < total && time.Since(p.told) < tellEvery {
		return
	}
	p.told = time.Now()
	fmt.Fprintf(p.w, "streamgauge: %d of %d: %s\n", done, total, about)
}

// listRows shows what would be run.
func listRows(w io.Writer, rows []matrix.Row) error {
	var entries []entry
	for i := range rows {
		r := &rows[i]
		by := r.Scenario
		if by == "" {
			by = conformance.Plural(len(r.Columns), "case")
		}
		entries = append(entries, entry{"subject": r.Name, "group": string(r.Group), "judged by": by, "kills": r.Kills, "about": r.About})
	}
	return listing{columns: []string{"subject", "group", "judged by", "kills", "about"}}.table(w, entries)
}
