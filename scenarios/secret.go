package scenarios

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// secret is a text that must not be shown, and what is shown instead.
type secret struct {
	text, shown string
	word        bool // only where it stands alone: it is too short to be told from a part of another word
}

const hidden = "***" // as conformance.Hidden

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
	secret map[string]bool // variables that do
	open   map[string]bool // variables that stand where everybody may look
	tools  map[string]bool // variables among the arguments of auth.command, which may or may not be secret
	plain  strings.Builder // all that stands where everybody may look
}

// placed is a text at a secret place, and the name of the place where it has one.
type placed struct{ name, text string }

// findSecrets collects the secrets of a target file.
func findSecrets(r *reader, root *yaml.Node) []secret {
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

// all are the secrets, the longest first, so that one within another does not leave the other's rest standing.
func (f *finder) all() []secret {
	found := map[string]secret{}
	hide := func(text, shown string) {
		word, searched := f.searched(text)
		if !searched {
			return
		}
		for _, form := range encoded(text, word) {
			found[form] = secret{form, shown, word}
		}
	}
	for _, p := range f.texts {
		if strings.Contains(p.text, "{{") || p.text == "" {
			continue
		}
		hide(p.text, hidden)
		for _, form := range p.forms() {
			found[form.text] = form
		}
	}
	for name, value := range f.r.values {
		byName := tells(name) && !isAddress(value)
		byTool := f.tools[name] && !f.open[name] && !isOrdinary(value)
		if f.secret[name] || byName || byTool {
			hide(value, "${"+name+"}")
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b secret) int {
		return cmp.Or(cmp.Compare(len(b.text), len(a.text)), cmp.Compare(a.text, b.text))
	})
}

// forms are how a request shows the text behind its name: there it is hidden however short or common it is.
func (p placed) forms() (forms []secret) {
	if p.name == "" {
		return nil
	}
	for _, pattern := range []string{"%=@", `"%":"@"`, `"%": "@"`, `\"%\":\"@\"`, `\"%\": \"@\"`, "%: @"} {
		write := func(text string) string { return strings.NewReplacer("%", p.name, "@", text).Replace(pattern) }
		text := p.text
		if pattern == "%=@" {
			text = url.QueryEscape(text)
		}
		forms = append(forms, secret{text: write(text), shown: write(hidden)})
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

// encoded returns a text in all the forms in which a request or an error can carry it.
func encoded(text string, word bool) []string {
	quoted := strconv.Quote(text)
	forms := []string{text, url.QueryEscape(text), inURL(text), url.PathEscape(text), escapeIllegal(text), quoted[1 : len(quoted)-1]}
	if !word {
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(text)))
	}
	return forms
}

// secretsOfAddress are the secrets of a target that is only the address of a stream.
func secretsOfAddress(raw string) []secret {
	f := &finder{r: newReader(Source{})}
	for _, part := range secretsOfURL(raw) {
		f.texts = append(f.texts, placed{text: part})
	}
	return f.all()
}
