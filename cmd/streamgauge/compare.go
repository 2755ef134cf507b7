package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/compare"
	"github.com/streamgauge/streamgauge/conformance/limited"
	"github.com/streamgauge/streamgauge/reports"
)

// compareFlags are the flags of `streamgauge compare`.
type compareFlags struct {
	tolerance string
	only      []string
	force     bool
	format    string
	out       string
	noColor   bool
}

func newCompareCommand() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare OLD... NEW",
		Short: "Two results side by side; fails on a regression",
		Long: `Compare says what became of every verdict and every measure from OLD to NEW: directories that --out wrote, or files result.json. Several OLD
make a baseline; the last is NEW.

A verdict that got worse is a regression. A measure is one when its whole 95% interval lies beyond --tolerance, and beyond what the harness's
own timers were late. One OLD is enough to judge latency second by second; what else is measured varies from run to run, and three OLD or more
say how much. A difference that may be chance is none, and one that may or may not be beyond the tolerance is unclear.

Runs of another scenario, target or machine are not comparable; --force compares them all the same.

Exit codes: 0 no regression, 1 a regression, 2 something is unclear, 3 what was given cannot be read or compared.`,
		Example: `  streamgauge compare before after
  streamgauge compare baseline/* after --format markdown >> "$GITHUB_STEP_SUMMARY"
  streamgauge compare before after --tolerance 25% --only delivery,latency.by_second`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return runCompare(c, args, f) },
	}
	names := reports.FormatNames()
	flags := c.Flags()
	flags.StringVar(&f.tolerance, "tolerance", "10%", "by how much a measure may grow")
	flags.StringSliceVar(&f.only, "only", nil, "compare only these verdicts and measures, as in delivery,latency.by_second.p50,lost")
	flags.BoolVar(&f.force, "force", false, "compare runs that are not comparable")
	flags.StringVar(&f.format, "format", names[0], "what stdout gets: "+strings.Join(names, ", "))
	flags.StringVar(&f.out, "out", "", "folder for manifest.json, result.json, junit.xml and the report; must be new or empty")
	flags.BoolVar(&f.noColor, "no-color", false, "no colours on stdout")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func runCompare(c *cobra.Command, args []string, f compareFlags) error {
	format, err := reports.FormatNamed(f.format)
	if err != nil {
		return inputError(err)
	}
	tolerance, err := parseShare(f.tolerance)
	if err != nil {
		return inputError(fmt.Errorf("--tolerance %s: %w", f.tolerance, err))
	}
	runs, err := loadRuns(args)
	if err != nil {
		return inputError(err)
	}
	before, after := runs[:len(runs)-1], runs[len(runs)-1]
	why := compare.Incomparable(before, after)
	if len(why) > 0 && !f.force {
		return inputError(fmt.Errorf("these runs are not comparable (--force compares them all the same):\n%s", strings.Join(why, "\n")))
	}
	comparison := compare.Do(before, after, compare.Options{Tolerance: tolerance, Only: f.only, Forced: why})
	if len(comparison.Verdicts)+len(comparison.Measures) == 0 {
		return inputError(nothingCompared(f.only))
	}
	result := compare.Result(comparison, after)
	result.Tool, result.Command = "streamgauge "+buildVersion(), f.repeat(args)
	return f.write(c, result, format)
}

// write renders the result, stores it where --out says, and returns what it calls for.
func (f compareFlags) write(c *cobra.Command, result *conformance.Result, format reports.Format) error {
	opts := reportOptions(c.OutOrStdout(), f.noColor)
	var written error
	dir, err := prepareDir(c, f.out)
	if err != nil {
		return err
	}
	if dir != nil {
		written = dir.WriteReports(result, reports.NewManifest(result), opts, nil)
		opts.Dir, opts.Files = dir.Path, dir.Files()
	}
	if err := format.Render(c.OutOrStdout(), result, opts); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return errors.Join(written, outcomeError(result.Outcome))
}

func nothingCompared(only []string) error {
	if len(only) > 0 {
		return fmt.Errorf("--only %s matches no verdict and no measure of these results", strings.Join(only, ","))
	}
	return errors.New("these results hold neither verdicts nor measures")
}

// repeat is the command line that compares the same again.
func (f compareFlags) repeat(args []string) string {
	words := append([]string{"streamgauge", "compare"}, args...)
	words = append(words, "--tolerance", f.tolerance)
	if len(f.only) > 0 {
		words = append(words, "--only", strings.Join(f.only, ","))
	}
	if f.force {
		words = append(words, "--force")
	}
	return quotedWords(words)
}

// loadRuns reads all results; every problem is reported at once.
func loadRuns(paths []string) ([]compare.Run, error) {
	var runs []compare.Run
	var problems []error
	for _, path := range paths {
		r, err := reports.Load(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if r.Comparison != nil {
			problems = append(problems, fmt.Errorf("%s: is a comparison itself; give the runs that it compared", path))
			continue
		}
		machine, err := machineOf(path)
		if err != nil {
			problems = append(problems, err)
		}
		runs = append(runs, compare.Run{Name: path, Result: r, Machine: machine})
	}
	return runs, errors.Join(problems...)
}

// machineOf is what the manifest beside a result says. A result without one, such as an artifact that was copied alone, is of an unknown machine.
func machineOf(path string) (compare.Machine, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	path = filepath.Join(path, reports.ManifestFile)
	text, err := limited.ReadFile(path, limited.Text)
	if errors.Is(err, os.ErrNotExist) {
		return compare.Machine{}, nil
	}
	if err != nil {
		return compare.Machine{}, fmt.Errorf("reading the manifest: %w", err)
	}
	var m reports.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return compare.Machine{}, fmt.Errorf("%s: %w", path, err)
	}
	return compare.Machine{OS: m.OS, Arch: m.Arch, CPUs: m.CPUs}, nil
}
