package scenarios

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/streamgauge/streamgauge/conformance/secret"
)

const hidden = secret.Hidden // as conformance.Hidden

// hides says whether the value at a key of a target file is a secret.
func hides(key string) bool {
	section, rest, _ := strings.Cut(key, ".")
	_, name, _ := strings.Cut(rest, ".")
	return section == "auth" || (section == "subscribe" || section == "publish") && name != "" && tells(name)
}

// finder collects what must not be shown. A text is secret for where it stands in the target file, never for what it says; a
// variable also for its name.
type finder struct {
	r      *reader
	texts  []placed        // that stand at a secret place
	basic  []string        // user:password of addresses, which travel as the credentials of Basic
	secret map[string]bool // variables that do
	open   map[string]bool // variables that stand where everybody may look
	tools  map[string]bool // variables among the arguments of auth.command, which may or may not be secret
	plain  strings.Builder // all that stands where everybody may look
}

// placed is a text at a secret place, and the name of the place where it has one.
type placed struct{ name, text string }

// findSecrets collects the secrets of a target file.
func findSecrets(r *reader, root *yaml.Node) *secret.Hider {
	f := &finder{r: r, secret: map[string]bool{}, open: map[string]bool{}, tools: map[string]bool{}}
	f.walk(root, nil)
	return f.all()
}

func (f *finder) walk(n *yaml.Node, path []string) {
	switch n = resolved(n); n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			f.walk(n.Content[i+1], append(slices.Clone(path), n.Content[i].Value))
		}
	case yaml.SequenceNode:
		if len(path) == 2 && (path[0] == "admin" || path[0] == "auth") {
			f.command(n.Content, path[0] == "auth")
			return
		}
		for _, child := range n.Content {
			f.walk(child, path)
		}
	case yaml.ScalarNode:
		f.take(n, path[len(path)-1], secretsAt(path))
	}
}

// secretsAt says which parts of a value at a key of a target file are secret.
func secretsAt(path []string) func(text string) []string {
	name := path[len(path)-1]
	at := strings.Join(path, ".")
	switch {
	case at == "auth.jwt.key":
		return allOf
	case len(path) == 3 && path[1] == "headers" && tells(name):
		return func(text string) []string { return secretsOfHeader(name, text) }
	case len(path) > 2 && (path[1] == "form" || path[1] == "json" || path[1] == "jwt") && slices.ContainsFunc(path[2:], tells):
		return allOf
	case at == "publish.body":
		return secretsOfBody
	}
	return secretsOfURL
}

// take notes what of a value is secret.
func (f *finder) take(n *yaml.Node, name string, secrets func(text string) []string) {
	written, ok := f.r.written[n]
	if !ok {
		written = n.Value
	}
	rest, plain := written, n.Value
	for _, part := range secrets(written) {
		for _, name := range variablesIn(part) {
			f.secret[name] = true
		}
		rest = strings.ReplaceAll(rest, part, "\x00")
	}
	for _, part := range secrets(n.Value) {
		f.texts = append(f.texts, placed{nameIn(n.Value, part, name), part})
		plain = strings.ReplaceAll(plain, part, "\x00")
	}
	f.basic = append(f.basic, usersOf(n.Value)...)
	for _, name := range variablesIn(rest) {
		f.open[name] = true
	}
	f.plain.WriteString(plain + "\x00")
}

// command notes what of a program's arguments is secret.
func (f *finder) command(arguments []*yaml.Node, mints bool) {
	words := make([]string, len(arguments))
	for i, n := range arguments {
		words[i] = cmp.Or(f.r.written[n], n.Value)
	}
	secret := argumentsTell(words)
	for i, n := range arguments {
		part, tells := secret[i]
		switch {
		case tells:
			for _, name := range variablesIn(part) {
				f.secret[name] = true
			}
			f.texts = append(f.texts, placed{text: strings.TrimPrefix(n.Value, strings.TrimSuffix(words[i], part))})
		case mints && i > 0:
			for _, name := range variablesIn(words[i]) {
				f.tools[name] = true
			}
		default:
			f.take(n, "", secretsOfURL)
		}
	}
}

func variablesIn(text string) (names []string) {
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			names = append(names, m[1])
		}
	}
	return names
}

// all are the secrets.
func (f *finder) all() *secret.Hider {
	found := map[string]secret.Secret{}
	hide := func(text, shown string) {
		for _, form := range written(text) {
			if word, searched := f.searched(form); searched {
				found[form] = secret.Secret{Text: form, Shown: shown, Word: word}
			}
		}
	}
	for _, user := range f.basic {
		found[user] = secret.Secret{Text: user, Shown: hidden, Within: true}
	}
	for _, p := range f.texts {
		for _, part := range filledIn.Split(p.text, -1) {
			hide(part, hidden)
		}
		if strings.Contains(p.text, "{{") || p.text == "" {
			continue
		}
		for _, form := range p.forms() {
			found[form.Before+form.Text+form.Behind] = form
		}
	}
	for name, value := range f.r.values {
		byName := tells(name) && !isAddress(value)
		byTool := f.tools[name] && !f.open[name] && !isOrdinary(value)
		if f.secret[name] || byName || byTool {
			hide(value, "${"+name+"}")
		}
	}
	return secret.New(slices.Collect(maps.Values(found)))
}

