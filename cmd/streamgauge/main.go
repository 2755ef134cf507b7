// Command streamgauge puts an event-streaming gateway under load, breaks the network around it, and says for every event and
// every subscriber whether it arrived once, in order, in time and at the right place.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

func main() {
	awaitSignals()
	crash.Abort()
	log.SetOutput(io.Discard) // net/http writes there what a target sends, secrets too, and for each frame that it does not know
	stderr := linesOf(os.Stderr)
	crash.Tell(func(c *crash.Crash) {
		fmt.Fprintf(stderr, "streamgauge: %v\n%s\n", c, c.Stack)
	})
	os.Exit(uncrashed(func() int { return execute(os.Args[1:], os.Stdout, stderr) }))
}

// uncrashed is the exit code of a process: the one of its command, unless the harness crashed.
func uncrashed(command func() int) (code int) {
	code = exitHarness
	defer crash.Catch()
	if returned := command(); crash.First() == nil {
		code = returned
	}
	return code
}

// execute runs one command line and returns the process's exit code. Data goes to stdout, everything else to stderr.
func execute(args []string, stdout, stderr io.Writer) int {
	said := linesOf(stderr)
	defer said.flush()
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(said)
	return conclude(root.Execute(), said)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "streamgauge",
		Short: "Correctness under load for event streams",
		Long: `Streamgauge puts an event-streaming gateway under load, breaks the network around it, and says for every
event and every subscriber whether it arrived once, in order, in time and at the right place.

Without a target every command runs against the embedded reference broker, so it works on a fresh machine.

Exit codes: 0 all pass, 1 something failed, 2 nothing failed but something that had to be judged is unknown,
3 the input is wrong (a flag, a scenario, a target file), 4 the harness could not do its job.`,
		Args:          explainCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRun: func(c *cobra.Command, _ []string) {
			if c.Annotations[answersSignals] == "" {
				leaveSignals()
			}
		},
	}
	root.AddGroup(
		&cobra.Group{ID: "judge", Title: "Judge a target:"},
		&cobra.Group{ID: "files", Title: "Write scenarios and targets:"},
		&cobra.Group{ID: "reference", Title: "See it done right:"},
	)
	root.AddCommand(
		inGroup("judge", reporting(limitsMemory(newRunCommand()), whatWasMeasured)),
		inGroup("judge", limitsTime(reporting(limitsMemory(newCheckCommand()), whatWasJudged), usualCheck)),
		inGroup("judge", limitsTime(reporting(limitsMemory(newCheckClientCommand()), whatWasJudged), usualCheck)),
		inGroup("judge", reporting(limitsMemory(newJudgeCommand()), whatWasJudged)),
		inGroup("judge", limitsTime(reporting(limitsMemory(newCapacityCommand()), whatWasMeasured), usualCapacity)),
		inGroup("judge", reporting(newReportCommand(), thereIs)),
		inGroup("judge", reporting(newCompareCommand(), thereIs)),
		inGroup("judge", newSimulateCommand()),
		inGroup("files", newListCommand()),
		inGroup("files", newValidateCommand()),
		inGroup("files", newSchemaCommand()),
		inGroup("reference", newServeCommand()),
		inGroup("reference", limitsTime(reporting(limitsMemory(newMutantsCommand()), whatWasJudged), usualMatrix)),
		newVersionCommand(),
	)
	root.SetFlagErrorFunc(explainFlag)
	root.SuggestionsMinimumDistance = 2
	for _, c := range root.Commands() {
		c.RunE, c.Args = classified(c.RunE), explained(c.Args)
	}
	return root
}

// What the first interrupt does to a command.
const (
	whatWasMeasured = "ending the run and reporting what was measured"
	whatWasJudged   = "ending, and reporting what was judged"
	thereIs         = "writing the report to its end"
)

// How long commands take at most unless more is asked for. What usually takes minutes may take an hour: a slow target, one case at a time.
const (
	usualCheck    = time.Hour
	usualMatrix   = 3 * time.Hour
	usualCapacity = 12 * time.Hour
)

func inGroup(id string, c *cobra.Command) *cobra.Command {
	c.GroupID = id
	return c
}
