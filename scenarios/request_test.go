package scenarios

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func parseTarget(t *testing.T, text string) *Target {
	t.Helper()
	target, err := ParseTarget([]byte(text), Source{Name: "target.yaml", Lookup: testLookup})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// awkward is a text that breaks out of every place where it is not escaped.
const awkward = "a b/c?d=e&f#g%h\"i'j\\k{l}<m>\u00fc+\n"

func TestValuesAreEscapedInURLs(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `
name: t
subscribe: {url: "http://h/p/{{.Stream}}/x?n={{.Subscriber}}{{range .Streams}}&s={{.}}{{end}}", headers: {X-Token: "{{.Token}}", X-Empty: "{{if eq .Token `+"`no`"+`}}x{{end}}"}}
publish: {url: "http://h/publish?s={{.Stream}}&t={{.Type}}", body: "{{.Data}}"}
`)
	r, err := target.SubscribeRequest(SubscribeVars{Streams: []string{awkward, "b"}, Subscriber: 7, Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	if q := u.Query(); u.Path != "/p/"+awkward+"/x" || u.EscapedPath() == u.Path || len(q["s"]) != 2 || q["s"][0] != awkward || q["s"][1] != "b" || q.Get("n") != "7" {
		t.Errorf("path %q, query %q", u.Path, u.Query())
	}
	if r.Method != "GET" || r.Header.Get("X-Token") != "t" || r.Body != nil {
		t.Errorf("got %+v", r)
	}
	if _, ok := r.Header["X-Empty"]; ok {
		t.Error("an empty header is sent")
	}
	p, err := target.PublishRequest(PublishVars{Stream: awkward, Type: "a&b", Data: awkward})
	if err != nil {
		t.Fatal(err)
	}
	if u, err := url.Parse(p.URL); err != nil || u.Query().Get("s") != awkward || u.Query().Get("t") != "a&b" {
		t.Errorf("got %s, %v", p.URL, err)
	}
	if string(p.Body) != awkward || p.Method != "POST" || p.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("got %+v", p)
	}
}

func TestValuesAreEscapedInForms(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/"}, publish: {url: "http://h/", form: {topic: "{{.Stream}}", data: "<{{.Data}}>"}}}`)
	r, err := target.PublishRequest(PublishVars{Stream: "s", Data: awkward})
	if err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil || form.Get("data") != "<"+awkward+">" || form.Get("topic") != "s" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("got %q, %v", r.Body, err)
	}
}

func TestValuesAreSubstitutedInsideParsedJSON(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `
name: t
subscribe: {url: "http://h/"}
publish: {url: "http://h/", headers: {Content-Type: application/vnd.x+json}, json: {items: [{data: "{{.Data}}", n: 1, f: 1.5, b: true, z: null, "{{.Type}}": x}]}}
`)
	r, err := target.PublishRequest(PublishVars{Data: awkward})
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatal(err)
	}
	item := got.(map[string]any)["items"].([]any)[0].(map[string]any)
	want := map[string]any{"data": awkward, "n": 1.0, "f": 1.5, "b": true, "z": nil, "{{.Type}}": "x"}
	if fmt.Sprint(item) != fmt.Sprint(want) || r.Header.Get("Content-Type") != "application/vnd.x+json" {
		t.Errorf("got %v as %v, want %v", item, r.Header, want)
	}
}

func TestJSONInAQueryIsEscapedTwice(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: 'http://h/?c={"subs":{ {{range $i, $s := .Streams}}{{if $i}},{{end}}{{json $s}}:1{{end}} }}'}}`)
	r, err := target.SubscribeRequest(SubscribeVars{Streams: []string{awkward, "b"}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Subs map[string]int }
	if err := json.Unmarshal([]byte(u.Query().Get("c")), &got); err != nil || got.Subs[awkward] != 1 || got.Subs["b"] != 1 {
		t.Errorf("got %s: %v, %v", r.URL, got, err)
	}
	if strings.ContainsAny(r.URL, "\"{} \n") {
		t.Errorf("the url has characters that may not stand in a request line: %s", r.URL)
	}
}

func TestHeaderWithALineBreakIsRefused(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/", headers: {X-A: "{{.Token}}"}}}`)
	if r, err := target.SubscribeRequest(SubscribeVars{Token: "secret\r\nX-B: 1"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, %v", r.Header, err)
	}
}

