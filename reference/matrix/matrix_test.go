package matrix_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/matrix"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

const (
	passes   = conformance.Pass
	fails    = conformance.Fail
	warns    = conformance.Warn
	unknown  = conformance.Unknown
	skipped  = conformance.Skip
	tooBusy  = "but this machine was too busy to tell"
	unclear  = "no stream could be opened"
	first    = "SSE-FORM-001"
	second   = "SSE-FORM-002"
	promised = "delivery.complete"
)

func said(id string, o conformance.Outcome, reason ...string) conformance.Verdict {
	return conformance.Verdict{ID: id, Outcome: o, Reason: strings.Join(reason, "")}
}

// saying is a subject about which this is said, however often it is judged.
func saying(verdicts ...conformance.Verdict) func(context.Context, []string) (matrix.Judged, error) {
	return func(context.Context, []string) (matrix.Judged, error) { return matrix.Judged{Verdicts: verdicts}, nil }
}

func broken(judge func(context.Context, []string) (matrix.Judged, error)) matrix.Row {
	return matrix.Row{
		Name: "broken", Group: matrix.ServerMutants, Kills: []string{first}, Columns: []string{first, second}, Judge: judge,
	}
}

func right(judge func(context.Context, []string) (matrix.Judged, error)) matrix.Row {
	return matrix.Row{Name: "right", Group: matrix.Correct, Columns: []string{first, second}, Judge: judge}
}

// marks are those of a line: id → mark.
func marks(l matrix.Line) map[string]string {
	m := map[string]string{}
	for _, c := range l.Cells {
		m[c.Verdict.ID] = c.Mark.String()
	}
	return m
}

// TestMatrixCanFail: each way in which a judge can be wrong is named, and decides the outcome.
func TestMatrixCanFail(t *testing.T) {
	t.Parallel()
	allowing := broken(saying(said(first, fails), said(second, fails)))
	allowing.May = []mutant.May{{ID: second, Why: "it follows"}}
	told := broken(saying(said(promised, fails), said("delivery.unique", passes)))
	told.Kills, told.Columns, told.Told, told.Scenario = nil, nil, true, "steady"
	partly := right(saying(said(promised, skipped)))
	partly.Columns, partly.Scenario = nil, "steady"
	for name, test := range map[string]struct {
		row     matrix.Row
		marks   map[string]string
		outcome conformance.Outcome
	}{
		"a kill":                                    {broken(saying(said(first, fails), said(second, passes))), map[string]string{first: "kill", second: "kept"}, passes},
		"a kill by a warning":                       {broken(saying(said(first, warns), said(second, skipped))), map[string]string{first: "kill", second: "unjudged"}, passes},
		"what follows from the defect":              {allowing, map[string]string{first: "kill", second: "allowed"}, passes},
		"a survivor":                                {broken(saying(said(first, passes), said(second, passes))), map[string]string{first: "survivor", second: "kept"}, fails},
		"a survivor by skipping":                    {broken(saying(said(first, skipped), said(second, passes))), map[string]string{first: "survivor", second: "kept"}, fails},
		"a survivor by not telling":                 {broken(saying(said(first, unknown, unclear), said(second, passes))), map[string]string{first: "survivor", second: "kept"}, fails},
		"a survivor by not judging":                 {broken(saying(said(second, passes))), map[string]string{first: "survivor", second: "kept"}, fails},
		"an unrelated failure":                      {broken(saying(said(first, fails), said(second, warns))), map[string]string{first: "kill", second: "unrelated failure"}, fails},
		"an unrelated unknown":                      {broken(saying(said(first, fails), said(second, unknown, unclear))), map[string]string{first: "kill", second: "unjudged"}, passes},
		"a busy machine":                            {broken(saying(said(first, unknown, tooBusy), said(second, passes))), map[string]string{first: "undecided", second: "kept"}, unknown},
		"a right subject":                           {right(saying(said(first, passes), said(second, skipped))), map[string]string{first: "kept", second: "unjudged"}, passes},
		"a false alarm":                             {right(saying(said(first, fails), said(second, passes))), map[string]string{first: "false alarm", second: "kept"}, fails},
		"a false warning":                           {right(saying(said(first, warns), said(second, passes))), map[string]string{first: "false alarm", second: "kept"}, fails},
		"an undecided verdict":                      {right(saying(said(first, unknown, unclear), said(second, passes))), map[string]string{first: "undecided", second: "kept"}, unknown},
		"a right subject not judged":                {right(saying(said(first, passes))), map[string]string{first: "kept", second: "undecided"}, unknown},
		"a promise that a scenario has no room for": {partly, map[string]string{promised: "unjudged"}, passes},
		"what is told":                              {told, map[string]string{promised: "told", "delivery.unique": "kept"}, passes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := matrix.Run(t.Context(), []matrix.Row{test.row}, matrix.Options{})
			if diff := cmp.Diff(test.marks, marks(m.Lines[0])); diff != "" {
				t.Errorf("marks (-want +got):\n%s", diff)
			}
			var result conformance.Result
			m.Fill(&result)
			if result.Outcome != test.outcome {
				t.Errorf("the outcome is %v, want %v", result.Outcome, test.outcome)
			}
			if wrong := len(m.Problems()) > 0; wrong != (test.outcome != passes) {
				t.Errorf("%d problems, and the outcome is %v", len(m.Problems()), test.outcome)
			}
			for _, p := range m.Problems() {
				if !strings.Contains(p.String(), p.Cell.Mark.String()) || !strings.Contains(p.String(), p.Cell.Verdict.ID) {
					t.Errorf("%q does not say what is wrong with what", p)
				}
			}
		})
	}
}

