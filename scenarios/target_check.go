package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

var targetCombinations = []combination[Target]{
	{[]string{"publish"}, checkPublish},
	{[]string{"auth"}, checkAuth},
	{[]string{"tls"}, checkTLS},
	{[]string{"capabilities", "publish", "heartbeat", "admin", "greeting", "ping", "observe"}, checkCapabilities},
	{[]string{"capabilities", "history"}, checkHistory},
	{[]string{"capabilities"}, func(r *reader, t *Target) { repeated(r, "capabilities", t.Capabilities) }},
	{[]string{"observe"}, checkObserve},
	{[]string{"nodes"}, checkNodes},
	{[]string{"subscribe", "publish", "auth"}, checkTemplates},
}

func checkPublish(r *reader, t *Target) {
	if t.Publish == nil {
		return
	}
	var given []string
	for _, name := range []string{"form", "json", "body"} {
		if r.given("publish." + name) {
			given = append(given, name)
		}
	}
	if len(given) > 1 {
		r.at("publish."+given[1], "stands beside "+given[0], "one body: form, json or body")
	}
	if len(given) == 0 && !strings.Contains(t.Publish.URL, ".Data") {
		r.at("publish", "sends no message", `give form, json or body, for example body: "{{.Data}}"`)
	}
	if kind := t.Publish.Payload; kind != "" && kind != PayloadASCII && !t.Publish.carriesAny() {
		r.at("publish.payload", fmt.Sprintf("is %s, but {{.Data}} stands unescaped in something larger, or in a header", kind), "write {{.Data | json}} within JSON, or payload: ascii")
	}
	if t.Publish.Largest > 0 && t.Publish.Largest < MinJSONPayload {
		r.at("publish.largest", fmt.Sprintf("is %dB, but what a message is recognised by takes up to %dB", t.Publish.Largest, MinJSONPayload), "")
	}
	if len(t.Publish.Accept) == 0 {
		r.at("publish.accept", "accepts nothing", "remove it for 200, 201, 202 and 204")
	}
}

func checkAuth(r *reader, t *Target) {
	if t.Auth != nil && r.given("auth.jwt") && r.given("auth.command") {
		r.at("auth.command", "stands beside jwt", "tokens are made in one way: remove one of the two")
	}
	if t.Auth != nil && !r.given("auth.jwt") && !r.given("auth.command") {
		r.at("auth.cookie", "carries a token, and nothing makes one", "add jwt or command")
	}
}

func checkNodes(r *reader, t *Target) {
	if len(t.Nodes) == 1 {
		r.at("nodes", "has one node", "name at least two, or remove it")
	}
	for i, node := range t.Nodes {
		place := fmt.Sprintf("nodes.%d", i)
		address, err := cleanURL(node)
		if err != nil {
			r.at(place, err.Error(), "")
		} else if u, err := url.Parse(address); err == nil && (u.Path != "" && u.Path != "/" || u.RawQuery != "") {
			r.at(place, "is more than an origin", "path and query are those of the subscribe url: write "+u.Scheme+"://"+u.Host)
		}
	}
}

func checkTLS(r *reader, t *Target) {
	if t.TLS.CA == "" {
		return
	}
	if data, err := r.open(t.TLS.CA); err != nil {
		r.at("tls.ca", "cannot be read", "the path is relative to the target file")
	} else if !bytes.Contains(data, []byte("-----BEGIN CERTIFICATE-----")) {
		r.at("tls.ca", "names a file without a PEM certificate", "")
	}
	if t.TLS.Insecure {
		r.at("tls.insecure", "accepts any certificate, so that ca means nothing", "remove one of the two")
	}
}

type described struct {
	can Capability
	key string
	has func(*Target) bool
}

// describedBy are the keys without which a capability cannot be used.
var describedBy = []described{
	{CanPublish, "publish", func(t *Target) bool { return t.Publish != nil }},
	{CanHeartbeat, "heartbeat", func(t *Target) bool { return t.Heartbeat > 0 }},
	{CanRestart, "admin.restart", func(t *Target) bool { return len(t.Admin.Restart) > 0 }},
	{CanDrain, "admin.drain", func(t *Target) bool { return len(t.Admin.Drain) > 0 }},
	{CanGreet, "greeting", func(t *Target) bool { return t.Greeting != "" }},
	{CanPing, "ping", func(t *Target) bool { return t.Ping != "" }},
	{CanObserve, "observe", func(t *Target) bool { return t.Observe.Given() }},
}

func checkCapabilities(r *reader, t *Target) {
	for _, d := range describedBy {
		if i := slices.Index(t.Capabilities, d.can); i >= 0 && !d.has(t) {
			r.at(fmt.Sprintf("capabilities.%d", i), fmt.Sprintf("says %s, but there is no %s", d.can, d.key), "add "+d.key+" or remove "+string(d.can))
		}
	}
}

func checkHistory(r *reader, t *Target) {
	if !t.Can(CanResume) && t.History != nil {
		r.at("history", "limits how far a subscriber can resume, but resume is not among the capabilities", "add resume to capabilities")
	}
}

func checkObserve(r *reader, t *Target) {
	var given []string
	for _, name := range []string{"pid", "pid_file", "command", "port", "metrics"} {
		if r.given("observe." + name) {
			given = append(given, name)
		}
	}
	if len(given) > 1 {
		r.at("observe."+given[1], "stands beside "+given[0], "memory is seen in one way: remove one of the two")
	}
	if t.Observe.Metrics == "" {
		return
	}
	if _, err := cleanURL(t.Observe.Metrics); err != nil {
		r.at("observe.metrics", err.Error(), "")
	}
}

// implyCapabilities adds what the target's keys already say.
func implyCapabilities(t *Target) {
	for _, d := range describedBy {
		if d.has(t) && !t.Can(d.can) {
			t.Capabilities = append(t.Capabilities, d.can)
		}
	}
	if t.Auth != nil && !t.Can(CanAuth) {
		t.Capabilities = append(t.Capabilities, CanAuth)
	}
}

// checkTemplates compiles every template and renders it with values that need escaping.
func checkTemplates(r *reader, t *Target) {
	compiled, problems := compileRequests(t)
	for _, p := range problems {
		r.at(p.key, p.err.Error(), "")
	}
	if len(problems) > 0 {
		return
	}
	stream := `a b/"c"&d`
	subscribe := SubscribeVars{Stream: stream, Streams: []string{stream, "e"}, Subscriber: 1, Token: "token"}
	if _, err := compiled.subscribe.render(subscribe); err != nil {
		r.at(keyOf("subscribe", err), err.Error(), "")
	}
	if compiled.publish != nil {
		if _, err := compiled.publish.render(PublishVars{Stream: stream, Data: stream, Type: "type", Number: 1, Token: "token"}); err != nil {
			r.at(keyOf("publish", err), err.Error(), "")
		}
	}
	if _, err := renderTree(compiled.claims, subscribe); err != nil {
		r.at("auth.jwt.claims", err.Error(), "")
	}
}

// keyOf is the key of a request that an error is about.
func keyOf(request string, err error) string {
	if wrong, ok := errors.AsType[*keyError](err); ok {
		return join(request, wrong.key)
	}
	return request
}
