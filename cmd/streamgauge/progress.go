package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

const (
	barEvery   = 200 * time.Millisecond // how often a terminal's bar moves
	lookEvery  = time.Second            // how often plain mode looks for something to say
	plainEvery = 5 * time.Second        // how long it stays silent while nothing but the figures change
	barSteps   = 1000                   // a bar's total; one that is reached, or 0, would end or never end the bar
)

// progress shows on stderr how a run is getting on: a bar on a terminal, plain lines elsewhere, nothing when quiet. It asks
// status now and then, from one goroutine of its own between Start and Stop, and is told nothing per event.
type progress struct {
	status   func() run.Status
	terminal bool
	quiet    bool
	done     chan struct{}
	stop     sync.Once
	shown    sync.WaitGroup
	bars     *mpb.Progress // nil unless there is a bar

	mu sync.Mutex // one line at a time
	w  io.Writer
}

// newProgress shows nothing before Start.
func newProgress(w io.Writer, isTerminal, quiet bool, status func() run.Status) *progress {
	return &progress{w: w, status: status, terminal: isTerminal, quiet: quiet, done: make(chan struct{})}
}

// Start begins to show the progress. It is called once, before Println and Stop.
func (p *progress) Start() {
	switch {
	case p.quiet:
	case p.terminal:
		latest := &atomic.Pointer[run.Status]{}
		p.look(latest)
		p.bars = mpb.New(mpb.WithOutput(unwrapped(p.w)), mpb.WithRefreshRate(barEvery))
		bar := newBar(p.bars, latest)
		crash.Go(&p.shown, func() { p.move(bar, latest) })
	default:
		crash.Go(&p.shown, p.lines)
	}
}

// Stop takes a bar away and returns when nothing more will be written. Further calls do nothing.
func (p *progress) Stop() {
	p.stop.Do(func() { close(p.done) })
	p.shown.Wait()
}

// Println writes a line that is to stay, above the bar when there is one, also when quiet. It may be called by several
// goroutines, and after Stop.
func (p *progress) Println(line string) {
	if p.bars != nil {
		if _, err := io.WriteString(p.bars, linesOf(p.w).line(line)+"\n"); err == nil {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, line)
}

func (p *progress) lines() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var said run.Status
	var saidAt time.Time
	for {
		select {
		case <-p.done:
			return
		case now := <-ticker.C:
			s := p.status()
			changed := s.Scenario != said.Scenario || s.Phase != said.Phase || s.Faults != said.Faults
			if changed || now.Sub(saidAt) >= plainEvery {
				p.Println(fmt.Sprintf("%s: %s, %s, %s", s.Scenario, s.Phase, clock(s), strings.Join(figures(s), ", ")))
				said, saidAt = s, now
			}
		}
	}
}

func (p *progress) look(latest *atomic.Pointer[run.Status]) run.Status {
	s := p.status()
	latest.Store(&s)
	return s
}

func (p *progress) move(bar *mpb.Bar, latest *atomic.Pointer[run.Status]) {
	ticker := time.NewTicker(barEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.done:
			bar.Abort(true)
			p.bars.Wait()
			return
		case <-ticker.C:
			bar.SetCurrent(barPosition(p.look(latest)))
		}
	}
}

// newBar is a bar with a line of figures below it, both drawn from the latest status.
func newBar(bars *mpb.Progress, latest *atomic.Pointer[run.Status]) *mpb.Bar {
	return bars.New(barSteps, barStyle(), mpb.BarWidth(30),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return reports.Visible(latest.Load().Scenario) + " " })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			s := latest.Load()
			return " " + clock(*s) + "  " + s.Phase
		})),
		mpb.BarExtender(mpb.BarFillerFunc(func(w io.Writer, stat decor.Statistics) error {
			_, err := fmt.Fprintln(w, cut("  "+strings.Join(figures(*latest.Load()), ", "), stat.AvailableWidth))
			return err
		}), false),
	)
}

func barStyle() mpb.BarStyleComposer {
	if asciiOnly(os.Getenv) {
		return mpb.BarStyle()
	}
	return mpb.BarStyle().Lbound("").Filler("━").Tip("━").Padding("─").Rbound("")
}

// barPosition is how far s has got, of barSteps. It never gets there, because a bar that does is complete and stands still.
func barPosition(s run.Status) int64 {
	if s.Total <= 0 {
		return 0
	}
	return max(0, min(int64(float64(s.Elapsed)/float64(s.Total)*barSteps), barSteps-1))
}

func clock(s run.Status) string {
	elapsed := s.Elapsed.Truncate(time.Second)
	if s.Total <= 0 {
		return seconds(elapsed)
	}
	return seconds(elapsed) + " of " + seconds(s.Total.Round(time.Second))
}

// seconds is a duration of whole seconds, without the decimals that would only flicker.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return fmt.Sprintf("%dm %02ds", d/time.Minute, d%time.Minute/time.Second)
}

func figures(s run.Status) []string {
	list := []string{
		fmt.Sprintf("%s of %s connected", reports.Count(uint64(max(s.Connected, 0))), reports.Count(uint64(max(s.Subscribers, 0)))),
		reports.Count(s.Published) + " published",
		reports.Count(s.Delivered) + " delivered",
	}
	if s.Reconnects > 0 {
		list = append(list, reports.Count(s.Reconnects)+" reconnects")
	}
	if s.Faults != "" {
		list = append(list, "fault: "+s.Faults)
	}
	return list
}

// cut shortens a line to width, so that a narrow terminal does not wrap it: the bar could not be wiped any more.
func cut(line string, width int) string {
	if utf8.RuneCountInString(line) <= width {
		return line
	}
	return string([]rune(line)[:max(width, 0)])
}
