package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/limited"
	"github.com/streamgauge/streamgauge/conformance/memory"
	"github.com/streamgauge/streamgauge/reports"
)

func newJudgeCommand() *cobra.Command {
	var format string
	var only []string
	var strict, full, noColor bool
	c := &cobra.Command{
		Use:   "judge HISTORY",
		Short: "Judge a stored history again",
		Long: `Judge reads a history that was kept in full (streamgauge run --history full --out DIR) and reaches its verdicts
again, with the code that judged the run while it went on. Of one that was kept with --history anomalies, the default, it judges how
subscribers connected; what rests on deliveries is unknown, and it says what the run had found.`,
		Example: "  streamgauge judge results/history.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := reports.FormatNamed(format)
			if err != nil {
				return inputError(err)
			}
			result, err := judgeFile(interruptible(c), args[0], only, strict)
			if err != nil {
				return inputError(err)
			}
			opts := reportOptions(c.OutOrStdout(), noColor)
			opts.Strict, opts.Full = strict, full
			if err := f.Render(c.OutOrStdout(), result, opts); err != nil {
				return fmt.Errorf("writing the report: %w", err)
			}
			return outcomeError(result.Outcome)
		},
	}
	c.Flags().StringVar(&format, "format", "table", "how the result is written")
	c.Flags().StringSliceVar(&only, "only", nil, "judge only these verdicts")
	c.Flags().BoolVar(&strict, "strict", false, "a warning fails the run")
	c.Flags().BoolVar(&full, "full", false, "the table shows all findings and all evidence")
	c.Flags().BoolVar(&noColor, "no-color", false, "no colours on stdout")
	return c
}

// noHistory says why path cannot be judged when it is a folder or a stored result, nil when it may be a history.
func noHistory(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() { // the standard input can be read once only
		return nil //nolint:nilerr // opening it says so
	}
	if begins(path, `{"streamgauge":`) {
		return nil // it need not be read to its end to be told from a result
	}
	result, err := reports.Load(path)
	switch {
	case err == nil && (result.Kind == conformance.KindCheck || result.Kind == conformance.KindCheckClient):
		return fmt.Errorf("%s: is the result of a check, which keeps no history: render it with streamgauge report, or run it again: %s", path, result.Command)
	case info.IsDir():
		return fmt.Errorf("%s: is a folder; the history in it would be %s", path, filepath.Join(path, "history.jsonl"))
	case err == nil:
		return fmt.Errorf("%s: is a result that was judged; its history would be %s", path, filepath.Join(filepath.Dir(path), "history.jsonl"))
	}
	return nil
}

func begins(path, with string) bool {
	file, err := limited.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, len(with))
	_, err = io.ReadFull(file, head)
	return err == nil && string(head) == with
}

func judgeFile(ctx context.Context, path string, only []string, strict bool) (*conformance.Result, error) {
	if err := noHistory(path); err != nil {
		return nil, err
	}
	file, err := limited.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot read the history: %w", path, errors.Unwrap(err))
	}
	defer func() { _ = file.Close() }()
	return judgeHistory(ctx, path, file, only, strict)
}

// judgeHistory judges every run of the history that in holds.
func judgeHistory(ctx context.Context, path string, in io.Reader, only []string, strict bool) (*conformance.Result, error) {
	result := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindRun,
		Subject: conformance.Subject{Name: path, Kind: "history", Protocol: "sse"},
		Command: "streamgauge judge " + path, Tool: "streamgauge " + buildVersion(),
	}
	reader := history.NewReader(&untilInterrupted{ctx, in})
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) && len(result.Runs) > 0 {
			break
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("holds no history")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(result.Runs) == 0 {
			result.Seed, result.Started = header.Seed, header.Started
		}
		judged, err := judgeRun(ctx, reader, header)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		judged.verdicts = selected(judged.verdicts, only)
		judged.run.Outcome = conformance.Overall(judged.verdicts, strict)
		result.Verdicts = append(result.Verdicts, judged.verdicts...)
		result.Measures = append(result.Measures, judged.measures...)
		result.Runs = append(result.Runs, judged.run)
		result.Duration += judged.run.Duration
	}
	result.Outcome = conformance.Overall(result.Verdicts, strict)
	result.Health = worst(result.Runs)
	return result, nil
}

// untilInterrupted ends a history early.
type untilInterrupted struct {
	context context.Context
	io.Reader
}

func (r *untilInterrupted) Read(p []byte) (int, error) {
	if r.context.Err() != nil {
		return 0, io.EOF
	}
	return r.Reader.Read(p)
}

// judged is one run of a history, judged again.
type judged struct {
	run      conformance.ScenarioRun
	verdicts []conformance.Verdict
	measures []conformance.Measure
}

