package conformance

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Processes finds those of a subject on this machine: none for one that runs elsewhere or in this process. Where it runs here and they cannot be
// found, known is false.
type Processes func() (pids []int, known bool)

// NewContention watches this process and those that it started, and the subject's: nil where it has none of its own.
func NewContention(subject Processes) *Contention {
	if subject == nil {
		return own()
	}
	return newContention(subject)
}

// own is of this process and its children alone, one for all that ask.
var own = sync.OnceValue(func() *Contention { return newContention(nil) })

func newContention(subject Processes) *Contention {
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
	used    time.Duration
	waited  time.Duration
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
	threads := make(map[string]threadTime, len(r.threads))
	for _, pid := range r.pids {
		r.waited += r.add(pid, threads)
	}
	r.threads = threads
	return spent{
		at: now, idle: all - busy, busy: busy, others: busy - r.used, waited: r.waited + stolen, blind: r.hidden || len(threads) == 0,
	}, true
}

// add adds what the threads of a process have used, and says for how long one of them has waited since the last look: the one that
// whoever waits is likely to wait in, since what holds up a message holds it up in one thread at a time.
func (r *spentReader) add(pid int, threads map[string]threadTime) (waited time.Duration) {
	var sum, squares float64
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/[0-9]*/schedstat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 {
			continue // it has ended meanwhile
		}
		ran, _ := strconv.ParseInt(fields[0], 10, 64)
		stood, _ := strconv.ParseInt(fields[1], 10, 64)
		now := threadTime{time.Duration(ran), time.Duration(stood)}
		if before, known := r.threads[file]; known {
			r.used += now.used - before.used
			w := float64(now.waited - before.waited)
			sum, squares = sum+w, squares+w*w
		}
		threads[file] = now
	}
	if sum <= 0 {
		return 0
	}
	return time.Duration(squares / sum)
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
