package subject_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// adapterVariable makes this test program an adapter that misbehaves in the way it names.
const adapterVariable = "STREAMGAUGE_TEST_ADAPTER"

func TestMain(m *testing.M) {
	if way := os.Getenv(adapterVariable); way != "" {
		misbehave(way)
		return
	}
	goleak.VerifyTestMain(m)
}

func say(text string) { _, _ = os.Stdout.WriteString(text + "\n") }

const helloLine = `{"ev":"hello","proto":1,"name":"test","caps":["multi"]}`

// forEver blocks without being a deadlock that Go's runtime sees.
func forEver() {
	for {
		<-time.After(time.Hour)
	}
}

// misbehave is the adapter. What is not said otherwise is done as it should be.
func misbehave(way string) {
	switch way {
	case "no hello":
		forEver()
	case "exits at once":
		fmt.Fprintln(os.Stderr, "no such module: sse")
		os.Exit(3) //nolint:forbidigo // it is a program of its own
	case "exits at once, content":
		os.Exit(0) //nolint:forbidigo // likewise
	case "greets with garbage":
		say("Debugger attached.")
		forEver()
	case "another protocol":
		say(`{"ev":"hello","proto":2,"name":"test"}`)
		forEver()
	}
	switch way {
	case "a huge hello":
		say(`{"ev":"hello","proto":1,"name":"` + strings.Repeat("x", 1<<20) + `"}`)
	case "a delay without end":
		say(`{"ev":"hello","proto":1,"policy":{"backoff":{"base_ms":1e300}}}`)
	case "a delay below zero":
		say(`{"ev":"hello","proto":1,"policy":{"backoff":{"base_ms":1,"silence_ms":-5}}}`)
	case "a factor without end":
		say(`{"ev":"hello","proto":1,"policy":{"backoff":{"base_ms":1,"factor":1e308}}}`)
	case "more than all left to chance":
		say(`{"ev":"hello","proto":1,"policy":{"backoff":{"base_ms":1,"jitter":2}}}`)
	case "a status without end":
		say(`{"ev":"hello","proto":1,"policy":{"retry_status":[503,1000000]}}`)
	}
	say(helloLine)
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if way == "outlives its input" || way == "ignores exit" {
				forEver()
			}
			return
		}
		var c struct {
			Seq  int    `json:"seq"`
			Cmd  string `json:"cmd"`
			Conn string `json:"conn"`
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			panic(err)
		}
		switch c.Cmd {
		case "open":
			misbehaveAtOpen(way, c.Conn)
		case "close":
			say(fmt.Sprintf(`{"ev":"closed","conn":%q}`, c.Conn))
		case "sync":
			say(fmt.Sprintf(`{"ev":"sync","seq":%d}`, c.Seq))
		case "exit":
			if way == "ignores exit" {
				continue
			}
			return
		}
	}
}

func misbehaveAtOpen(way, conn string) {
	event := fmt.Sprintf(`{"ev":"event","conn":%q,"type":"message","data":"x"}`, conn)
	switch way {
	case "crashes":
		panic("index out of range")
	case "ends":
		os.Exit(0) //nolint:forbidigo // it is a program of its own
	case "writes broken JSON":
		say(`{"ev":"event","conn":`)
	case "prints":
		say("connected!")
	case "writes Latin-1":
		say("{\"ev\":\"event\",\"conn\":\"c1\",\"data\":\"gr\xfc\xdfe\"}")
	case "ends in the middle":
		_, _ = os.Stdout.WriteString(event[:20])
		os.Exit(0) //nolint:forbidigo // it is a program of its own
	case "floods":
		for all := strings.Repeat(event+"\n", 1000); ; {
			if _, err := os.Stdout.WriteString(all); err != nil {
				return
			}
		}
	case "floods with syncs":
		for all := strings.Repeat(`{"ev":"sync","seq":1}`+"\n", 1000); ; {
			if _, err := os.Stdout.WriteString(all); err != nil {
				return
			}
		}
	case "floods for nobody":
		for all := strings.Repeat(`{"ev":"event","conn":"nobody"}`+"\n", 1000); ; {
			if _, err := os.Stdout.WriteString(all); err != nil {
				return
			}
		}
	case "nests deeply":
		say(`{"ev":"event","x":` + strings.Repeat("[", 1<<20))
	case "counts too far":
		say(`{"ev":"sync","seq":99999999999999999999}`)
	case "never ends its line":
		for all := strings.Repeat("x", 1<<20); ; {
			if _, err := os.Stdout.WriteString(all); err != nil {
				return
			}
		}
	case "leaves a process":
		// It holds the adapter's standard output open.
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), adapterVariable+"=no hello")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stderr, "child", child.Process.Pid)
		say(event)
	case "leaves a daemon", "leaves a daemon, unmarked":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), adapterVariable+"=no hello")
		if way != "leaves a daemon" {
			child.Env = []string{adapterVariable + "=no hello"}
		}
		ownSession(child)
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stderr, "child", child.Process.Pid)
		say(event)
	default:
		say(event)
	}
}
