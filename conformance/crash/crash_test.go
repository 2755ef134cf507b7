package crash

import (
	"strings"
	"sync"
	"testing"
)

// TestTheFirstCrashIsKeptAndEachIsTold is the only test here that crashes: a process has one state.
func TestTheFirstCrashIsKeptAndEachIsTold(t *testing.T) {
	var told []string
	Tell(func(c *Crash) { told = append(told, c.Text) })
	if First() != nil || Ended() != nil {
		t.Fatal("there is a crash before the first")
	}
	Contain("one case alone")
	if First() == nil || Ended() != nil {
		t.Errorf("first %v, ended by %v: what is contained ends nothing", First(), Ended())
	}
	select {
	case <-Done():
		t.Error("what is contained ends nothing")
	default:
	}
	var group sync.WaitGroup
	Go(&group, func() { panic("line 1\nline 2\x1b[31m" + strings.Repeat("x", 500)) })
	group.Wait()
	Go(&group, func() { panic("later") })
	group.Wait()
	<-Done()
	if c := Ended(); !strings.HasPrefix(c.Text, "line 1 line 2\uFFFD[31mxxx") || len([]rune(c.Text)) != textRunes+1 {
		t.Errorf("%q", c.Text)
	}
	if c := Ended(); !strings.Contains(string(c.Stack), "crash_test.go") {
		t.Errorf("%s", c.Stack)
	}
	if First().Text != "one case alone" || len(told) != 3 || told[2] != "later" {
		t.Errorf("first %q, told %q", First().Text, told)
	}
	Tell(nil)
}

func TestAServersPanicIsACrash(t *testing.T) {
	t.Parallel()
	before := First()
	ServerLog().Print("http: TLS handshake error from 127.0.0.1: EOF")
	if First() != before {
		t.Error("what a client does is no crash")
	}
}
