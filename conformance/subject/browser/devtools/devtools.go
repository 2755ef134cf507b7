// Package devtools drives a headless Chromium over its DevTools protocol, for tests that look at a page as a reader would. It speaks over
// a pair of pipes, so that no port is open.
package devtools

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/streamgauge/streamgauge/conformance/subject/browser"
)

// Browser is a running Chromium with one page. Its methods may be called concurrently.
type Browser struct {
	command *exec.Cmd
	home    string
	session string // of the page

	writing sync.Mutex
	in      *os.File // what the browser reads

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer
	seen    []Event
	arrived chan struct{} // closed and replaced with every event
	ended   error
}

// Event is what the browser told without being asked.
type Event struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type answer struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Start starts the Chromium at path with an empty page. Close ends it.
func Start(ctx context.Context, path string) (*Browser, error) {
	home, err := os.MkdirTemp("", "streamgauge-devtools-")
	if err != nil {
		return nil, err
	}
	theirs, in, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(home))
	}
	out, said, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), in.Close(), os.RemoveAll(home))
	}
	b := &Browser{home: home, in: in, waiting: map[int]chan answer{}, arrived: make(chan struct{})}
	b.command = exec.CommandContext(ctx, path, append(browser.Quiet[:len(browser.Quiet):len(browser.Quiet)],
		"--remote-debugging-pipe", "--user-data-dir="+home, "--hide-scrollbars", "--force-color-profile=srgb", "about:blank")...)
	b.command.Env = append(os.Environ(), "TMPDIR="+home)
	b.command.ExtraFiles = []*os.File{theirs, said} // what it reads is its third file, what it writes its fourth
	err = b.command.Start()
	_ = theirs.Close()
	_ = said.Close()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), in.Close(), out.Close(), os.RemoveAll(home))
	}
	go b.listen(out)
	if err := b.attach(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// attach makes the page that all further calls are about.
func (b *Browser) attach(ctx context.Context) error {
	var target struct {
		TargetID string `json:"targetId"`
	}
	if err := b.Call(ctx, "Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var session struct {
		SessionID string `json:"sessionId"`
	}
	if err := b.Call(ctx, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session); err != nil {
		return err
	}
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		if err := b.Call(ctx, domain+".enable", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the browser and waits for it.
func (b *Browser) Close() {
	_ = b.in.Close()
	if b.command.Process != nil {
		_ = b.command.Process.Kill()
	}
	_ = b.command.Wait()     // it was killed
	_ = os.RemoveAll(b.home) // what cannot be removed is in the system's folder for such things
}

// Call calls a method of the protocol; result may be nil.
func (b *Browser) Call(ctx context.Context, method string, params, result any) error {
	b.mu.Lock()
	b.next++
	id, answered := b.next, make(chan answer, 1)
	b.waiting[id] = answered
	ended := b.ended
	b.mu.Unlock()
	if ended != nil {
		return fmt.Errorf("%s: %w", method, ended)
	}
	text, err := json.Marshal(struct {
		ID      int    `json:"id"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
		Session string `json:"sessionId,omitempty"`
	}{id, method, params, b.session})
	if err != nil {
		return err
	}
	b.writing.Lock()
	_, err = b.in.Write(append(text, 0))
	b.writing.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	case a, ok := <-answered:
		switch {
		case !ok:
			return fmt.Errorf("%s: the browser has ended", method)
		case a.Error != nil:
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		case result != nil:
			return json.Unmarshal(a.Result, result)
		}
		return nil
	}
}

// listen takes what the browser says until it ends.
func (b *Browser) listen(out *os.File) {
	defer func() { _ = out.Close() }()
	lines := bufio.NewReaderSize(out, 1<<20)
	for {
		text, err := lines.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			b.ended = err
			for _, waiting := range b.waiting {
				close(waiting)
			}
			b.waiting = map[int]chan answer{}
			close(b.arrived)
			b.mu.Unlock()
			return
		}
		var said struct {
			ID int `json:"id"`
			answer
			Event
		}
		if json.Unmarshal(text[:len(text)-1], &said) != nil {
			continue
		}
		b.mu.Lock()
		if waiting, known := b.waiting[said.ID]; known {
			delete(b.waiting, said.ID)
			waiting <- said.answer
		} else if said.Method != "" {
			b.seen = append(b.seen, said.Event)
			close(b.arrived)
			b.arrived = make(chan struct{})
		}
		b.mu.Unlock()
	}
}

// Events are those of one method that have come so far.
func (b *Browser) Events(method string) []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	var events []Event
	for _, e := range b.seen {
		if e.Method == method {
			events = append(events, e)
		}
	}
	return events
}

// Forget drops the events that have come so far.
func (b *Browser) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = nil
}

// Await waits for an event.
func (b *Browser) Await(ctx context.Context, method string) error {
	for {
		b.mu.Lock()
		arrived, ended := b.arrived, b.ended
		b.mu.Unlock()
		if len(b.Events(method)) > 0 {
			return nil
		}
		if ended != nil {
			return fmt.Errorf("waiting for %s: %w", method, ended)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", method, ctx.Err())
		case <-arrived:
		}
	}
}

// Load opens an address and waits until the page and everything in it is there. What was told before is forgotten.
func (b *Browser) Load(ctx context.Context, url string) error {
	b.Forget()
	var loaded struct {
		ErrorText string `json:"errorText"`
	}
	if err := b.Call(ctx, "Page.navigate", map[string]any{"url": url}, &loaded); err != nil {
		return err
	}
	if loaded.ErrorText != "" {
		return fmt.Errorf("load %s: %s", url, loaded.ErrorText)
	}
	return b.Await(ctx, "Page.loadEventFired")
}

// Run evaluates a script in the page, waits for its promise, and decodes its value into result, which may be nil.
func (b *Browser) Run(ctx context.Context, script string, result any) error {
	var out struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	err := b.Call(ctx, "Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}, &out)
	switch {
	case err != nil:
		return err
	case out.Exception != nil:
		return fmt.Errorf("script: %s %s", out.Exception.Text, out.Exception.Exception.Description)
	case result == nil || len(out.Result.Value) == 0:
		return nil
	}
	return json.Unmarshal(out.Result.Value, result)
}

// Look sets how the page is looked at: its size in CSS pixels, how many of the screen's pixels one of them is, and the colour scheme,
// light or dark.
func (b *Browser) Look(ctx context.Context, width, height int, scale float64, scheme string) error {
	err := b.Call(ctx, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": scale, "mobile": false}, nil)
	if err != nil {
		return err
	}
	return b.Call(ctx, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// Screenshot is what is seen as PNG, or the whole page.
func (b *Browser) Screenshot(ctx context.Context, whole bool) ([]byte, error) {
	var shot struct {
		Data []byte `json:"data"`
	}
	err := b.Call(ctx, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": whole}, &shot)
	return shot.Data, err
}
