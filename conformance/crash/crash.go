// Package crash keeps a panic from ending the process at once: it is caught at the top of its goroutine, told, and ends what is under way
// as an interrupt does, so that what was measured is still written. Whoever starts a goroutine of the harness defers [Catch] in it.
//
// A process has one state, because a defect of the harness puts all in doubt that it does meanwhile.
package crash

import (
	"fmt"
	"runtime/debug"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Crash is a panic that was caught.
type Crash struct {
	Text  string // what it panicked with, on one line, cut
	Stack []byte // of its goroutine
}

func (c *Crash) Error() string { return "the harness crashed: " + c.Text }

// textRunes is as much as a report can use.
const textRunes = 200

func newCrash(p any, stack []byte) *Crash {
	text := []rune{}
	for _, r := range fmt.Sprint(p) {
		switch {
		case len(text) == textRunes:
			return &Crash{string(text) + "…", stack}
		case r == '\n' || r == '\t':
			r = ' '
		case !unicode.IsPrint(r):
			r = utf8.RuneError
		}
		text = append(text, r)
	}
	return &Crash{string(text), stack}
}

// keeper holds the crashes of a process.
type keeper struct {
	mu    sync.Mutex
	first *Crash
	ended *Crash // the first that ends what is under way
	done  chan struct{}
	tell  func(*Crash)
}

var process = keeper{done: make(chan struct{})}

func (k *keeper) take(c *Crash, ends bool) {
	k.mu.Lock()
	if k.first == nil {
		k.first = c
	}
	if ends && k.ended == nil {
		k.ended = c
		close(k.done)
	}
	tell := k.tell
	k.mu.Unlock()
	if tell != nil {
		tell(c)
	}
}

// Catch is deferred at the top of a goroutine: it takes its panic, if there is one.
func Catch() {
	if p := recover(); p != nil {
		process.take(newCrash(p, debug.Stack()), true)
	}
}

// Take takes a panic that was recovered elsewhere, with the stack as it was then.
func Take(p any, stack []byte) { process.take(newCrash(p, stack), true) }

// Contain takes a panic that harms nothing beside: the rest goes on. It is called by who recovered it.
func Contain(p any) *Crash {
	c := newCrash(p, debug.Stack())
	process.take(c, false)
	return c
}

// Go starts a goroutine of a group whose panic is caught.
func Go(group *sync.WaitGroup, f func()) {
	group.Go(func() {
		defer Catch()
		f()
	})
}

// Done is closed by the first crash that was not contained.
func Done() <-chan struct{} { return process.done }

// Ended is that crash; nil: there was none.
func Ended() *Crash {
	process.mu.Lock()
	defer process.mu.Unlock()
	return process.ended
}

// First is the first crash of all; nil: there was none.
func First() *Crash {
	process.mu.Lock()
	defer process.mu.Unlock()
	return process.first
}

// Tell sets who is told of each crash, at once and on its goroutine.
func Tell(tell func(*Crash)) {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.tell = tell
}
