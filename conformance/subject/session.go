package subject

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// Link is a running adapter: its two streams, and how it is ended.
type Link struct {
	In   io.WriteCloser // its standard input
	Out  io.Reader      // its standard output
	Wait func() error   // returns once it has ended, with why; called once, after Out has ended
	Kill func()         // ends it at once, with all that it started
	Says func() string  // the last of what it wrote to its standard error; nil: nothing
}

// Starter starts an adapter anew.
type Starter func(ctx context.Context) (*Link, error)

// Bounds of what an adapter may do before it is given up.
const (
	HelloWithin = 5 * time.Second
	ExitWithin  = 2 * time.Second

	maxLine    = 96 << 20 // an event of 16 MiB, however it is escaped
	maxHello   = 64 << 10
	maxReports = 100_000 // of one connection and its reconnections
	maxIdle    = 1 << 20 // reports that are of nothing that is looked at
	maxHeld    = 1 << 30 // bytes of the reports that are kept at once
)

// Errors by which a session ends. They wrap what was seen.
var (
	ErrEnded    = errors.New("the client under test ended")
	ErrGarbled  = errors.New("the adapter wrote something else than the protocol")
	ErrFlooding = errors.New("the adapter floods its standard output")
	ErrSilent   = errors.New("the adapter does not answer")
	ErrLeft     = errors.New("the client under test left processes behind")
)

// ungreetedError is an ending before the hello, and how it came about.
type ungreetedError string

func (e ungreetedError) Error() string {
	return "the adapter ended before it said hello, with " + string(e)
}

func (ungreetedError) Unwrap() error { return ErrEnded }

// Ending is the error of a conversation in words, and during what it came.
func Ending(err error, during string) string {
	if early := ungreetedError(""); err == nil || !errors.Is(err, ErrEnded) || errors.As(err, &early) {
		return fmt.Sprintf("%v while %s", err, during)
	}
	how, said := err.Error(), ""
	if at := strings.Index(how, saidBefore); at >= 0 {
		how, said = how[:at], how[at:]
	}
	how = strings.TrimLeft(strings.TrimPrefix(how, ErrEnded.Error()), ": ")
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		how = fmt.Sprintf("with status %d", exit.ExitCode())
		if !exit.Exited() {
			how = "by " + strings.ReplaceAll(exit.String(), ": ", " ")
		}
	}
	return fmt.Sprintf("the client's process ended %s while %s%s", how, during, said)
}

// Session is one conversation with an adapter. Its methods may be called concurrently.
type Session struct {
	link  *Link
	hello Hello
	over  chan struct{} // closed when the conversation is

	sending chan struct{} // held while a command is written

	mu      sync.Mutex
	conns   map[string]*Conn
	changed chan struct{} // closed and replaced with every report
	synced  int           // highest seq that was answered
	seq     int
	held    int            // bytes of the reports of all conns
	budget  *memory.Budget // nil: the process's
	idle    int            // reports of no connection
	spoke   bool           // it has written more than its hello
	exiting bool
	err     error
}

// Begin starts an adapter and waits for its hello. End the session.
func Begin(ctx context.Context, start Starter) (*Session, error) {
	link, err := start(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting the client under test: %w", err)
	}
	s := &Session{link: link, conns: map[string]*Conn{}, changed: make(chan struct{}), over: make(chan struct{}), sending: make(chan struct{}, 1)}
	greeted := make(chan struct{})
	go func() {
		defer crash.Catch()
		s.listen(greeted)
	}()
	timer := time.NewTimer(HelloWithin)
	defer timer.Stop()
	select {
	case <-greeted:
		go func() {
			defer crash.Catch()
			s.watch()
		}()
		return s, nil
	case <-s.over:
		err = s.Err()
	case <-timer.C:
		err = fmt.Errorf("%w: no hello within %v%s", ErrSilent, HelloWithin, s.said())
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.fail(err)
	s.link.Kill()
	<-s.over
	return nil, err
}

// Hello is what the adapter said first.
func (s *Session) Hello() Hello { return s.hello }

// Spoke says whether the adapter has written anything but its hello.
func (s *Session) Spoke() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spoke
}

// Can says whether the adapter declared a capability.
func (s *Session) Can(c Capability) bool { return slices.Contains(s.hello.Caps, string(c)) }

// Err is why the conversation ended; nil while it goes on.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Over is closed when the conversation has ended.
func (s *Session) Over() <-chan struct{} { return s.over }

