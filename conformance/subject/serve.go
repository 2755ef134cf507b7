package subject

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

// Client is a client behind an adapter written in Go. Open starts a subscription, which reports whatever happens to it until it is
// closed; its context ends with the adapter. An error of Open is reported as a fatal one.
type Client interface {
	Hello() Hello
	Open(ctx context.Context, o Open, to *Reporter) (Subscription, error)
}

// Subscription is an open subscription. Close ends it; nothing is reported behind that.
type Subscription interface{ Close() }

// Restarter is a Subscription that can be told to connect anew.
type Restarter interface{ Restart() }

// Reporter reports on one subscription. Its methods may be called concurrently.
type Reporter struct {
	conn string
	to   *writer
}

// writer writes lines.
type writer struct {
	mu  sync.Mutex
	out *bufio.Writer
}

func (w *writer) write(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encoding a report: %v", err)) // reports hold nothing that JSON does not
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.out.Write(append(text, '\n'))
	_ = w.out.Flush() // a harness that is gone closes the input as well
}

// Opened reports the head of a good stream.
func (r *Reporter) Opened() { r.report(Report{Ev: EvOpen, State: "open"}) }

// Event reports an event, with the last event id as an application is told it.
func (r *Reporter) Event(kind string, data []byte, lastEventID string) {
	report := Report{Ev: EvEvent, Type: kind, LastEventID: lastEventID}
	if text := string(data); utf8.ValidString(text) {
		report.Data = &text
	} else {
		report.DataB64 = data
	}
	r.report(report)
}

// Comment reports a comment without its colon.
func (r *Reporter) Comment(text string) { r.report(Report{Ev: EvComment, Text: text}) }

// Failed reports the loss of a connection or a failed attempt. Fatal means that the client will not try again; status is 0 when there was
// no response.
func (r *Reporter) Failed(fatal bool, cause Cause, status int, message string) {
	state := "connecting"
	if fatal {
		state = "closed"
	}
	r.report(Report{Ev: EvError, Fatal: fatal, Cause: cause, Status: status, Message: message, State: state})
}

func (r *Reporter) report(report Report) {
	report.Conn = r.conn
	r.to.write(report)
}

// Serve speaks the adapter's side of the protocol for a client, until it is told to exit, its input ends or ctx does.
func Serve(ctx context.Context, in io.Reader, out io.Writer, client Client) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &writer{out: bufio.NewWriter(out)}
	hello := client.Hello()
	hello.Proto = Version
	w.write(struct {
		Ev string `json:"ev"`
		Hello
	}{EvHello, hello})
	open := map[string]Subscription{}
	defer func() {
		for _, s := range open {
			s.Close()
		}
	}()
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a command: %w", err)
		}
		var c command
		if err := json.Unmarshal(line, &c); err != nil {
			return fmt.Errorf("reading the command %.200q: %w", line, err)
		}
		switch c.Cmd {
		case cmdOpen:
			if c.Open == nil {
				c.Open = &Open{}
			}
			to := &Reporter{conn: c.Conn, to: w}
			s, err := client.Open(ctx, *c.Open, to)
			if err != nil {
				to.Failed(true, "", 0, err.Error())
				continue
			}
			open[c.Conn] = s
		case cmdClose:
			if s := open[c.Conn]; s != nil {
				s.Close()
			}
			w.write(Report{Ev: EvClosed, Conn: c.Conn})
		case cmdRestart:
			if s, ok := open[c.Conn].(Restarter); ok {
				s.Restart()
			}
		case cmdSync:
			w.write(Report{Ev: EvSync, Seq: c.Seq})
		case cmdExit:
			return nil
		}
	}
}

// Local starts a client of this process.
func Local(client Client) Starter {
	return func(ctx context.Context) (*Link, error) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		commands, toAdapter := io.Pipe()
		fromAdapter, reports := io.Pipe()
		ended, killed := make(chan error, 1), make(chan struct{})
		var once sync.Once
		go func() {
			defer cancel()
			err := Serve(ctx, commands, reports, client)
			_ = reports.Close()
			ended <- err
		}()
		return &Link{
			In: toAdapter, Out: fromAdapter,
			Wait: func() error {
				select {
				case err := <-ended:
					return err
				case <-killed:
				}
				// A client that cannot be ended must not hang the harness: what is left of it is left.
				late := time.NewTimer(ExitWithin)
				defer late.Stop()
				select {
				case err := <-ended:
					return err
				case <-late.C:
					return fmt.Errorf("%w: its Close does not return", ErrSilent)
				}
			},
			Kill: func() {
				once.Do(func() { close(killed) })
				cancel()
				_ = commands.CloseWithError(context.Canceled)
				_ = fromAdapter.CloseWithError(context.Canceled)
			},
		}, nil
	}
}
