package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// described is the subject that a target file describes, written here in one line.
func described(t *testing.T, text string) *server.Subject {
	t.Helper()
	file := filepath.Join(t.TempDir(), "target.yaml")
	if err := os.WriteFile(file, []byte("name: t\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := scenarios.LoadTarget(file, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	access, err := run.AccessTo(target)
	if err != nil {
		t.Fatal(err)
	}
	return newServerSubject(target, access)
}

func TestRightsAreWhatTheTargetFileTellsApart(t *testing.T) {
	t.Parallel()
	const subscribe = `subscribe: {url: "http://h/e?s={{.Stream}}", headers: {Authorization: "Bearer {{.Token}}"}}` + "\n"
	for text, want := range map[string]server.Rights{
		subscribe:                           {},
		subscribe + `auth: {jwt: {key: k}}`: {},
		subscribe + `auth: {jwt: {key: k, claims: {role: user}}}`:                                                                                                        {},
		subscribe + `auth: {jwt: {key: k, claims: {sub: "user-{{.Subscriber}}"}}}`:                                                                                       {},
		subscribe + `auth: {jwt: {key: k, claims: {id: "eu-1-{{.Subscriber}}"}}}`:                                                                                        {},
		subscribe + `auth: {jwt: {key: k, claims: {topics: ["{{.Stream}}"]}}}`:                                                                                           {Streams: true},
		subscribe + `auth: {jwt: {key: k, claims: {"{{.Stream}}": read}}}`:                                                                                               {},
		subscribe + `auth: {jwt: {key: k, claims: {w: "{{if lt .Subscriber 0}}yes{{end}}"}}}`:                                                                            {Publish: true},
		subscribe + `auth: {command: [true]}`:                                                                                                                            {},
		`subscribe: {url: "http://h/e?s={{.Stream}}&c={{.Subscriber}}", headers: {Authorization: "Bearer {{.Token}}"}}` + "\nauth: {jwt: {key: k}}":                      {},
		`subscribe: {url: "http://h/e?s={{.Stream}}&c={{.Subscriber}}", headers: {Authorization: "Bearer {{.Token}}"}}` + "\nauth: {command: [true]}":                    {},
		`subscribe: {url: "http://h/u/{{.Subscriber}}", headers: {Authorization: "Bearer {{.Token}}"}}` + "\nauth: {jwt: {key: k}}":                                      {},
		`subscribe: {url: "http://h/u/{{.Subscriber}}", headers: {Authorization: "Bearer {{.Token}}"}}` + "\n" + `auth: {jwt: {key: k, claims: {u: "{{.Subscriber}}"}}}`: {Clients: true},
		`subscribe: {url: "http://h/users/{{.Subscriber}}", headers: {Authorization: "Bearer {{.Token}}"}}` + "\nauth: {command: [true]}":                                {Clients: true},
	} {
		if got := described(t, text).Rights; got != want {
			t.Errorf("%s\n%+v, want %+v", text, got, want)
		}
	}
}

func TestCredentialsAreFoundWhereverTheyStand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]server.Credential{
		`subscribe: {url: "http://h/e"}`:                                                                            nil,
		`subscribe: {url: "http://h/e?topic={{.Stream}}&key=room&partition_key=1"}`:                                 nil,
		`subscribe: {url: "http://h/e", headers: {Authorization: "Bearer {{.Token}}"}}` + "\nauth: {jwt: {key: k}}": nil,
		`subscribe: {url: "http://h/e", headers: {Authorization: "Bearer abc"}}`:                                    {{In: "header", Name: "Authorization"}},
		`subscribe: {url: "http://h/e", headers: {X-Api-Key: abc, X-Tenant: a, Idempotency-Key: x}}`:                {{In: "header", Name: "X-Api-Key"}},
		`subscribe: {url: "http://h/e", headers: {Cookie: "session=abc"}}`:                                          {{In: "header", Name: "Cookie"}},
		`subscribe: {url: "http://h/e?access_token=abc&s={{.Stream}}"}`:                                             {{In: "query", Name: "access_token"}},
		`subscribe: {url: "http://me:secret@h/e"}`:                                                                  {{In: "userinfo"}},
	} {
		got := described(t, text).Credentials
		slices.SortFunc(got, func(a, b server.Credential) int { return cmp.Compare(a.Name, b.Name) })
		if d := diff.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", text, d)
		}
	}
}

// TestEachClientIsAnotherSubscriber: what stands for a client in an address and what a token is made for are one number, and two clients have
// two.
func TestEachClientIsAnotherSubscriber(t *testing.T) {
	t.Parallel()
	s := described(t, `subscribe: {url: "http://h/{{.Subscriber}}", headers: {Authorization: "Bearer {{.Token}}"}}`+"\n"+`auth: {jwt: {key: k, claims: {n: "{{.Subscriber}}"}}}`)
	seen := map[string]bool{}
	for _, client := range []string{"a", "b"} {
		for range 2 {
			req, err := s.Subscribe(t.Context(), server.Subscription{Client: client, Streams: []string{"s"}})
			if err != nil {
				t.Fatal(err)
			}
			claims, err := s.Claims(server.Grant{User: client})
			if err != nil {
				t.Fatal(err)
			}
			number := strings.TrimPrefix(req.URL.Path, "/")
			if claims["n"] != number || claims["sub"] != "streamgauge-"+number {
				t.Errorf("the token of %s is made for %v, %v, and it subscribes as %s", client, claims["n"], claims["sub"], number)
			}
			seen[number] = true
		}
	}
	if len(seen) != 2 {
		t.Errorf("two clients are %v", seen)
	}
}

func TestWhatATargetFileDeclaresIsKnown(t *testing.T) {
	t.Parallel()
	const plain = `subscribe: {url: "http://h/e?s={{.Stream}}"}` + "\n"
	for text, want := range map[string]string{
		"":                       "headers",
		"ready: first-byte":      "",
		"heartbeat: 1s":          "headers heartbeat",
		"capabilities: [resume]": "headers resume",
		"capabilities: [resume]\nhistory: {events: 5}":    "headers resume history",
		"capabilities: [resume]\nhistory: {age: 5s}":      "headers resume history",
		"slow_policy: drop":                               "headers slow_policy",
		"gap: {event: gap}":                               "headers gap",
		"order: total":                                    "headers order",
		"order: per-publisher":                            "headers",
		`http: "2"`:                                       "headers http2",
		`nodes: ["http://a", "http://b"]`:                 "headers nodes",
		`admin: {drain: ["true"]}`:                        "headers drain",
		`publish: {url: "http://h/p", body: "{{.Data}}"}`: "headers publish",
	} {
		s := described(t, plain+text+"\n")
		for _, word := range []string{"headers", "heartbeat", "resume", "history", "slow_policy", "gap", "order", "http2", "nodes", "drain", "publish", "through"} {
			if got := s.Declares(word); got != slices.Contains(strings.Fields(want), word) {
				t.Errorf("%q declares %s: %v", text, word, got)
			}
		}
	}
}
