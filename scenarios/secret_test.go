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
	redacted := target.Redacted()
	shown := strings.Join([]string{
		fmt.Sprintf("%+v %+v %+v", *redacted, *redacted.Publish, *redacted.Auth), target.Address(), target.Redact(r.URL), target.Redact(fmt.Sprint(r.Header)),
		target.Redact(string(p.Body)), target.Redact(fmt.Sprint(p.Header)), target.Redact("dialing: " + url.PathEscape("tok en/1+2")),
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

func TestRedactingATargetWithoutSecretsChangesNothing(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/e?topic={{.Stream}}"}, publish: {url: "http://h/", json: {a: ["{{.Data}}", 1, null]}}}`)
	redacted := target.Redacted()
	if redacted.Subscribe.URL != target.Subscribe.URL || fmt.Sprint(redacted.Publish.JSON) != fmt.Sprint(target.Publish.JSON) {
		t.Errorf("got %+v", redacted)
	}
}
