//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// record is what came of all runs.
type record struct {
	mu sync.Mutex

	Seed     uint64            `json:"seed"`
	Started  time.Time         `json:"started"`
	Runs     int               `json:"runs"`
	Faults   []string          `json:"faults"`
	Without  string            `json:"without,omitempty"` // why some faults could not be had
	Right    count             `json:"right"`
	Mutants  count             `json:"mutants"`
	Subjects map[string]*count `json:"subjects"`
	Wrong    []told            `json:"wrong,omitempty"`
	Unknown  []told            `json:"unknown,omitempty"`
	Broken   []told            `json:"broken,omitempty"` // they could not be carried out
}

type count struct {
	Runs    int `json:"runs"`
	Wrong   int `json:"wrong"`
	Unknown int `json:"unknown"`
	Broken  int `json:"broken"`
}

// told is a run to look at, and how to repeat it.
type told struct {
	Seed    uint64   `json:"seed"`
	Subject string   `json:"subject"`
	Faults  []string `json:"faults"`
	Why     []string `json:"why"`
	Repeat  string   `json:"repeat"`
}

func (r *record) add(t *trial, v verdict, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Subjects[t.pair.String()] == nil {
		r.Subjects[t.pair.String()] = new(count)
	}
	kind := &r.Right
	if t.mutant != "" {
		kind = &r.Mutants
	}
	one := told{Seed: t.seed, Subject: t.pair.String(), Why: v.Why, Repeat: t.repeat()}
	for _, f := range t.faults {
		one.Faults = append(one.Faults, f.String())
	}
	r.Runs++
	for _, c := range []*count{kind, r.Subjects[one.Subject]} {
		c.Runs++
		switch {
		case err != nil:
			c.Broken++
		case v.Wrong:
			c.Wrong++
		case v.Unknown:
			c.Unknown++
		}
	}
	switch {
	case err != nil:
		one.Why = []string{err.Error()}
		r.Broken = append(r.Broken, one)
	case v.Wrong:
		r.Wrong = append(r.Wrong, one)
	case v.Unknown:
		r.Unknown = append(r.Unknown, one)
	}
}

// repeat is the command line that does the same run again.
func (t *trial) repeat() string {
	text := fmt.Sprintf("bin/endure -n 1 -seed %d", t.seed)
	if t.only != "" {
		text += fmt.Sprintf(" -only %q", t.only)
	}
	if all := strings.Join(faultNames(), ","); t.options.faults != all {
		text += fmt.Sprintf(" -faults %q", t.options.faults)
	}
	for _, set := range t.set {
		text += fmt.Sprintf(" -set %q", set)
	}
	return text
}

func (r *record) table(w io.Writer) {
	fmt.Fprintf(w, "%d runs from seed %d, with %s", r.Runs, r.Seed, orNothing(r.Faults))
	if r.Without != "" {
		fmt.Fprintf(w, "; %s", r.Without)
	}
	fmt.Fprint(w, "\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\truns\twrong\tunknown\tnot carried out")
	line := func(name string, c *count) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\n", name, c.Runs, c.Wrong, c.Unknown, c.Broken)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Subjects)) {
		line(name, r.Subjects[name])
	}
	line("all right subjects", &r.Right)
	line("all wrong subjects", &r.Mutants)
	_ = t.Flush() // to a terminal
	for name, list := range map[string][]told{"wrong": r.Wrong, "not carried out": r.Broken} {
		for _, one := range list {
			fmt.Fprintf(w, "\n%s: %s, with %s\n  %s\n  %s\n", name, one.Subject, orNothing(one.Faults), strings.Join(one.Why, "\n  "), one.Repeat)
		}
	}
}

func orNothing(faults []string) string {
	if len(faults) == 0 {
		return "nothing done to them"
	}
	return strings.Join(faults, ", ")
}

func (r *record) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
