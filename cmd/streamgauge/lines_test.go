package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestNothingRawReachesStandardError: whatever a file, a flag or an adapter says, the terminal shows it and does not obey it.
func TestNothingRawReachesStandardError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const escape = "\x1b[31m\x1b]0;title\x07\u009b\u202e"
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	unknown := file("unknown.yaml", `{name: t, subscribe: {url: "http://h/"}, "\e[31mkey\u009b": 1, ack: "\e[31m"}`)
	many := file("many.yaml", "name: t\nsubscribe: {url: 'http://h/'}\n"+strings.Repeat("x", 300)+": 1\n"+keys(3000))
	scenario := file("scenario.yaml", "name: \"n\\e[31m\"\nload: {streams: 1, \"\\e[31m\": 2}\n")
	for _, args := range [][]string{
		{"validate", unknown}, {"validate", many}, {"validate", scenario}, {"validate", filepath.Join(dir, escape)}, {"run", escape}, {escape},
		{"run", "steady-flow", "--set", "load.x=" + escape}, {"run", "steady-flow", "--set", "x=" + strings.Repeat("[", 50_000)},
		{"run", "steady-flow", "--set", strings.Repeat("a b ", 20_000) + "=1"}, {"check", "--only", escape}, {"run", "--" + escape}, {"run", "--seed", escape},
		{"check-client", "--list", "--", "sh", "-c", `printf 'a\033[31mb\233\rc' >&2; exit 1`},
		{"check-client", "--self-test", "--", "sh", "-c", `printf 'a\033[31mb\233\rc' >&2; exit 1`},
		{"check", "--through", "http://127.0.0.1:1/", "--wait", "1ms", "--command", `printf 'a\033[31mb\n' >&2; exit 1`},
		{"report", filepath.Join(dir, escape)}, {"judge", filepath.Join(dir, escape)}, {"compare", escape, escape}, {"list", escape}, {"schema", escape},
	} {
		var stdout, stderr bytes.Buffer
		said := &watched{line: func(string) {}}
		if code := execute(args, &stdout, said); code == exitPass {
			t.Errorf("%.80q: all is well", args)
		}
		stderr.Write(said.text())
		if stderr.Len() == 0 && stdout.Len() == 0 {
			t.Errorf("%.80q says nothing", args)
		}
		for _, text := range []string{stdout.String(), stderr.String()} {
			raw := func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }
			if i := strings.IndexFunc(text, raw); i >= 0 || !utf8.ValidString(text) {
				t.Errorf("%.80q: raw text %q", args, text)
			}
			if len(text) > 10_000 || strings.Count(text, "\n") > mostProblems+1 {
				t.Errorf("%.80q: a message of %d bytes and %d lines", args, len(text), strings.Count(text, "\n"))
			}
		}
	}
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("unknown" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + ": 1\n")
	}
	return b.String()
}

func TestABriefMessageKeepsItsEnd(t *testing.T) {
	t.Parallel()
	got := brief("--set x=" + strings.Repeat("[", 50_000) + ": want a number\n" + strings.Repeat("problem\n", 30) + "last")
	if want := "--set x=" + strings.Repeat("[", longestWord-2) + "… want a number"; got[0] != want {
		t.Errorf("got %q", got[0])
	}
	if len(got) != mostProblems+1 || got[mostProblems] != "and 12 more" {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
	if got := briefProblem(strings.Repeat("word ", 5000) + "want a number"); !strings.HasSuffix(got, "want a number") || len(got) > longestMessage+10 {
		t.Errorf("got %q", got)
	}
}

func TestLinesHideSecretsOverWrites(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &lines{w: &out}
	hide(l, func(text string) string { return strings.ReplaceAll(text, "secret", "***") })
	for _, piece := range []string{"a sec", "ret\n", "\x1b[31m\tb\r\nhttp://u:pw@h/ ", "end"} {
		if _, err := l.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	l.flush()
	if want := "a ***\n\\x1b[31m\tb\nhttp://u:***@h/ end\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
