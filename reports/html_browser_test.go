package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/subject/browser"
	"github.com/streamgauge/streamgauge/conformance/subject/browser/devtools"
)

// looking is a browser that looks at pages.
type looking struct {
	*devtools.Browser

	t    *testing.T
	ctx  context.Context
	done func() // ends the browser, which the test's end does too
}

// oneBrowser keeps tests that run side by side from starting a browser each.
var oneBrowser sync.Mutex

func look(t *testing.T) *looking {
	t.Helper()
	path, err := browser.Find()
	if err != nil {
		t.Skip("pages are not looked at: ", err)
	}
	oneBrowser.Lock()
	l := &looking{t: t}
	var cancel context.CancelFunc
	l.ctx, cancel = context.WithTimeout(t.Context(), 5*time.Minute)
	l.done = sync.OnceFunc(func() {
		if l.Browser != nil {
			l.Close()
		}
		cancel()
		oneBrowser.Unlock()
	})
	t.Cleanup(l.done)
	if l.Browser, err = devtools.Start(l.ctx, path); err != nil {
		t.Fatal(err)
	}
	return l
}

// at looks at a page in a window of that width.
func (l *looking) at(width int, scheme string) {
	l.t.Helper()
	if err := l.Look(l.ctx, width, 900, 1, scheme); err != nil {
		l.t.Fatal(err)
	}
}

// open loads a result's page from a file and returns its address.
func (l *looking) open(page []byte) string {
	l.t.Helper()
	file := filepath.Join(l.t.TempDir(), "report.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		l.t.Fatal(err)
	}
	address := "file://" + filepath.ToSlash(file)
	if err := l.Load(l.ctx, address); err != nil {
		l.t.Fatal(err)
	}
	return address
}

// run evaluates a script.
func run[T any](l *looking, script string) (value T) {
	l.t.Helper()
	if err := l.Run(l.ctx, script, &value); err != nil {
		l.t.Fatal(err)
	}
	return value
}

