package scenarios

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Redact replaces all secrets of the target in a text: what stands in its file where credentials do, tokens, and whatever stands in
// the text itself where credentials do, such as access_token=… in an address. A variable is shown as ${NAME}, anything else as ***.
func (t *Target) Redact(text string) string { return RedactPlaces(t.secrets.Hide(text)) }

// RedactPieces is Redact for a text in pieces, over whose edges a secret may go.
func (t *Target) RedactPieces(pieces []string) []string {
	pieces = slices.Clone(t.secrets.HidePieces(pieces))
	for i, piece := range pieces {
		pieces[i] = RedactPlaces(piece)
	}
	return pieces
}

// RedactHeader is Redact for the value of a header, which is secret if its name tells.
func (t *Target) RedactHeader(name, value string) string {
	if tells(name) {
		for _, part := range secretsOfHeader(name, value) {
			shown := t.Redact(part)
			if shown == part {
				shown = hidden
			}
			value = strings.ReplaceAll(value, part, shown)
		}
	}
	return t.Redact(value)
}

// Hide makes a token secret that was made on the way.
func (t *Target) Hide(token string) { t.secrets.Add(token) }

// Address is where the target is, for reports and messages: its subscribe URL without secrets and without a query that depends
// on the subscriber.
func (t *Target) Address() string {
	address := t.Redact(t.Subscribe.URL)
	if path, query, ok := strings.Cut(address, "?"); ok && strings.Contains(query, "{{") {
		return path
	}
	return address
}

var (
	jwtShape    = regexp.MustCompile(`\beyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?`)
	credentials = regexp.MustCompile(`(Authorization["']?: ?["'\[]?(?:(?:Bearer|Basic|Digest|Token) )?)([^\s"'\]$]+)`)
	cookies     = regexp.MustCompile(`(Cookie["']?: ?["'\[]?)([\w.-]+=[^$\r\n"'\]][^\r\n"'\]]*)`)
	inAddress   = regexp.MustCompile(`([?&])([^=&?#\s"'{}:/]+)=([^&#\s"'<>]+)`)
)

// RedactPlaces hides what stands in a text where credentials do: in the user information and the telling parameters of an address,
// in Authorization and Cookie, and tokens that are JWTs.
func RedactPlaces(text string) string {
	if strings.Contains(text, "eyJ") {
		text = jwtShape.ReplaceAllString(text, hidden)
	}
	if strings.Contains(text, "Authorization") {
		text = credentials.ReplaceAllString(text, "${1}"+hidden)
	}
	if strings.Contains(text, "Cookie") {
		text = cookies.ReplaceAllString(text, "${1}"+hidden)
	}
	if strings.Contains(text, "://") {
		text = redactUsers(text)
	}
	if strings.IndexByte(text, '=') < 0 {
		return text
	}
	return inAddress.ReplaceAllStringFunc(text, func(found string) string {
		m := inAddress.FindStringSubmatch(found)
		if !tells(m[2]) || isShown(m[3]) {
			return found
		}
		return m[1] + m[2] + "=" + hidden
	})
}

func redactUsers(text string) string {
	return userInfo.ReplaceAllStringFunc(text, func(found string) string {
		user, password, both := strings.Cut(userInfo.FindStringSubmatch(found)[2], ":")
		switch {
		case both && !isShown(password):
			return "://" + user + ":" + hidden + "@"
		case !both && !isShown(user):
			return "://" + hidden + "@"
		}
		return found
	})
}

// isShown says that a text stands for a secret and is none.
func isShown(text string) bool {
	return text == "" || strings.Contains(text, hidden) || strings.HasPrefix(text, "$") || strings.HasPrefix(text, "{{") || text == "xxxxx"
}

// Redacting knows the secrets of words of a command line: addresses, and the arguments of commands that tell, also within a word that is a
// command line itself.
func Redacting(words ...string) func(text string) string {
	f := &finder{r: newReader(Source{})}
	for _, word := range words {
		f.texts = append(f.texts, placedOf(secretsOfURL(word))...)
		f.texts = append(f.texts, placedOf(slices.Collect(maps.Values(argumentsTell(strings.Fields(word)))))...)
		f.basic = append(f.basic, usersOf(word)...)
	}
	if len(words) > 0 {
		f.texts = append(f.texts, placedOf(slices.Collect(maps.Values(argumentsTell(words))))...)
	}
	return f.all().Hide
}

func placedOf(texts []string) (found []placed) {
	for _, text := range texts {
		found = append(found, placed{text: text})
	}
	return found
}