// listen reads the adapter's lines until there are no more, and then waits for its end.
func (s *Session) listen(greeted chan<- struct{}) {
	defer close(s.over)
	defer s.release()
	in := bufio.NewReaderSize(s.link.Out, 64<<10)
	line := 0
	var broken error // off in the middle of a line
	for {
		text, err := readLine(in)
		if errors.Is(err, errUnfinished) {
			broken = err
			break
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.fail(err)
			}
			break
		}
		line++
		if err := s.take(text, line, greeted); err != nil {
			s.fail(fmt.Errorf("%w%s", err, s.said()))
			s.link.Kill()
			break
		}
	}
	_, _ = io.Copy(io.Discard, in) // what comes behind an error is of no interest, but must not block the adapter's end
	err := s.link.Wait()
	s.mu.Lock()
	exiting := s.exiting
	s.mu.Unlock()
	if broken != nil && err == nil {
		s.fail(broken) // a process that came to grief may have done so anywhere
	}
	switch {
	case s.hello.Proto == 0 && err == nil:
		s.fail(ungreetedError("exit status 0" + s.said()))
	case s.hello.Proto == 0:
		s.fail(ungreetedError(err.Error() + s.said()))
	case exiting && err == nil:
		s.fail(fmt.Errorf("%w, as it was told", ErrEnded))
	case err == nil:
		s.fail(fmt.Errorf("%w by itself%s", ErrEnded, s.said()))
	default:
		s.fail(fmt.Errorf("%w: %w%s", ErrEnded, err, s.said()))
	}
}

var errUnfinished = errors.New("its last line has no end")

// readLine reads one line without its end.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if len(line) > 0 && errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("%w: %w: %.200q", ErrGarbled, errUnfinished, line)
			}
			return nil, err
		case len(line) > maxLine:
			return nil, fmt.Errorf("%w: a line of more than %d bytes: %.200q…", ErrGarbled, maxLine, line)
		}
	}
}

