//go:build unix

// Endure runs the core scenarios, made short, again and again against the reference broker and its mutants while the environment misbehaves,
// and counts verdicts that are wrong: a right subject that fails, a wrong one that passes. The subject is a process of its own, and so is the
// harness. The seed of a run decides all that is done to it; its number repeats it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

type options struct {
	program string // streamgauge
	runs    int
	seed    uint64
	atOnce  int
	only    string
	faults  string
	set     settings // for every run, beside those of its scenario
	out     string
}

// settings is a flag that may be repeated.
type settings []string

func (s *settings) String() string     { return strings.Join(*s, " ") }
func (s *settings) Set(v string) error { *s = append(*s, v); return nil }

func main() {
	log.SetFlags(0)
	log.SetPrefix("endure: ")
	if err := endure(); err != nil {
		log.Fatal(err)
	}
}

func endure() error {
	var o options
	flag.StringVar(&o.program, "program", "bin/streamgauge", "the `file` of streamgauge")
	flag.IntVar(&o.runs, "n", 200, "how many `runs`")
	flag.Uint64Var(&o.seed, "seed", 1, "of the first run; each next one has the next")
	flag.IntVar(&o.atOnce, "at-once", 2, "how many `runs` go on side by side")
	flag.StringVar(&o.only, "only", "", "only runs whose scenario and subject hold this `text`")
	flag.StringVar(&o.faults, "faults", strings.Join(faultNames(), ","), "what may be done to a run")
	flag.Var(&o.set, "set", "a scenario key for every run, as in expect.latency.p50=1us; may be repeated")
	flag.StringVar(&o.out, "out", "", "write a JSON `file` with all that was not as it must be")
	role := flag.String("role", "", "be a burner or a holder of memory: for endure itself")
	flag.Parse()
	if *role != "" {
		return serveRole(*role, flag.Arg(0))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := o.all(ctx)
	if err != nil {
		return err
	}
	r.table(os.Stdout)
	if o.out != "" {
		if err := r.write(o.out); err != nil {
			return err
		}
	}
	if len(r.Wrong) > 0 {
		return fmt.Errorf("%d of %d verdicts are wrong", len(r.Wrong), r.Runs)
	}
	if len(r.Broken) > 0 {
		return fmt.Errorf("%d of %d runs could not be carried out", len(r.Broken), r.Runs)
	}
	return nil
}

// all carries out every run, some of them side by side.
func (o *options) all(ctx context.Context) (*record, error) {
	pairs := pairsWith(o.only)
	if len(pairs) == 0 {
		return nil, fmt.Errorf("-only %s: matches none of the runs", o.only)
	}
	possible, why := allowed(ctx, strings.Split(o.faults, ","))
	r := &record{Seed: o.seed, Started: time.Now(), Faults: possible, Without: why, Subjects: map[string]*count{}}
	dir, err := os.MkdirTemp("", "endure-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var side sync.WaitGroup
	slots := make(chan struct{}, max(1, o.atOnce))
	for i := range o.runs {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			side.Wait()
			return r, nil
		}
		seed := o.seed + uint64(i)
		side.Go(func() {
			defer func() { <-slots }()
			t := &trial{options: o, pair: pairs[seed%uint64(len(pairs))], seed: seed, dir: dir, random: rand.New(rand.NewPCG(seed, 1))}
			t.draw(possible)
			verdict, err := t.do(ctx)
			if !errors.Is(ctx.Err(), context.Canceled) {
				r.add(t, verdict, err)
			}
		})
	}
	side.Wait()
	return r, nil
}
