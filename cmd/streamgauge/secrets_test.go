package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// echoedVariables are secrets that come from the environment.
var echoedVariables = map[string]string{
	"ECHOED_TOKEN": "variable-token/1+2 =&<3>", "ECHOED_KEY": "Väriäble\"key\\77", "ECHOED_API_TOKEN": "in-the-path-55aa",
}

// echoedSecrets are all that a target's file holds.
func echoedSecrets() []string {
	all := []string{
		"literal-api-key-1234", "literal-session-5678", "l1teral:p@ss word!", "literal-query-9abc", "literal-form-def0", "literal-json-1122",
		"literal-jwt-key-3344", "literal-argument-5566", "literal-metrics-7788", "printed-token-99aa", "complained-bbcc", "literal-basic-ddee",
	}
	for _, v := range echoedVariables {
		all = append(all, v)
	}
	return all
}

const echoScenario = `
name: echoed
about: Everything comes back.
load: {streams: 1, subscribers: 2, ramp: {arrivals: at-once}, publish: {rate: 20/s, size: 300B}}
duration: 1s
settle: 500ms
expect: {delivery: [ordered, unique, complete, isolated, intact, alive], latency: {p99: 1s}, memory: {max: 1GiB}}
`

var echoTargets = map[string]string{
	"form": `
name: t
subscribe:
  url: "http://bob:l1teral%3Ap%40ss%20word%21@HOST/${ECHOED_API_TOKEN}/events?access_token=literal-query-9abc&topic={{.Stream}}"
  headers: {X-API-Key: literal-api-key-1234, Cookie: "session=literal-session-5678; theme=dark", X-Plain: "Bearer {{.Token}}"}
publish:
  url: "http://HOST/publish"
  headers: {Authorization: "Bearer ${ECHOED_TOKEN}", X-API-Key: "${ECHOED_KEY}"}
  form: {client_secret: literal-form-def0, data: "{{.Data}}"}
  accept: [200, 400]
auth: {command: [sh, -c, "echo printed-token-99aa; echo complained-bbcc $0 >&2; test -z \"$STREAMGAUGE_TOKEN\"", "${ECHOED_TOKEN}", "--password=complained-bbcc"]}
admin: {restart: [sh, -c, "echo restart said $0 >&2; exit 1", "--token=literal-argument-5566"]}
observe: {metrics: "http://m:literal-metrics-7788@HOST/metrics"}
capabilities: [publish, resume, auth]
`,
	"json": `
name: t
subscribe:
  url: "http://HOST/events?topic={{.Stream}}"
  headers: {Authorization: "Bearer {{.Token}}", X-API-Key: "${ECHOED_KEY}"}
publish:
  url: "http://HOST/publish"
  headers: {Authorization: "Basic Ym9iOmxpdGVyYWwtYmFzaWMtZGRlZQ=="}
  json: {auth: {password: literal-json-1122}, data: "{{.Data}}"}
  accept: [200, 400]
auth: {jwt: {key: literal-jwt-key-3344}}
capabilities: [publish, resume, auth]
`,
	"refused": `
name: t
subscribe:
  url: "http://HOST/refused?access_token=literal-query-9abc&topic={{.Stream}}"
  headers: {Authorization: "Bearer ${ECHOED_TOKEN}", X-API-Key: literal-api-key-1234}
publish: {url: "http://HOST/publish", body: "{{.Data}}", accept: [200, 400]}
`,
	"mute": `
name: t
subscribe: {url: "http://HOST/events", headers: {Authorization: "Bearer ${ECHOED_TOKEN}"}}
auth: {command: [sh, -c, "echo complained-bbcc $0 $* >&2; exit 3", "--token", "complained-bbcc", "${ECHOED_TOKEN}"]}
`,
}