// TestWhatABusyMachineLeftOpenIsJudgedAgain: only that, and it may then turn out either way.
func TestWhatABusyMachineLeftOpenIsJudgedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		then  conformance.Outcome
		mark  string
		again [][]string
	}{{fails, "kill", [][]string{{first}}}, {passes, "survivor", [][]string{{first}, {first}}}} {
		var asked [][]string
		row := broken(func(_ context.Context, columns []string) (matrix.Judged, error) {
			asked = append(asked, columns)
			if len(asked) == 1 {
				return matrix.Judged{Verdicts: []conformance.Verdict{said(first, unknown, tooBusy), said(second, passes)}}, nil
			}
			return matrix.Judged{Verdicts: []conformance.Verdict{said(first, test.then)}}, nil
		})
		m := matrix.Run(t.Context(), []matrix.Row{row}, matrix.Options{})
		if diff := cmp.Diff(map[string]string{first: test.mark, second: "kept"}, marks(m.Lines[0])); diff != "" {
			t.Errorf("marks (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(append([][]string{{first, second}}, test.again...), asked); diff != "" {
			t.Errorf("what was judged (-want +got):\n%s", diff)
		}
		if reason := m.Lines[0].Cells[0].Verdict.Reason; !strings.Contains(reason, tooBusy) {
			t.Errorf("the first attempt is not shown: %q", reason)
		}
	}
}

// TestWhatOthersKeepFromTheProcessorIsJudgedAgainOnce: again and again would say nothing else.
func TestWhatOthersKeepFromTheProcessorIsJudgedAgainOnce(t *testing.T) {
	t.Parallel()
	for held, want := range map[float64]int{0: 5, 10: 5, 100: 2} {
		judgings := 0
		row := broken(func(_ context.Context, columns []string) (matrix.Judged, error) {
			judgings++
			health := conformance.Health{Contention: []conformance.HeldUp{{Within: conformance.Duration(500 * time.Millisecond), P50: held}}}
			return matrix.Judged{Verdicts: []conformance.Verdict{said(columns[0], unknown, tooBusy)}, Health: health}, nil
		})
		row.Columns = []string{first}
		matrix.Run(t.Context(), []matrix.Row{row}, matrix.Options{})
		if judgings != want {
			t.Errorf("held up for %v of 500 ms: %d judgings, want %d", held, judgings, want)
		}
	}
}

// TestWhatContradictsIsJudgedOnceMore: by itself, and what it was before is shown.
func TestWhatContradictsIsJudgedOnceMore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		then    conformance.Outcome
		mark    string
		outcome conformance.Outcome
	}{{passes, "kept", passes}, {fails, "false alarm", fails}} {
		judgings := 0
		row := right(func(_ context.Context, columns []string) (matrix.Judged, error) {
			if judgings++; judgings == 1 {
				return matrix.Judged{Verdicts: []conformance.Verdict{said(first, fails), said(second, passes)}}, nil
			}
			return matrix.Judged{Verdicts: []conformance.Verdict{said(columns[0], test.then)}}, nil
		})
		m := matrix.Run(t.Context(), []matrix.Row{row}, matrix.Options{})
		if diff := cmp.Diff(map[string]string{first: test.mark, second: "kept"}, marks(m.Lines[0])); diff != "" {
			t.Errorf("marks (-want +got):\n%s", diff)
		}
		var result conformance.Result
		m.Fill(&result)
		if again := result.Matrix[0].Again; judgings != 2 || len(again) != 1 || again[0] != first || result.Outcome != test.outcome {
			t.Errorf("%d judgings, again %q, outcome %v", judgings, again, result.Outcome)
		}
		if findings := result.Verdicts[0].Findings; len(findings) != 1 || !strings.Contains(findings[0].Text, "beside others it was fail") {
			t.Errorf("what it was before is not shown: %v", findings)
		}
	}
}

