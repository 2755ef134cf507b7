package scenarios

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"TOKEN": "tok en/1+2", "KEY": "key-of-everything", "USER": "bob", "PASSWORD": "pass@word", "BASE": "http://127.0.0.1:9", "QUERY_URL": "http://h/?token=in-the-url",
	}
	target, err := ParseTarget([]byte(`
name: t
subscribe:
  url: "https://bob:hunter22@h/events?api_key=literal-key&topic={{.Stream}}&t=${TOKEN}"
  headers: {Authorization: "Bearer literal-token", Cookie: "session=literal-cookie", X-Plain: plain}
publish:
  url: "${BASE}/publish"
  headers: {X-API-Key: "${TOKEN}"}
  form: {password: literal-password, data: "{{.Data}}", nested: "${QUERY_URL}"}
auth: {jwt: {key: "${KEY}", claims: {secret: "${TOKEN}"}}}
admin: {restart: [restart, "--token=${TOKEN}"]}
observe: {metrics: "http://u:metrics-password@h/metrics"}
`), Source{Lookup: func(name string) (string, bool) { v, ok := values[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	r, err := target.SubscribeRequest(SubscribeVars{Stream: "s"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := target.PublishRequest(PublishVars{Data: "d"})
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Join([]string{
		target.Address(), target.Redact(r.URL), target.Redact(fmt.Sprint(r.Header)), target.Redact(strings.Join(target.Admin.Restart, " ")),
		target.Redact(string(p.Body)), target.Redact(p.URL), target.Redact(fmt.Sprint(p.Header)), target.Redact("dialing: " + url.PathEscape("tok en/1+2")),
		target.Redact(target.Observe.Metrics), target.Redact("signed with " + target.Auth.Key),
	}, "\n")
	for _, secret := range []string{
		"tok en", "tok%20en", "tok+en", "key-of-everything", "hunter22", "literal-key", "literal-token", "literal-cookie", "literal-password", "in-the-url", "metrics-password",
	} {
		if strings.Contains(shown, secret) {
			t.Errorf("%s is shown:\n%s", secret, shown)
		}
	}
	for _, plain := range []string{"http://127.0.0.1:9/publish", "plain", "topic=", "https://bob:***@h/events", "${TOKEN}", "h/metrics"} {
		if !strings.Contains(shown, plain) {
			t.Errorf("%s, which is no secret, is not shown:\n%s", plain, shown)
		}
	}
	if target.Auth.Key != "key-of-everything" || !strings.Contains(r.URL, "hunter22") {
		t.Error("redacting changed the target itself")
	}
}

func TestProblemsWithSecretsDoNotShowThem(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{name: t, subscribe: {url: "http://h/"}, auth: {jwt: {key: 123456789}}}`,
		`{name: t, subscribe: {url: "http://u:123456789@h:port/"}}`,
		`{name: t, subscribe: {url: "http://h/%zz?token=123456789"}}`,
		`{name: t, subscribe: {url: "http://h/", headers: {Authorization: [123456789]}}}`,
		`{name: t, subscribe: {url: "http://h/", headers: {Authorization: "a\n123456789"}}}`,
	} {
		if _, err := ParseTarget([]byte(text), Source{Name: "t.yaml"}); err == nil || strings.Contains(err.Error(), "123456789") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestASecretIsOneByItsPlace(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-value+of.it!"
	for place, text := range map[string]string{
		"authorization":     `subscribe: {url: "http://h/", headers: {Authorization: "Bearer ${V}"}}`,
		"basic":             `subscribe: {url: "http://h/", headers: {Proxy-Authorization: "Basic ${V}"}}`,
		"cookie":            `subscribe: {url: "http://h/", headers: {Cookie: "theme=dark; sid=${V}"}}`,
		"api key":           `subscribe: {url: "http://h/", headers: {X-API-Key: "${V}"}}`,
		"camel case":        `subscribe: {url: "http://h/", headers: {x-AccessToken: "${V}"}}`,
		"publish header":    `subscribe: {url: "http://h/"}, publish: {url: "http://h/", body: "{{.Data}}", headers: {X-Auth-Token: "${V}"}}`,
		"user information":  `subscribe: {url: "http://bob:${V}@h/"}`,
		"query":             `subscribe: {url: "http://h/?a=1&access_token=${V}&b=2"}`,
		"query after range": `subscribe: {url: "http://h/?{{range .Streams}}topic={{.}}&{{end}}key=${V}"}`,
		"publish query":     `subscribe: {url: "http://h/"}, publish: {url: "http://h/?sig=${V}", body: "{{.Data}}"}`,
		"form":              `subscribe: {url: "http://h/"}, publish: {url: "http://h/", form: {client_secret: "${V}", data: "{{.Data}}"}}`,
		"json":              `subscribe: {url: "http://h/"}, publish: {url: "http://h/", json: {auth: {user: "${V}"}, data: "{{.Data}}"}}`,
		"body":              `subscribe: {url: "http://h/"}, publish: {url: "http://h/", body: '{"password":"${V}","data":{{.Data | json}}}'}`,
		"form body":         `subscribe: {url: "http://h/"}, publish: {url: "http://h/", body: "password=${V}&data={{.Data}}"}`,
		"jwt key":           `subscribe: {url: "http://h/"}, auth: {jwt: {key: "${V}"}}`,
		"claim":             `subscribe: {url: "http://h/"}, auth: {jwt: {key: abcdefgh, claims: {session: "${V}"}}}`,
		"token command":     `subscribe: {url: "http://h/"}, auth: {command: [mint, "${V}"]}`,
		"admin command":     `subscribe: {url: "http://h/"}, admin: {restart: [restart, "--token=${V}"]}`,
		"flag before":       `subscribe: {url: "http://h/"}, admin: {restart: [restart, --password, "${V}"]}`,
		"metrics":           `subscribe: {url: "http://h/"}, observe: {metrics: "http://u:${V}@h/metrics"}`,
		"name of variable":  `subscribe: {url: "http://h/hooks/${API_TOKEN}/events"}`,
	} {
		lookup := func(string) (string, bool) { return secret, true }
		target, err := ParseTarget([]byte("{name: t, "+text+"}"), Source{Lookup: lookup})
		if err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		for _, echo := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), fmt.Sprintf("%q", secret)} {
			if shown := target.Redact("the server said: " + echo + " is wrong"); strings.Contains(shown, echo) || !strings.Contains(shown, "the server said: ") {
				t.Errorf("%s: %s", place, shown)
			}
		}
		literal := strings.NewReplacer("${V}", secret, "${API_TOKEN}", "${API_TOKEN}", "[mint, ", "[mint, --secret, ").Replace(text)
		target, err = ParseTarget([]byte("{name: t, "+literal+"}"), Source{Lookup: lookup})
		if err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		if shown := target.Redact("echo " + secret); strings.Contains(shown, secret) {
			t.Errorf("%s, written out: %s", place, shown)
		}
	}
}

func TestWhatIsNoSecretByItsPlaceIsShown(t *testing.T) {
	t.Parallel()
	values := map[string]string{"PORT": "8080", "EV": "stream", "BASE": "http://127.0.0.1:8080", "TOPIC": "orders-eu-west-1", "AUTHOR": "somebody1", "SHORT": "stream", "HOST": "hub.example"}
	target, err := ParseTarget([]byte(`
name: t
subscribe: {url: "http://127.0.0.1:${PORT}/events/${TOPIC}?author=${AUTHOR}&v=${EV}&key=${SHORT}", headers: {X-Author: "${AUTHOR}"}}
publish: {url: "${BASE}/pub", form: {topic: "${TOPIC}", data: "{{.Data}}"}}
auth: {command: [node, "mint-token.mjs", "${PORT}", "${HOST}", "${TOPIC}"]}
nodes: ["http://${HOST}:1", "http://${HOST}:2"]
`), Source{Lookup: func(name string) (string, bool) { v, ok := values[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"Accept: text/event-stream", "http://127.0.0.1:8080/events/orders-eu-west-1?author=somebody1&v=stream", "dial tcp 127.0.0.1:8080: refused", "8080",
		"X-Author: somebody1", "hub.example:1", "auth.command node mint-token.mjs", "a stream of events",
	} {
		if shown := target.Redact(text); shown != text {
			t.Errorf("%s became %s", text, shown)
		}
	}
	if got, want := target.Redact(target.Subscribe.URL), "http://127.0.0.1:8080/events/orders-eu-west-1?author=somebody1&v=stream&key=***"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAShortSecretIsHiddenAsAWord(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://u:pw12@h/?token=abcd"}}`)
	for text, want := range map[string]string{
		"wrong password pw12!":        "wrong password ***!",
		"pw123 and xpw12 are others":  "pw123 and xpw12 are others",
		"abcd stands for an alphabet": "abcd stands for an alphabet",
		"http://u:pw12@h/?token=abcd": "http://u:***@h/?token=***",
	} {
		if got := target.Redact(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestTokensAreHiddenWhereverTheyCameFrom(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/?t={{.Token}}"}, auth: {command: [mint]}}`)
	target.Hide("printed-by-command-1")
	target.Hide("printed-by-another-2")
	for text, want := range map[string]string{
		"http://h/?t=printed-by-command-1: printed-by-another-2 is bad": "http://h/?t=***: *** is bad",
		"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.abc_DEF-1, expired":   "got ***, expired",
		"Authorization: Bearer opaque":                                  "Authorization: Bearer ***",
		"Set-Cookie: sid=opaque; Path=/":                                "Set-Cookie: ***",
		"may publish with nothing but the cookie: 403":                  "may publish with nothing but the cookie: 403",
	} {
		if got := target.Redact(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestRedactingATargetWithoutSecretsChangesNothing(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/e?topic={{.Stream}}"}, publish: {url: "http://h/", json: {a: ["{{.Data}}", 1, null]}}}`)
	for _, text := range []string{target.Subscribe.URL, "a text", ""} {
		if shown := target.Redact(text); shown != text {
			t.Errorf("%q became %q", text, shown)
		}
	}
}

func TestAShortSecretIsHiddenBehindItsName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`publish: {url: "http://h/", form: {password: stream, data: "{{.Data}}"}}`:                "data=stream&password=***",
		`publish: {url: "http://h/", json: {auth: {pw: stream}, data: "{{.Data}}"}}`:              `{"auth":{"pw":"***"},"data":"stream"}`,
		`publish: {url: "http://h/", body: '{"key":"stream","data":{{.Data | json}}}'}`:           `{"key":"***","data":"stream"}`,
		`publish: {url: "http://h/", body: 'token=stream&data={{.Data}}'}`:                        "token=***&data=stream",
		`publish: {url: "http://h/", headers: {X-API-Key: stream}, body: "X-API-Key: {{.Data}}"}`: "X-API-Key: ***",
	} {
		target := parseTarget(t, `{name: t, subscribe: {url: "http://h/"}, `+text+`}`)
		r, err := target.PublishRequest(PublishVars{Stream: "s", Data: "stream"})
		if err != nil {
			t.Fatal(err)
		}
		if got := target.Redact(string(r.Body)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if got := target.Redact(fmt.Sprintf("%q", r.Body)); got != fmt.Sprintf("%q", want) {
			t.Errorf("%s: got %s, want %q", text, got, want)
		}
	}
}
