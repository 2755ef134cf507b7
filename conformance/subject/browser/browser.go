// Package browser puts the EventSource of Chromium under test: headless, in a profile of its own, driven by a page of ours that speaks the adapter
// protocol over HTTP.
package browser

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

//go:embed page.html
var page []byte

// names are those that Chromium has on different systems.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// Find returns the path of a Chromium.
func Find() (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("none of %s is on PATH", strings.Join(names, ", "))
}

// startWithin is how long Chromium may take to ask for the page's commands.
const startWithin = 30 * time.Second

// Quiet are the flags that keep a Chromium headless, quiet and offline.
var Quiet = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-default-apps", "--mute-audio", "--disable-breakpad",
	"--disable-background-timer-throttling", "--disable-renderer-backgrounding",
}

// flags are those of a browser under test. Streams come from servers that know nothing of origins, so the page may read all of them: what
// concerns CORS cannot be judged like this.
var flags = append(slices.Clone(Quiet), "--disable-web-security")

// Chromium starts the browser at a path.
func Chromium(path string) subject.Starter {
	return func(ctx context.Context) (*subject.Link, error) {
		home, err := os.MkdirTemp("", "streamgauge-chromium-")
		if err != nil {
			return nil, err
		}
		d, err := newDriver()
		if err != nil {
			_ = os.RemoveAll(home)
			return nil, err
		}
		command := append(append([]string{"env", "TMPDIR=" + home, path}, flags...), "--user-data-dir="+home, "http://"+d.listener.Addr().String()+"/")
		chromium, err := subject.Program(command...)(ctx)
		if err != nil {
			d.close()
			_ = os.RemoveAll(home)
			return nil, err
		}
		ended := make(chan error, 1)
		go func() {
			_, _ = io.Copy(io.Discard, chromium.Out)
			err := chromium.Wait()
			d.close()
			_ = os.RemoveAll(home) // what cannot be removed is in the system's folder for such things
			if d.told() {
				err = nil // it was ended because it was told to
			}
			ended <- err
		}()
		link := &subject.Link{
			In: &input{d, chromium.Kill}, Out: d.reports, Wait: func() error { return <-ended }, Kill: func() { chromium.Kill(); d.close() }, Says: chromium.Says,
		}
		late := time.NewTimer(startWithin)
		defer late.Stop()
		select {
		case <-d.asked:
			return link, nil
		case err = <-ended:
			return nil, fmt.Errorf("%s ended before it had loaded a page: %w; it said: %s", path, errors.Join(err, subject.ErrEnded), chromium.Says())
		case <-late.C:
			err = fmt.Errorf("%s did not load a page within %v; it said: %s", path, startWithin, chromium.Says())
		case <-ctx.Done():
			err = ctx.Err()
		}
		chromium.Kill()
		return nil, errors.Join(err, <-ended)
	}
}

// input takes the commands. When it is closed the browser ends: it has no other business.
type input struct {
	*driver

	kill func()
}

func (in *input) Write(p []byte) (int, error) { return in.commands.Write(p) }

func (in *input) Close() error {
	in.tell()
	in.kill()
	return nil
}

// driver serves the page, its commands and its reports.
type driver struct {
	listener net.Listener
	server   *http.Server
	reports  *io.PipeReader
	said     *io.PipeWriter
	commands *io.PipeWriter
	waiting  *io.PipeReader
	asked    chan struct{} // closed when the page asks for commands
	once     sync.Once

	mu     sync.Mutex
	ending bool // the browser was told to end
}

func newDriver() (*driver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving the page: %w", err)
	}
	d := &driver{listener: listener, asked: make(chan struct{})}
	d.reports, d.said = io.Pipe()
	d.waiting, d.commands = io.Pipe()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // a browser that is gone is noticed elsewhere
	})
	mux.HandleFunc("GET /commands", d.command)
	mux.HandleFunc("POST /say", d.say)
	d.server = &http.Server{Handler: mux, ReadHeaderTimeout: startWithin}
	go func() { _ = d.server.Serve(listener) }() // it ends with close
	return d, nil
}

func (d *driver) close() {
	_ = d.said.Close()
	_ = d.waiting.Close()
	_ = d.server.Close() // the browser has ended
}

func (d *driver) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ending = true
}

func (d *driver) told() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ending
}

// command hands the commands to the page, line by line, in one response without end.
func (d *driver) command(w http.ResponseWriter, r *http.Request) {
	d.once.Do(func() { close(d.asked) })
	w.Header().Set("Content-Type", "application/x-ndjson")
	flusher := http.NewResponseController(w)
	if flusher.Flush() != nil {
		return
	}
	stop := context.AfterFunc(r.Context(), func() { _ = d.waiting.Close() }) // the page is gone
	defer stop()
	lines := bufio.NewReader(d.waiting)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if _, err := w.Write(line); err != nil || flusher.Flush() != nil {
			return
		}
	}
}

// say takes reports, of which the page sends one batch after the other.
func (d *driver) say(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(d.said, r.Body); err != nil {
		http.Error(w, "nobody listens any more", http.StatusGone)
	}
}
