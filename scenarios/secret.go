package scenarios

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// secret is a text that must not be shown, and what is shown instead.
type secret struct{ text, shown string }

const hidden = "***"

// telling are parts of header, query and claim names whose values are secret wherever they come from.
var telling = []string{"auth", "token", "key", "secret", "password", "passwd", "cookie", "credential", "jwt", "signature"}

func tells(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(telling, func(part string) bool { return strings.Contains(name, part) })
}

// hides says whether the value at a key of a target file is a secret.
func hides(key string) bool {
	section, rest, _ := strings.Cut(key, ".")
	_, name, _ := strings.Cut(rest, ".")
	return section == "auth" || (section == "subscribe" || section == "publish") && name != "" && tells(name)
}

// Redact replaces all secrets of the target in a text: the values of variables, of headers and query parameters whose names
// tell, of passwords in addresses, and the signing key. Values below four characters are too common to be replaced.
func (t *Target) Redact(text string) string {
	for _, s := range t.secrets {
		text = strings.ReplaceAll(text, s.text, s.shown)
	}
	return text
}

// Redacted returns a copy of the target that can be shown: every secret in it is replaced.
func (t *Target) Redacted() *Target {
	shown := *t
	shown.requests, shown.secrets = nil, nil
	shown.Subscribe.URL = t.Redact(t.Subscribe.URL)
	shown.Subscribe.Headers = t.redactMap(t.Subscribe.Headers)
	if t.Publish != nil {
		p := *t.Publish
		p.URL, p.Body = t.Redact(p.URL), t.Redact(p.Body)
		p.Headers, p.Form, p.JSON = t.redactMap(p.Headers), t.redactMap(p.Form), t.redactTree(p.JSON)
		shown.Publish = &p
	}
	if t.Auth != nil {
		a := *t.Auth
		if a.Key != "" {
			a.Key = hidden
		}
		a.Claims, _ = t.redactTree(a.Claims).(map[string]any)
		a.Command = t.redactList(a.Command)
		shown.Auth = &a
	}
	shown.Admin = Admin{Restart: t.redactList(t.Admin.Restart), Drain: t.redactList(t.Admin.Drain), Revoke: t.redactList(t.Admin.Revoke)}
	shown.Nodes = t.redactList(t.Nodes)
	shown.Observe.Metrics = t.Redact(t.Observe.Metrics)
	return &shown
}

// Address is where the target is, for reports and messages: its subscribe URL without secrets and without a query that depends
// on the subscriber.
func (t *Target) Address() string {
	address := t.Redact(t.Subscribe.URL)
	if path, query, ok := strings.Cut(address, "?"); ok && strings.Contains(query, "{{") {
		return path
	}
	return address
}

func (t *Target) redactMap(values map[string]string) map[string]string {
	if values == nil {
		return nil
	}
	shown := make(map[string]string, len(values))
	for name, value := range values {
		shown[name] = t.Redact(value)
	}
	return shown
}

func (t *Target) redactList(values []string) []string {
	shown := slices.Clone(values)
	for i := range shown {
		shown[i] = t.Redact(shown[i])
	}
	return shown
}

func (t *Target) redactTree(value any) any {
	switch v := value.(type) {
	case string:
		return t.Redact(v)
	case map[string]any:
		if v == nil {
			return v
		}
		shown := make(map[string]any, len(v))
		for name, child := range v {
			shown[name] = t.redactTree(child)
		}
		return shown
	case []any:
		shown := make([]any, len(v))
		for i := range v {
			shown[i] = t.redactTree(v[i])
		}
		return shown
	}
	return value
}

// findSecrets collects what must not be shown: the given values of variables, and what the target's own fields tell of.
func (t *Target) findSecrets(variables []secret) {
	found := map[string]string{}
	hide := func(text, shown string) {
		if len(text) < 4 {
			return
		}
		for _, form := range encoded(text) {
			found[form] = shown
		}
	}
	for name, value := range t.Subscribe.Headers {
		hideHeader(hide, name, value)
	}
	hideURL(hide, t.Subscribe.URL)
	hideURL(hide, t.Observe.Metrics)
	if t.Publish != nil {
		for name, value := range t.Publish.Headers {
			hideHeader(hide, name, value)
		}
		for name, value := range t.Publish.Form {
			if tells(name) && !strings.Contains(value, "{{") {
				hide(value, hidden)
			}
		}
		hideURL(hide, t.Publish.URL)
	}
	if t.Auth != nil {
		hide(t.Auth.Key, hidden)
	}
	for _, v := range variables {
		hide(v.text, v.shown)
	}
	t.secrets = t.secrets[:0:0]
	for _, text := range slices.Sorted(maps.Keys(found)) {
		t.secrets = append(t.secrets, secret{text, found[text]})
	}
	// The longest first, so that a secret within another one does not leave the other's rest standing.
	slices.SortStableFunc(t.secrets, func(a, b secret) int { return cmp.Compare(len(b.text), len(a.text)) })
}

// encoded returns a text in all the forms in which a request or an error can carry it.
func encoded(text string) []string {
	quoted := strconv.Quote(text)
	return []string{
		text, url.QueryEscape(text), inURL(text), url.PathEscape(text), escapeIllegal(text), quoted[1 : len(quoted)-1],
		base64.StdEncoding.EncodeToString([]byte(text)),
	}
}

// hideHeader hides the value of a header whose name tells, but not a scheme before it such as Bearer.
func hideHeader(hide func(text, shown string), name, value string) {
	if !tells(name) {
		return
	}
	if _, credentials, ok := strings.Cut(value, " "); ok && strings.Contains(strings.ToLower(name), "authorization") {
		value = credentials
	}
	if !strings.Contains(value, "{{") {
		hide(value, hidden)
	}
}

func hideURL(hide func(text, shown string), raw string) {
	if address, query, ok := strings.Cut(raw, "?"); ok {
		raw = address
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if tells(name) && !strings.Contains(value, "{{") {
				hide(value, hidden)
			}
		}
	}
	_, rest, _ := strings.Cut(raw, "://")
	host, _, _ := strings.Cut(rest, "/")
	if user, _, ok := strings.Cut(host, "@"); ok {
		if _, password, ok := strings.Cut(user, ":"); ok {
			user = password
		}
		hide(user, hidden)
	}
}
