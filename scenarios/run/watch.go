package run

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
)

// watch is the harness's eye on itself: how late its own timers fire, how late it publishes by its own fault, how much
// processor it used. What it finds decides whether a failed budget is the target's doing or ours.
type watch struct {
	mu       sync.Mutex
	lag      samples
	late     samples
	maxRSS   uint64
	sendFail uint64
	recent   recentMax
	lagMax   time.Duration
	lateMax  time.Duration
	cpu0     time.Duration
	began    time.Time
	gc0      uint32
	losses0  losses
	crowd    *conformance.Contention
	done     chan struct{}
	finished sync.WaitGroup
}

// losses are packets that the kernel dropped, and connections that it did not take since the queue of those that wait was full.
type losses struct{ packets, connections uint64 }

// How often the watch asks how late a timer fires, and how often of these how much memory is resident. Waking an idle process
// costs as much as dozens of deliveries, so it is no more often than needed: a stall that could decide a verdict lasts longer.
const (
	lagProbe    = 50 * time.Millisecond
	memoryProbe = 10
)

func startWatch(target conformance.Processes) *watch {
	w := &watch{began: time.Now(), cpu0: processCPU(), losses0: kernelLosses(), crowd: conformance.NewContention(target), done: make(chan struct{})}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.gc0 = m.NumGC
	crash.Go(&w.finished, w.probe)
	crash.Go(&w.finished, func() { w.crowd.Watch(w.done) })
	return w
}

func (w *watch) probe() {
	ticker := time.NewTicker(lagProbe)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-w.done:
			return
		case due := <-ticker.C:
			late := time.Since(due)
			w.recent.add(late)
			w.mu.Lock()
			w.lag.add(late)
			w.lagMax = max(w.lagMax, late)
			if n%memoryProbe == 0 {
				w.maxRSS = max(w.maxRSS, residentMemory())
			}
			w.mu.Unlock()
		}
	}
}

// lately is how late the harness's own timers ran during the last seconds, at worst.
func (w *watch) lately() time.Duration { return w.recent.get() }

// published notes how late a message left by the harness's own fault: after both its due time and the end of the publish
// before it.
func (w *watch) published(late time.Duration) {
	w.mu.Lock()
	w.late.add(late)
	w.lateMax = max(w.lateMax, late)
	w.mu.Unlock()
}

// sendFailed notes a publish or a connection that the harness itself could not make.
func (w *watch) sendFailed() {
	w.mu.Lock()
	w.sendFail++
	w.mu.Unlock()
}

// stop ends the watch and gives its account.
func (w *watch) stop() conformance.Health {
	close(w.done)
	w.finished.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	lost := kernelLosses()
	h := conformance.Health{
		KernelDrops:    lost.packets - min(lost.packets, w.losses0.packets),
		ListenOverflow: lost.connections - min(lost.connections, w.losses0.connections),
		PublishLateP99: milliseconds(w.late.quantile(0.99)),
		LagP50:         milliseconds(w.lag.quantile(0.5)),
		LagP99:         milliseconds(w.lag.quantile(0.99)),
		LagMax:         milliseconds(max(w.lagMax, w.lateMax)),
		CPU:            float64(processCPU()-w.cpu0) / (float64(time.Since(w.began)) * float64(runtime.NumCPU())),
		GCPauseMax:     milliseconds(longestPause(&m, w.gc0)),
		MemoryBytes:    max(w.maxRSS, residentMemory()),
		SendFailures:   w.sendFail,
		Goroutines:     runtime.NumGoroutine(),
		Contention:     w.crowd.HeldUp(),
	}
	return h
}

// longestPause is the longest garbage collection pause after collection number since; the runtime keeps the latest 256.
func longestPause(m *runtime.MemStats, since uint32) time.Duration {
	var longest uint64
	first := max(since, uint32(max(0, int(m.NumGC)-len(m.PauseNs))))
	for n := first; n < m.NumGC; n++ {
		longest = max(longest, m.PauseNs[n%uint32(len(m.PauseNs))])
	}
	return time.Duration(longest)
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// samples keeps a bounded, evenly thinned record of durations: when it is full, every second one is dropped and from then
// on only every second new one is kept.
type samples struct {
	kept   []time.Duration
	stride int
	seen   int
}

const samplesMax = 8192

func (s *samples) add(d time.Duration) {
	if s.stride == 0 {
		s.stride = 1
	}
	s.seen++
	if s.seen%s.stride != 0 {
		return
	}
	if len(s.kept) == samplesMax {
		for i := range samplesMax / 2 {
			s.kept[i] = s.kept[2*i+1]
		}
		s.kept = s.kept[:samplesMax/2]
		s.stride *= 2
	}
	s.kept = append(s.kept, d)
}

func (s *samples) quantile(q float64) time.Duration {
	if len(s.kept) == 0 {
		return 0
	}
	sorted := slices.Clone(s.kept)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// recentMax is the largest of the durations added within the last one to two windows. One goroutine adds; any may get.
type recentMax struct {
	previous, current atomic.Int64
	added             int
}

// recentWindow is how many additions make a window: some two seconds of lag probes.
const recentWindow = int(2 * time.Second / lagProbe)

func (r *recentMax) add(d time.Duration) {
	if r.added++; r.added%recentWindow == 0 {
		r.previous.Store(r.current.Swap(0))
	}
	r.current.Store(max(r.current.Load(), int64(d)))
}

func (r *recentMax) get() time.Duration {
	return time.Duration(max(r.previous.Load(), r.current.Load()))
}