// settled waits until what was asked for is drawn.
const settled = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`

// complaints are what the browser logged, and what the page asked the network for.
func (l *looking) complaints(address string) []string {
	var all []string
	for _, method := range []string{"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"} {
		for _, e := range l.Events(method) {
			all = append(all, method+" "+string(e.Params))
		}
	}
	for _, e := range l.Events("Network.requestWillBeSent") {
		var sent struct {
			Request struct{ URL string } `json:"request"`
		}
		if err := json.Unmarshal(e.Params, &sent); err != nil || sent.Request.URL != address {
			all = append(all, "asked for "+sent.Request.URL)
		}
	}
	return all
}

func audit(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "audit.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func htmlPageOf(t *testing.T, r *conformance.Result) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := HTML(&out, r, Options{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEveryPageIsFitForEveryone(t *testing.T) {
	t.Parallel()
	l := look(t)
	script := audit(t)
	for _, s := range slices.Concat(samples(), comparisons(), []sample{
		{"one in a million", oneInAMillion()}, {"ten minutes", tenMinutes()}, {"capacity", searched()},
	}) {
		l.at(1200, "light")
		address := l.open(htmlPageOf(t, s.result))
		see := func(width int, scheme string) {
			l.at(width, scheme)
			run[bool](l, settled)
			for _, wrong := range run[[]string](l, script) {
				t.Errorf("%s, %d wide, %s: %s", s.name, width, scheme, wrong)
			}
		}
		run[int](l, `document.querySelectorAll('details').forEach((d) => (d.open = true)), 1`)
		see(1200, "light")
		see(1200, "dark")
		see(360, "light")
		for _, complaint := range l.complaints(address) {
			t.Errorf("%s: %s", s.name, complaint)
		}
	}
}

func TestTheChartsOfARunAreThere(t *testing.T) {
	t.Parallel()
	l := look(t)
	for _, s := range []struct {
		result *conformance.Result
		charts []string
	}{
		{charted(), []string{
			"Connected subscribers", "Deliveries per second", "Latency since due", "Reconnects per second", "Lost deliveries, by when they were due", "Latency by percentile",
		}},
		{delayed(), []string{"Delay before each attempt", "Delay of each client"}},
	} {
		l.at(1000, "light")
		l.open(htmlPageOf(t, s.result))
		got := run[[]string](l, `[...document.querySelectorAll('figcaption b')].map((b) => b.textContent)`)
		if !slices.Equal(got, s.charts) {
			t.Errorf("the charts are %q, want %q", got, s.charts)
		}
		if labels := run[[]string](l, `[...document.querySelectorAll('canvas')].map((c) => c.getAttribute('aria-label'))`); len(labels) != len(s.charts) {
			t.Errorf("labels: %q", labels)
		}
	}
}

func TestEveryControlIsReachedByKeyboardAndShowsIt(t *testing.T) {
	t.Parallel()
	l := look(t)
	for _, r := range []*conformance.Result{charted(), checked(), killMatrix(), delayed()} {
		l.at(1000, "light")
		l.open(htmlPageOf(t, r))
		want := run[int](l, `[...document.querySelectorAll('a[href], button, summary, input, [tabindex="0"]')].filter((e) => e.checkVisibility() && e.getClientRects().length).length`)
		for i := range want {
			l.press("Tab")
			got := run[string](l, `(() => {
				const e = document.activeElement, s = getComputedStyle(e)
				if (e === document.body) return 'nothing has the focus'
				if (e.dataset.reached) return e.outerHTML.slice(0, 80) + ' was reached twice'
				e.dataset.reached = 'yes'
				return s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2 ? e.outerHTML.slice(0, 80) + ' does not show that it has the focus' : ''
			})()`)
			if got != "" {
				t.Fatalf("%s, control %d of %d: %s", r.Kind, i+1, want, got)
			}
		}
	}
}

// press presses and releases a key.
func (l *looking) press(key string) {
	l.t.Helper()
	code := map[string]int{"Tab": 9, "ArrowRight": 39, "Enter": 13, "End": 35}[key]
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		err := l.Call(l.ctx, "Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}, nil)
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

func TestTheArrowKeysReadTheCharts(t *testing.T) {
	t.Parallel()
	l := look(t)
	l.at(1000, "light")
	l.open(htmlPageOf(t, charted()))
	run[int](l, `document.querySelectorAll('.plot')[2].focus(), 1`)
	for range 4 {
		l.press("ArrowRight")
	}
	run[bool](l, settled)
	read := run[[]string](l, `[...document.querySelectorAll('figcaption')].slice(0, 5).map((c) => c.textContent)`)
	for i, want := range []string{"at 3 s", "at 3 s", "never", "at 3 s", "lost 4"} {
		if !strings.Contains(read[i], want) {
			t.Errorf("chart %d reads %q, want %q", i, read[i], want)
		}
	}
	run[int](l, `document.querySelectorAll('.plot')[5].focus(), 1`)
	l.press("End")
	run[bool](l, settled)
	if last := run[string](l, `document.querySelectorAll('figcaption')[5].textContent`); !strings.Contains(last, "corrected) never") {
		t.Errorf("the end of the percentiles reads %q", last)
	}
}

func TestNothingOfASubjectRunsInThePage(t *testing.T) {
	t.Parallel()
	l := look(t)
	r := charted()
	attack := `</script><script>window.owned=1</script><img src=x onerror="owned=1"><svg onload=owned=1>` + poison
	hostile := MapText(r, func(s string) string { return s + attack })
	for i := range hostile.Runs[0].Series {
		hostile.Runs[0].Series[i].Name = r.Runs[0].Series[i].Name
	}
	hostile.Verdicts[0].Findings[0].Evidence = append(hostile.Verdicts[0].Findings[0].Evidence, strings.Repeat("endless ", 1<<17), strings.Repeat("x", 1<<20))
	l.at(360, "light")
	address := l.open(htmlPageOf(t, hostile))
	run[bool](l, settled)
	run[int](l, `document.querySelectorAll('details').forEach((d) => (d.open = true)), 1`)
	if run[bool](l, `'owned' in window || document.querySelector('img, svg[onload]') !== null`) {
		t.Error("a subject has put markup into the page")
	}
	for _, complaint := range l.complaints(address) {
		t.Error(complaint)
	}
	for _, wrong := range run[[]string](l, audit(t)) {
		t.Error(wrong)
	}
	if charts := run[int](l, `document.querySelectorAll('canvas').length`); charts < 5 {
		t.Errorf("%d charts are left", charts)
	}
}

func TestPaperIsLightAndUnfolded(t *testing.T) {
	t.Parallel()
	l := look(t)
	l.at(1000, "dark")
	l.open(htmlPageOf(t, charted()))
	var pdf struct{ Data []byte }
	if err := l.Call(l.ctx, "Page.printToPDF", map[string]any{}, &pdf); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(pdf.Data, []byte("%PDF")) {
		t.Errorf("%d bytes are no PDF", len(pdf.Data))
	}
	err := l.Call(l.ctx, "Emulation.setEmulatedMedia", map[string]any{
		"media": "print", "features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := run[string](l, `dispatchEvent(new Event('beforeprint')), getComputedStyle(document.body).backgroundColor + ' ' + document.querySelectorAll('main details:not([open])').length`)
	if got != "rgb(255, 255, 255) 0" {
		t.Errorf("background and folded parts on paper: %s", got)
	}
}

func TestTheReportOfALongRunIsSmall(t *testing.T) {
	t.Parallel()
	if size := len(htmlPageOf(t, tenMinutes())); size > 1_000_000 {
		t.Errorf("%d bytes", size)
	}
}

func TestTheLivePageFollowsARun(t *testing.T) {
	t.Parallel()
	l := look(t)
	going := charted()
	going.Outcome, going.Verdicts, going.Runs[0].Outcome = conformance.Unknown, nil, conformance.Unknown
	going.Runs[0].Series[3].Values = nil
	more := make(chan []byte)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := HTMLLive(w, going, Options{}, "events"); err != nil {
				t.Error(err)
			}
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		http.NewResponseController(w).Flush()
		for {
			select {
			case <-r.Context().Done():
				return
			case event := <-more:
				w.Write(event)
				http.NewResponseController(w).Flush()
			}
		}
	}))
	t.Cleanup(server.Close)
	l.at(1000, "light")
	if err := l.Load(l.ctx, server.URL+"/"); err != nil {
		t.Fatal(err)
	}
	if title := run[string](l, `document.title`); !strings.HasPrefix(title, "running") {
		t.Errorf("the title is %q", title)
	}
	if said := run[string](l, `document.body.innerText`); strings.Contains(said, "kept up") || strings.Contains(said, "Lost deliveries: none") {
		t.Error("it says how the run ends before it has ended")
	}
	run[int](l, `document.querySelector('#run0-plan').open = true, window.before = document.querySelector('canvas'), 1`)
	send := func(kind string, update []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		select {
		case more <- fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, update):
		case <-l.ctx.Done():
			t.Fatal("the page does not listen")
		}
	}
	going.Runs[0].Delivered++
	update, err := HTMLUpdate(going, Options{})
	send("message", update, err)
	await(l, `document.querySelector('h1').textContent.includes('5,687')`)
	if !run[bool](l, `document.querySelector('#run0-plan').open && window.before.isConnected`) {
		t.Error("an update folded what was unfolded, or drew the charts anew")
	}
	update, err = HTMLEnd(charted(), Options{})
	send("end", update, err)
	await(l, `document.title.startsWith('FAIL')`)
	if got := run[string](l, `document.querySelector('h1').textContent`); !strings.Contains(got, "47 owed deliveries never arrived") {
		t.Errorf("it ends with %q", got)
	}
	for _, wrong := range run[[]string](l, audit(t)) {
		t.Error(wrong)
	}
	for _, e := range append(l.Events("Log.entryAdded"), l.Events("Runtime.exceptionThrown")...) {
		if !strings.Contains(string(e.Params), "favicon") {
			t.Errorf("%s", e.Params)
		}
	}
}

// await waits for something to be true in the page.
func await(l *looking, condition string) {
	l.t.Helper()
	run[bool](l, `new Promise((done) => { const look = () => (`+condition+`) ? done(true) : requestAnimationFrame(look); look() })`)
}