// TestABusyRunAccusesNobody: what a scenario says on a machine that is too busy is not believed, and the whole is run again.
func TestABusyRunAccusesNobody(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	row := right(func(context.Context, []string) (matrix.Judged, error) {
		runs.Add(1)
		return matrix.Judged{Verdicts: []conformance.Verdict{said(promised, fails)}, Doubt: "this machine was too busy"}, nil
	})
	row.Columns, row.Scenario = nil, "steady"
	m := matrix.Run(t.Context(), []matrix.Row{row}, matrix.Options{})
	problems := m.Problems()
	if len(problems) != 1 || problems[0].Cell.Mark != matrix.Undecided || !problems[0].Doubt {
		t.Errorf("problems are %v, want one that is undecided and in doubt", problems)
	}
	if runs.Load() < 2 {
		t.Errorf("it ran %d times, want more", runs.Load())
	}
}

func TestARowThatCannotRunIsUndecided(t *testing.T) {
	t.Parallel()
	m := matrix.Run(t.Context(), []matrix.Row{broken(func(context.Context, []string) (matrix.Judged, error) {
		return matrix.Judged{}, errors.New("no port is free")
	})}, matrix.Options{})
	problems := m.Problems()
	if len(problems) != 1 || problems[0].Cell.Mark != matrix.Undecided || problems[0].Doubt || !strings.Contains(problems[0].String(), "no port is free") {
		t.Errorf("problems are %v, want one undecided with its reason", problems)
	}
}

// TestAnInterruptedMatrixAccusesNobody: what was judged until then stays, the rest is undecided.
func TestAnInterruptedMatrixAccusesNobody(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	begun := broken(saying(said(first, fails), said(second, passes)))
	cut := broken(func(context.Context, []string) (matrix.Judged, error) {
		cancel()
		return matrix.Judged{Verdicts: []conformance.Verdict{said(first, unknown, "the check was interrupted"), said(second, passes)}}, nil
	})
	m := matrix.Run(ctx, []matrix.Row{begun, cut, begun}, matrix.Options{Parallel: 1})
	want := []map[string]string{{first: "kill", second: "kept"}, {first: "undecided", second: "kept"}, {first: "undecided", second: "undecided"}}
	for i, l := range m.Lines {
		if diff := cmp.Diff(want[i], marks(l)); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", i, diff)
		}
	}
	for _, p := range m.Problems() {
		if !p.Doubt {
			t.Errorf("%v: nobody is to blame for an interrupt", p)
		}
	}
}

// TestWhatLooksAtMemoryRunsByItself: the subjects share this process, and so its memory.
func TestWhatLooksAtMemoryRunsByItself(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int32
	judge := func(_ context.Context, columns []string) (matrix.Judged, error) {
		at := running.Add(1)
		defer running.Add(-1)
		var verdicts []conformance.Verdict
		for _, id := range columns {
			verdicts = append(verdicts, said(id, passes))
			if id == second {
				most.Store(max(most.Load(), at))
			}
		}
		return matrix.Judged{Verdicts: verdicts}, nil
	}
	var rows []matrix.Row
	for range 20 {
		r := right(judge)
		r.Alone = []string{second}
		rows = append(rows, r)
	}
	m := matrix.Run(t.Context(), rows, matrix.Options{})
	if len(m.Problems()) > 0 || most.Load() != 1 {
		t.Errorf("%v; %d at once, want 1", m.Problems(), most.Load())
	}
}

// TestWhatLooksAtMemoryCanHaveAProcessOfItsOwn: and nothing else gets one, also when it is judged again.
func TestWhatLooksAtMemoryCanHaveAProcessOfItsOwn(t *testing.T) {
	t.Parallel()
	here := right(saying(said(first, passes)))
	here.Alone = []string{second}
	var asked []string
	apart := func(_ context.Context, r *matrix.Row, columns []string) (matrix.Judged, error) {
		asked = append(asked, r.Name+" "+strings.Join(columns, ","))
		v := said(second, passes)
		if len(asked) == 1 {
			v = said(second, unknown, tooBusy)
		}
		return matrix.Judged{Verdicts: []conformance.Verdict{v}}, nil
	}
	m := matrix.Run(t.Context(), []matrix.Row{here}, matrix.Options{Apart: apart})
	if want := []string{"right " + second, "right " + second}; !cmp.Equal(asked, want) || len(m.Problems()) > 0 {
		t.Errorf("asked for %q, want %q; %v", asked, want, m.Problems())
	}
}
