package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output inside the scripts")

func TestMain(m *testing.M) {
	for name, value := range echoedVariables {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){"streamgauge": program})
}

// TestScripts runs testdata/script/*.txtar against this very program.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[theTest{}] = e.T()
			e.Setenv("GORACE", "atexit_sleep_ms=0") // each command would take a second longer under the race detector
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "judges": judges},
	})
}

// theTest is the key of a script's test.
type theTest struct{}

// attempts is how often a check is repeated whose verdict a busy machine left unknown.
const attempts = 3

// judges is exits for a command that reaches verdicts. Where this machine was too busy for one of them, the command is repeated;
// when that does not help, the script is skipped with what was said.
func judges(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: judges CODE PROGRAM [ARG...]")
	}
	for attempt := 1; ; attempt++ {
		got := exitCode(ts, args[1:])
		if strconv.Itoa(got) == args[0] {
			return
		}
		said := ts.ReadFile("stdout")
		if got != exitUnknown || !strings.Contains(said, tooBusy) && !strings.Contains(said, notFound) {
			ts.Fatalf("exit code %d, want %s", got, args[0])
		}
		if attempt == attempts {
			ts.Value(theTest{}).(testscript.T).Skip("this machine was too busy to judge:\n" + said)
		}
		if i := slices.Index(args, "--out"); i > 0 {
			ts.Check(os.RemoveAll(ts.MkAbs(args[i+1]))) // it holds the attempt's result
		}
	}
}

// tooBusy is what a verdict says that is unknown because of this machine.
const tooBusy = "too busy"

// notFound is what a search says that ends without a line, as it does where the harness was held up.
const notFound = "where the line is could not be said"

// exits is the script command `exits CODE PROGRAM [ARG...]`: it runs the program and demands exactly this exit code. Like
// after exec, stdout and stderr match what the program wrote.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts, args[1:]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitCode(ts *testscript.TestScript, command []string) int {
	var exit *exec.ExitError
	err := ts.Exec(command[0], command[1:]...)
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}