func judgeRun(ctx context.Context, reader *history.Reader, header *history.Header) (*judged, error) {
	config, err := configOf(header)
	if err != nil {
		return nil, fmt.Errorf("history line %d: config%w", reader.Line(), err)
	}
	var budget *memory.Budget // this process's
	needed := config.Memory()
	if !budget.Keep(needed) {
		return nil, fmt.Errorf("history line %d: config: a judge of it takes %s, which is more than half of the %v that may be used: see --memory", reader.Line(), memory.Size(needed), budget)
	}
	defer budget.Keep(-needed)
	j := &judged{run: conformance.ScenarioRun{Scenario: config.Scenario, Subscribers: len(config.Subscribers), Streams: len(config.Streams)}}
	judge := check.New(*config)
	replay := newReplay(reader, config)
	end := history.End{}
	found := map[string]uint64{}
	if err := replay.run(func(o *history.Observation) {
		judge.Observe(o)
		if o.Kind == history.Anomaly {
			found[o.Text]++
		}
		end.At = max(end.At, o.At)
	}); err != nil {
		return nil, err
	}
	phase := history.Observation{Kind: history.Phase, Subscriber: -1, Text: "interrupted"}
	if stored := reader.End(); stored != nil {
		end = *stored
		phase.Text = "end"
		if err := j.readHealth(end.Health); err != nil {
			return nil, fmt.Errorf("history line %d: the harness's health: %w", reader.Line(), err)
		}
		j.cutShort(stored)
	} else {
		j.run.Reason, j.run.Health.OK = "the history ends before its run did", true
		if ctx.Err() != nil {
			j.run.Reason = "interrupted before the history was read to its end"
		}
	}
	if phase.At = end.At; !replay.over && !end.Interrupted {
		judge.Observe(&phase)
	}
	report := judge.Finish(end.At, j.run.Health)
	j.verdicts, j.measures = report.Verdicts, report.Measures
	j.run.Duration, j.run.Interrupted = conformance.Duration(end.At), reader.End() == nil || end.Interrupted
	if header.Mode == history.Full {
		report.Fill(&j.run)
	} else {
		j.withoutDeliveries(header.Mode, found)
	}
	if reader.End() == nil {
		for i := range j.verdicts {
			if v := &j.verdicts[i]; v.Outcome == conformance.Pass {
				v.Outcome, v.Reason, v.Power = conformance.Unknown, j.run.Reason+": what its last lines would have told is not known", nil
			}
		}
	}
	j.run.Reason = strings.Join(append(replay.notes(), j.run.Reason), "; ")
	j.run.Reason = strings.TrimSuffix(j.run.Reason, "; ")
	return j, nil
}

// cutShort notes what the history lacks.
func (j *judged) cutShort(end *history.End) {
	j.run.Health.Drops = max(j.run.Health.Drops, end.Drops)
	if end.Limit > 0 {
		j.run.Reason = fmt.Sprintf("the history was ended at %s, and lacks %s", memory.Size(end.Limit), reports.Plural(end.Drops, "observation"))
	}
}

// undelivered are the beginnings of the names of what rests on connections alone.
var undelivered = []string{"connect.", "reconnect.backoff"}

// withoutDeliveries leaves open what rests on deliveries, and says what the run had found.
func (j *judged) withoutDeliveries(mode history.Mode, found map[string]uint64) {
	judgeable := func(name string) bool {
		return slices.ContainsFunc(undelivered, func(beginning string) bool { return strings.HasPrefix(name, beginning) })
	}
	why := fmt.Sprintf("the history was kept with --history %s, which leaves deliveries out: how subscribers connected is judged, what rests on deliveries is not (streamgauge run --history full keeps them)", mode)
	seen := "no line"
	if len(found) > 0 {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(found)) {
			parts = append(parts, fmt.Sprintf("%s: %s", name, reports.Plural(found[name], "line")))
		}
		seen = strings.Join(parts, ", ")
	}
	j.run.Reason = why + "; of what the run found wrong it holds " + seen
	j.run.Duration = 0 // the figures of a run are those of its deliveries
	for i := range j.verdicts {
		if v := &j.verdicts[i]; !judgeable(v.ID) {
			*v = conformance.Verdict{ID: v.ID, Title: v.Title, Scenario: v.Scenario, Level: v.Level, Expected: v.Expected, Reason: why}
		}
	}
	j.measures = slices.DeleteFunc(j.measures, func(m conformance.Measure) bool { return !judgeable(m.Name) })
}

// readHealth reads the harness's account of itself. A program that kept none is taken to have been well.
func (j *judged) readHealth(text json.RawMessage) error {
	account := struct {
		*conformance.Health
		OK *bool `json:"ok"`
	}{Health: &j.run.Health}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &account); err != nil {
			return err
		}
	}
	j.run.Health.OK = account.OK == nil || *account.OK
	return nil
}