func TestNoArtefactShowsASecret(t *testing.T) { //nolint:tparallel // the group is waited for, before its artefacts are read
	t.Parallel()
	dir := t.TempDir()
	server := startEcho(t)
	scenario := filepath.Join(dir, "echoed.yaml")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(scenario, echoScenario)
	files := map[string]string{}
	for name, text := range echoTargets {
		files[name] = filepath.Join(dir, name+"-target.yaml")
		write(files[name], strings.ReplaceAll(text, "HOST", server.Listener.Addr().String()))
	}
	out := func(name string) string { return filepath.Join(dir, "out", name) }
	commands := [][]string{
		{"validate", files["form"], files["json"]},
		{"run", scenario, "--target", files["form"], "--out", out("form"), "--history", "full", "--live", "127.0.0.1:0", "--full"},
		{"run", scenario, "--target", files["json"], "--out", out("json"), "--history", "full", "--format", "json"},
		{"run", scenario, "--target", files["refused"], "--out", out("refused"), "--format", "markdown"},
		{"run", scenario, "--target", files["mute"], "--out", out("mute"), "--format", "html"},
		{"check", files["form"], "--only", "SSE-HTTPS-001,SSE-HTTPS-002,SSE-FORM-010,SSE-FORM-015", "--out", out("check-form"), "--full"},
		{"check", files["json"], "--only", "SSE-HTTPS-001,SSE-FORM-010,SSE-FORM-015,SSE-AUTH-001", "--out", out("check-json"), "--format", "junit"},
		{"check", files["refused"], "--only", "SSE-HTTPS", "--out", out("check-refused"), "--full"},
		{"check", files["mute"], "--only", "SSE-HTTPS-001", "--out", out("check-mute")},
		{"check", "http://bob:l1teral%3Ap%40ss%20word%21@" + server.Listener.Addr().String() + "/refused?access_token=literal-query-9abc", "--only", "SSE-HTTPS-001"},
		{"check", "--through", server.URL + "/refused?access_token=literal-query-9abc", "--wait", "50ms", "--only", "SSE-PROXY-001",
			"--command", "sh -c 'echo gateway $*; echo $* >&2; exec sleep 5' x --token=literal-argument-5566 literal-query-9abc"},
		{"check-client", "--list", "--", "sh", "-c", "echo $0 >&2; exit 1", "--token=literal-argument-5566"},
		{"check-client", "--only", "SSE-PARSE-001", "--", "sh", "-c", "echo $0 >&2; exit 1", "--token=literal-argument-5566"},
		{"capacity", scenario, "--target", files["refused"], "--vary", "load.subscribers", "--from", "1", "--to", "2", "--repeat", "1", "--out", out("capacity")},
		{"list", "targets"},
	}
	var artefacts sync.Map
	t.Run("commands", func(t *testing.T) {
		for _, args := range commands {
			t.Run(strings.Join(args[:2], " "), func(t *testing.T) {
				t.Parallel()
				keep(t.Context(), &artefacts, args)
			})
		}
	})
	for _, args := range [][]string{
		{"report", out("form"), "--format", "table", "--full"}, {"report", out("json"), "--format", "html"}, {"judge", filepath.Join(out("form"), "history.jsonl")},
		{"judge", filepath.Join(out("json"), "history.jsonl"), "--format", "json"}, {"compare", out("form"), out("json")},
	} {
		keep(t.Context(), &artefacts, args)
	}
	kept := 0
	err := filepath.WalkDir(out(""), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		artefacts.Store(path, text)
		kept++
		return err
	})
	if err != nil || kept < 10 {
		t.Fatalf("%d files: %v", kept, err)
	}
	secrets := append(echoedSecrets(), server.tokens()...)
	artefacts.Range(func(name, text any) bool {
		for _, s := range secrets {
			for _, encode := range encodings {
				whole := encode(s)
				for _, part := range []string{whole, whole[:len(whole)*2/3], whole[len(whole)/3:]} {
					if len(part) < 12 || strings.HasPrefix(whole, "eyJ") && part != whole {
						continue
					}
					if i := bytes.Index(text.([]byte), []byte(part)); i >= 0 {
						t.Errorf("%v shows %s as %s: …%s…", name, s, part, text.([]byte)[max(0, i-60):min(len(text.([]byte)), i+len(part)+20)])
						break
					}
				}
			}
		}
		return true
	})
}

// tokens are those that were made on the way.
func (e *echo) tokens() (tokens []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for v := range e.heard {
		if jwt, ok := strings.CutPrefix(v, "Bearer eyJ"); ok {
			tokens = append(tokens, "eyJ"+jwt)
		}
	}
	return tokens
}

// keep carries a command out and keeps what it says, and its live page.
func keep(ctx context.Context, artefacts *sync.Map, args []string) {
	var stdout bytes.Buffer
	var following sync.WaitGroup
	said := &watched{line: func(line string) {
		if m := liveAt.FindString(line); m != "" {
			for _, path := range []string{"", "events", "events/page"} {
				following.Go(func() { follow(ctx, m+path, artefacts) })
			}
		}
	}}
	execute(args, &stdout, said)
	following.Wait()
	name := strings.Join(args, " ")
	artefacts.Store(name+" (stdout)", bytes.Clone(stdout.Bytes()))
	artefacts.Store(name+" (stderr)", said.text())
}

var liveAt = regexp.MustCompile(`http://127\.0\.0\.1:\d+/$`)

func follow(ctx context.Context, address string, artefacts *sync.Map) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	artefacts.Store(address, text)
}

// watched is a buffer whose lines are looked at.
type watched struct {
	mu   sync.Mutex
	all  bytes.Buffer
	line func(string)
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line(strings.TrimSpace(string(p)))
	return w.all.Write(p)
}

func (w *watched) text() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.all.Bytes())
}