// filledIn is what a template fills in.
var filledIn = regexp.MustCompile(`\{\{.*?\}\}`)

// written are the texts that a secret stands for: it may be written as an address, JSON or Basic wants it, and have several lines.
func written(text string) []string {
	texts := []string{text}
	if plain, err := url.PathUnescape(text); err == nil {
		texts = append(texts, plain)
	}
	var plain string
	if json.Unmarshal([]byte(`"`+text+`"`), &plain) == nil {
		texts = append(texts, plain)
	}
	if pair, err := base64.StdEncoding.DecodeString(text); err == nil {
		if user, password, ok := strings.Cut(string(pair), ":"); ok && user != "" && utf8.ValidString(password) {
			texts = append(texts, password)
		}
	}
	if strings.ContainsAny(text, "\r\n") {
		texts = append(texts, strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' })...)
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// usersOf are the user:password of the addresses in a text.
func usersOf(text string) (users []string) {
	for _, m := range userInfo.FindAllStringSubmatch(text, -1) {
		user, password, _ := strings.Cut(m[2], ":")
		if u, err := url.PathUnescape(user); err == nil {
			user = u
		}
		if p, err := url.PathUnescape(password); err == nil {
			password = p
		}
		if pair := user + ":" + password; len(pair) >= shortBasic {
			users = append(users, pair)
		}
	}
	return users
}

// shortBasic is how long user:password must be to be told from other texts in base64.
const shortBasic = 6

// forms are how a request shows the text behind its name: there it is hidden however short or common it is.
func (p placed) forms() (forms []secret.Secret) {
	if p.name == "" {
		return nil
	}
	for _, around := range [][2]string{{p.name + "=", ""}, {`"` + p.name + `":"`, `"`}, {`"` + p.name + `": "`, `"`}, {p.name + ": ", ""}} {
		forms = append(forms, secret.Secret{Before: around[0], Text: p.text, Behind: around[1], Shown: hidden, Word: true})
	}
	return forms
}

// nameIn is the name behind which a part stands in a form or in JSON, else that of the whole value.
func nameIn(value, part, name string) string {
	for _, m := range slices.Concat(parameter.FindAllStringSubmatch(value, -1), jsonField.FindAllStringSubmatch(value, -1)) {
		if at := len(m) - 1; m[at] == part && tells(m[at-1]) {
			return m[at-1]
		}
	}
	return name
}

// everyday are texts that stand in many reports and are never looked for, whoever chose them as a secret.
const everyday = "text/event-stream accept: application/json streamgauge subscriber connection localhost 127.0.0.1 messages"

const (
	longSecret  = 8 // characters from which on a secret is told from any other text
	shortSecret = 4 // the same for one that mixes letters with other characters, where it stands alone
)

// searched says whether a secret is hidden wherever its text appears, and whether only as a word of its own. A common text is
// hidden where it stands, and nowhere else.
func (f *finder) searched(text string) (word, searched bool) {
	if strings.Contains(everyday, strings.ToLower(text)) || !f.secretName(text) && strings.Contains(f.plain.String(), text) {
		return false, false
	}
	letters, digits, others := 0, 0, 0
	for _, r := range text {
		switch {
		case unicode.IsLetter(r):
			letters = 1
		case unicode.IsDigit(r):
			digits = 1
		default:
			others = 1
		}
	}
	return len(text) < longSecret, len(text) >= longSecret || len(text) >= shortSecret && letters+digits+others > 1
}

// secretName says whether a text is the value of a variable that must not be shown wherever it stands.
func (f *finder) secretName(text string) bool {
	for name, value := range f.r.values {
		if value == text && (f.secret[name] || tells(name)) {
			return true
		}
	}
	return false
}

// isOrdinary says that a value is a number or the name of a host: no secret.
func isOrdinary(value string) bool {
	_, notAddress := netip.ParseAddr(value)
	_, notPort := netip.ParseAddrPort(value)
	_, notNumber := strconv.ParseFloat(value, 64)
	return notAddress == nil || notPort == nil || notNumber == nil || isAddress(value)
}

// secretsOfAddress are the secrets of a target that is only the address of a stream.
func secretsOfAddress(raw string) *secret.Hider {
	f := &finder{r: newReader(Source{})}
	f.texts = placedOf(secretsOfURL(raw))
	f.basic = usersOf(raw)
	return f.all()
}
