package conformance

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Processes finds those of a subject on this machine: none for one that runs elsewhere or in this process. Where it runs here and they cannot be
// found, known is false.
type Processes func() (pids []int, known bool)

// NewContention watches this process and those that it started, and the subject's: nil where it has none of its own.
func NewContention(subject Processes) *Contention {
	r := &spentReader{ask: subject, threads: map[string]threadTime{}}
	return &Contention{read: r.read}
}

// spentReader reads /proc.
type spentReader struct {
	ask     Processes
	subject []int // its processes, without those that they have started
	hidden  bool  // they cannot be found
	pids    []int // this process, the subject's, and all that they have started
	looked  time.Time
	found   time.Time
	threads map[string]threadTime
	sum     threadTime
}

// threadTime is what a thread has used, and waited for a processor, since it began.
type threadTime struct{ used, waited time.Duration }

const (
	kinEvery     = time.Second      // after which children may have come or gone
	subjectEvery = 30 * time.Second // after which the subject may be another process; sooner where one is gone
)

func (r *spentReader) read() (s spent, known bool) {
	busy, all, stolen, err := machineTime()
	if err != nil {
		return s, false
	}
	now := time.Now()
	if now.Sub(r.looked) >= kinEvery {
		r.find(now)
	}
	seen, threads := false, make(map[string]threadTime, len(r.threads))
	for _, pid := range r.pids {
		seen = r.add(pid, threads) || seen
	}
	r.threads = threads
	return spent{
		at: now, idle: all - busy, others: busy - r.sum.used, waited: r.sum.waited + stolen, blind: r.hidden || !seen,
	}, true
}

// add adds up what the threads of a process have used since they were seen first.
func (r *spentReader) add(pid int, threads map[string]threadTime) (seen bool) {
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/[0-9]*/schedstat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 {
			continue // it has ended meanwhile
		}
		used, _ := strconv.ParseInt(fields[0], 10, 64)
		waited, _ := strconv.ParseInt(fields[1], 10, 64)
		now := threadTime{time.Duration(used), time.Duration(waited)}
		if before, known := r.threads[file]; known {
			r.sum.used += now.used - before.used
			r.sum.waited += now.waited - before.waited
		}
		threads[file], seen = now, true
	}
	return seen
}

// find looks for the processes.
func (r *spentReader) find(now time.Time) {
	r.looked = now
	alive := func(pid int) bool {
		_, err := os.Stat("/proc/" + strconv.Itoa(pid))
		return err == nil
	}
	all := map[int]bool{}
	if gone := slices.ContainsFunc(r.subject, func(pid int) bool { return !alive(pid) }); r.ask != nil && (gone || now.Sub(r.found) >= subjectEvery) {
		pids, known := r.ask()
		r.subject, r.hidden, r.found = pids, !known, now
	}
	for _, pid := range append([]int{os.Getpid()}, r.subject...) {
		kin(pid, all)
	}
	r.pids = slices.Collect(maps.Keys(all))
}

// kin is a process with all that it has started.
func kin(pid int, seen map[int]bool) {
	if seen[pid] {
		return
	}
	seen[pid] = true
	lists, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/[0-9]*/children")
	for _, list := range lists {
		children, _ := os.ReadFile(list) // the thread may have ended meanwhile
		for child := range bytes.FieldsSeq(children) {
			if n, err := strconv.Atoi(string(child)); err == nil {
				kin(n, seen)
			}
		}
	}
}