// take handles one line.
func (s *Session) take(text []byte, line int, greeted chan<- struct{}) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: line %d is not UTF-8: %.200q", ErrGarbled, line, text)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%w: line %d is no report: %w: %.200q", ErrGarbled, line, err, text)
	}
	r.At = time.Now()
	if line == 1 {
		if r.Ev != EvHello {
			return fmt.Errorf("%w: the first line is no hello: %.200q", ErrGarbled, text)
		}
		if len(text) > maxHello {
			return fmt.Errorf("%w: its hello has more than %d bytes: %.200q…", ErrGarbled, maxHello, text)
		}
		if err := json.Unmarshal(text, &s.hello); err != nil {
			return fmt.Errorf("%w: its hello: %w: %.200q", ErrGarbled, err, text)
		}
		if s.hello.Proto != Version {
			return fmt.Errorf("%w: its hello is of protocol %d, want %d", ErrGarbled, s.hello.Proto, Version)
		}
		if err := s.hello.validate(); err != nil {
			return fmt.Errorf("%w: its hello: %w", ErrGarbled, err)
		}
		close(greeted)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoke = true
	c := s.conns[r.Conn]
	if r.Ev == EvSync || c == nil {
		s.idle++
	}
	if s.idle > maxIdle+s.seq {
		return fmt.Errorf("%w: more than %d reports of no connection that is open, the last: %.200q", ErrFlooding, maxIdle, text)
	}
	if r.Ev == EvSync {
		if r.Seq <= s.seq { // what was not asked is no answer
			s.synced = max(s.synced, r.Seq)
		}
	} else if c != nil {
		c.reports = append(c.reports, r)
		if len(c.reports) > maxReports {
			return fmt.Errorf("%w: more than %d reports of one connection, the last: %.200q", ErrFlooding, maxReports, text)
		}
		c.held += len(text)
		s.held += len(text)
		if !s.budget.Keep(int64(len(text))) || s.held > maxHeld {
			return fmt.Errorf("%w: %d bytes of reports, which is more than can be kept", ErrFlooding, s.held)
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// release gives back what the reports took: nothing is added to them any more.
func (s *Session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.Keep(int64(-s.held))
	s.held = 0
	for _, c := range s.conns {
		c.held = 0
	}
}

// fail notes why the conversation ended, the first reason counts.
func (s *Session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// Says is the last of what the adapter wrote to its standard error.
func (s *Session) Says() string {
	if s.link.Says == nil {
		return ""
	}
	return s.link.Says()
}

// saidBefore is in front of what the adapter last wrote to its standard error.
const saidBefore = "; its standard error ends with: "

func (s *Session) said() string {
	if s.link.Says == nil {
		return ""
	}
	if text := s.link.Says(); text != "" {
		return saidBefore + text
	}
	return ""
}

func (s *Session) send(c command) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding a command: %w", err)
	}
	s.sending <- struct{}{}
	defer func() { <-s.sending }()
	if err := s.Err(); err != nil {
		return err
	}
	// An adapter that does not read would block the write for ever.
	stuck := time.AfterFunc(answerWithin, func() {
		s.fail(fmt.Errorf("%w: it left a command unread for %v%s", ErrSilent, answerWithin, s.said()))
		s.link.Kill()
	})
	_, err = s.link.In.Write(append(text, '\n'))
	stuck.Stop()
	if err != nil {
		select { // its end says more than a broken pipe
		case <-s.over:
			return s.Err()
		case <-time.After(time.Second):
			return fmt.Errorf("%w: writing a command: %w", ErrEnded, err)
		}
	}
	return nil
}

// await waits until the condition holds. It is asked without the lock, so that whoever reports much is not slowed down by it.
func (s *Session) await(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		changed, err := s.changed, s.err
		s.mu.Unlock()
		switch {
		case holds():
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Sync waits until the adapter has written everything that it had seen by now.
func (s *Session) Sync(ctx context.Context) error {
	seq, err := s.askSync()
	if err != nil {
		return err
	}
	return s.await(ctx, func() bool { return s.answered(seq) })
}

func (s *Session) askSync() (seq int, err error) {
	s.mu.Lock()
	s.seq++
	seq = s.seq
	s.mu.Unlock()
	return seq, s.send(command{Cmd: cmdSync, Seq: seq})
}

func (s *Session) answered(seq int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.synced >= seq
}

// watchEvery and answerWithin are how often an adapter is asked for a sign of life, and how long it may take. It may leave a command unread
// for as long.
const (
	watchEvery   = 5 * time.Second
	answerWithin = 20 * time.Second
)

// watch ends a session whose adapter has hung: whoever waits for its reports must not wait in vain.
func (s *Session) watch() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	seq, asked := 0, 0 // ticks since it was asked: a machine that stood still counts as one
	for {
		select {
		case <-s.over:
			return
		case <-ticker.C:
		}
		switch {
		case seq == 0 || s.answered(seq):
			next, err := s.askSync()
			if err != nil {
				return
			}
			seq, asked = next, 0
		case time.Duration(asked)*watchEvery >= answerWithin:
			s.fail(fmt.Errorf("%w: no answer to sync within %v%s", ErrSilent, answerWithin, s.said()))
			s.link.Kill()
			return
		default:
			asked++
		}
	}
}

// Open has the client open a connection.
func (s *Session) Open(o Open) (*Conn, error) {
	s.mu.Lock()
	s.seq++
	seq := s.seq
	c := &Conn{session: s, name: "c" + strconv.Itoa(seq)}
	s.conns[c.name] = c
	s.mu.Unlock()
	return c, s.send(command{Cmd: cmdOpen, Seq: seq, Conn: c.name, Open: &o})
}

// End asks the adapter to exit and ends it when it does not. The error is that of one that had to be killed, or had
// ended before.
func (s *Session) End() error {
	s.mu.Lock()
	s.exiting = true
	err := s.err
	s.mu.Unlock()
	if err != nil {
		s.link.Kill()
		<-s.over
		return err
	}
	_ = s.send(command{Cmd: cmdExit}) // one that is gone has exited
	return s.outlast("it was told to exit")
}

// Leave closes the adapter's input without a word, as when the harness dies, and ends the adapter when that does not end it. The error is that of
// one that had to be ended.
func (s *Session) Leave() error {
	s.mu.Lock()
	s.exiting = true
	s.mu.Unlock()
	return s.outlast("its input ended")
}

// outlast closes the input and waits for the adapter's end.
func (s *Session) outlast(after string) error {
	_ = s.link.In.Close()
	timer := time.NewTimer(ExitWithin)
	defer timer.Stop()
	select {
	case <-s.over:
	case <-timer.C:
		s.fail(fmt.Errorf("%w: it did not end within %v after %s", ErrSilent, ExitWithin, after))
		s.link.Kill()
		<-s.over
	}
	err := s.Err()
	for _, bad := range []error{ErrSilent, ErrGarbled, ErrFlooding, ErrLeft} {
		if errors.Is(err, bad) {
			return err
		}
	}
	return nil
}

// Conn is one subscription of the client: a connection and all its reconnections.
type Conn struct {
	session *Session
	name    string
	reports []Report // guarded by session.mu, like what follows
	held    int      // bytes
}

// Reports is what the client has reported of it so far.
func (c *Conn) Reports() []Report {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	return c.reports[:len(c.reports):len(c.reports)]
}

// Await waits until what was reported is enough. The reports come back with an error, too.
func (c *Conn) Await(ctx context.Context, enough func([]Report) bool) ([]Report, error) {
	err := c.session.await(ctx, func() bool { return enough(c.Reports()) })
	return c.Reports(), err
}

// Close has the client close it.
func (c *Conn) Close() error { return c.session.send(command{Cmd: cmdClose, Conn: c.name}) }

// Restart has the client connect anew.
func (c *Conn) Restart() error { return c.session.send(command{Cmd: cmdRestart, Conn: c.name}) }

// Forget drops what was reported, and what will be.
func (c *Conn) Forget() {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	delete(c.session.conns, c.name)
	c.session.held -= c.held
	c.session.budget.Keep(int64(-c.held))
	c.held = 0
}