func TestTargetMadeByCodeRendersLikeALoadedOne(t *testing.T) {
	t.Parallel()
	target := &Target{Name: "t", Subscribe: Subscribe{URL: "http://h/?s={{.Stream}}"}, Publish: &PublishRequest{URL: "http://h/", Body: "{{.Data}}"}}
	r, err := target.SubscribeRequest(SubscribeVars{Streams: []string{"a"}})
	if err != nil || r.URL != "http://h/?s=a" {
		t.Errorf("got %v, %v", r, err)
	}
	if p, err := target.PublishRequest(PublishVars{Data: "d"}); err != nil || string(p.Body) != "d" || p.Method != "POST" {
		t.Errorf("got %v, %v", p, err)
	}
	if !target.Accepts(204, nil) || target.Accepts(500, nil) || target.FollowsMany() {
		t.Error("defaults of a target made by code are wrong")
	}
	target.Subscribe.URL = "http://h/{{.Nothing}}"
	if _, err := target.SubscribeRequest(SubscribeVars{}); err == nil {
		t.Error("an unknown field is accepted")
	}
	if err := target.Prepare(); err == nil {
		t.Error("a target with an unknown field can be prepared")
	}
}

func TestAnAnswerIsAcceptedByStatusAndBody(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/"}, publish: {url: "http://h/", body: "{{.Data}}", accept: [200], accept_body: '"result"', reject_body: '"error"'}}`)
	for body, want := range map[string]bool{`{"result":{}}`: true, `{}`: false, `{"error":{"code":107},"result":{}}`: false} {
		if got := target.Accepts(200, []byte(body)); got != want {
			t.Errorf("%s: accepted %v, want %v", body, got, want)
		}
	}
	if target.Accepts(201, []byte(`"result"`)) {
		t.Error("a status that is not among those accepted is accepted")
	}
}

func TestClaimsAreTemplates(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/"}, auth: {jwt: {key: k, claims: {sub: "user-{{.Subscriber}}", topics: ["{{.Stream}}"], level: 3}}}}`)
	claims, err := target.Claims(SubscribeVars{Subscriber: 7, Streams: []string{"s"}})
	if err != nil || fmt.Sprint(claims) != "map[level:3 sub:user-7 topics:[s]]" {
		t.Errorf("got %v, %v", claims, err)
	}
	if !target.Can(CanAuth) {
		t.Error("a target with auth lacks the capability")
	}
}

func TestRequestsAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	target := parseTarget(t, `{name: t, subscribe: {url: "http://h/{{.Stream}}"}, publish: {url: "http://h/{{.Stream}}", json: {d: "{{.Data}}"}}}`)
	done := make(chan error)
	for i := range 8 {
		go func() {
			var err error
			for range 200 {
				name := fmt.Sprint(i)
				if r, e := target.PublishRequest(PublishVars{Stream: name, Data: name}); e != nil || r.URL != "http://h/"+name {
					err = fmt.Errorf("got %s, %w", r.URL, e)
				}
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkPublishRequest(b *testing.B) {
	target, err := ParseTarget([]byte(`{name: t, subscribe: {url: "http://h/"}, publish: {url: "http://h/?s={{.Stream}}{{if .Type}}&type={{.Type}}{{end}}", body: "{{.Data}}"}}`), Source{})
	if err != nil {
		b.Fatal(err)
	}
	vars := PublishVars{Stream: "s1", Type: "order", Data: strings.Repeat("x", 256)}
	for b.Loop() {
		if _, err := target.PublishRequest(vars); err != nil {
			b.Fatal(err)
		}
	}
}
