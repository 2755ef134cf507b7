//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// trial is one run: a subject, the harness, and what is done to them.
type trial struct {
	*options
	pair

	seed   uint64
	dir    string
	random *rand.Rand
	faults []fault
	prefix []string // of the commands of both, for a namespace of their own
}

// within bounds a run, however it is disturbed.
const within = 3 * time.Minute

func (t *trial) do(ctx context.Context) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	lift, err := t.begin(ctx)
	defer lift()
	if err != nil {
		return verdict{}, err
	}
	target := filepath.Join(t.dir, fmt.Sprintf("target-%d.yaml", t.seed))
	subject, err := t.serve(ctx, target)
	if err != nil {
		return verdict{}, err
	}
	defer func() { _ = subject.Process.Kill(); _ = subject.Wait() }()
	var out, said bytes.Buffer
	harness := t.command(ctx, t.harness(target)...)
	harness.Stdout, harness.Stderr = &out, &said
	if err := harness.Start(); err != nil {
		return verdict{}, err
	}
	running, ended := context.WithCancel(ctx)
	var stops sync.WaitGroup
	for _, f := range t.faults {
		if f.stop > 0 {
			stops.Go(func() {
				f.halt(running, map[string]*os.Process{"target": subject.Process, "harness": harness.Process}[f.name[len("stop-"):]])
			})
		}
	}
	err = harness.Wait()
	ended()
	stops.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return verdict{}, err
	}
	var result conformance.Result
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return verdict{}, fmt.Errorf("%s and no result: %s", harness.ProcessState, strings.TrimSpace(said.String()))
	}
	return t.judge(&result), nil
}

// harness is the command line of the run, which anyone may repeat against such a subject.
func (t *trial) harness(target string) []string {
	words := []string{"run", t.scenario, "--target", target, "--seed", fmt.Sprint(t.seed), "--format", "json", "--quiet"}
	for _, set := range slices.Concat(core[t.scenario].set, t.set) {
		words = append(words, "--set", set)
	}
	return words
}

// serve starts the subject and waits until it says where it is.
func (t *trial) serve(ctx context.Context, target string) (*exec.Cmd, error) {
	words := append([]string{"serve", "--addr", "127.0.0.1:0", "--target-file", target}, core[t.scenario].serve...)
	if t.mutant != "" {
		words = append(words, "--mutant", t.mutant)
	}
	c := t.command(ctx, words...)
	if err := c.Start(); err != nil {
		return nil, err
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for late := time.After(time.Minute); ; {
		select {
		case <-ticker.C:
			text, err := os.ReadFile(target)
			if err != nil || !bytes.HasSuffix(text, []byte("\n")) {
				continue
			}
			if beat := core[t.scenario].beat; beat != "" {
				text = heartbeat.ReplaceAll(text, []byte("heartbeat: "+beat))
			}
			return c, os.WriteFile(target, text, 0o600)
		case <-late:
		case <-ctx.Done():
		}
		_ = c.Process.Kill()
		_ = c.Wait()
		return nil, fmt.Errorf("%s: the subject does not start", t.pair)
	}
}

var heartbeat = regexp.MustCompile(`(?m)^heartbeat: .*$`)

func (t *trial) command(ctx context.Context, words ...string) *exec.Cmd {
	words = slices.Concat(t.prefix, []string{t.program}, words)
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGKILL) }
	c.WaitDelay = time.Second
	return c
}

// verdict is what a run came to.
type verdict struct {
	Wrong   bool     // a right subject that fails, a wrong one that passes
	Unknown bool     // nothing was decided
	Why     []string // the verdicts that say so
}

// judge compares a result with what the subject is. A wrong subject is found out by one of the verdicts that it must fail.
func (t *trial) judge(r *conformance.Result) verdict {
	kills := []string(nil)
	if m, ok := mutant.ByName(t.mutant); ok {
		kills = m.Kills
	}
	var failed, unknown []string
	judged := 0
	for _, v := range r.Verdicts {
		if v.ID == core[t.scenario].aside || t.mutant != "" && !slices.Contains(kills, v.ID) {
			continue
		}
		told := v.ID + ": " + strings.Join(strings.Fields(v.Actual+" "+v.Reason), " ")
		switch v.Outcome {
		case conformance.Fail:
			failed = append(failed, told)
		case conformance.Unknown:
			unknown = append(unknown, told)
		case conformance.Skip:
		default:
			judged++
		}
	}
	switch right := t.mutant == ""; {
	case len(failed) > 0:
		return verdict{Wrong: right, Why: failed}
	case len(unknown) > 0 || judged == 0:
		return verdict{Unknown: true, Why: unknown}
	default:
		return verdict{Wrong: !right}
	}
}
