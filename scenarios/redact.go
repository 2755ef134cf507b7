package scenarios

import (
	"hash/maphash"
	"regexp"
	"strings"
	"sync"
)

// Redact replaces all secrets of the target in a text: what stands in its file where credentials do, tokens, and whatever stands in
// the text itself where credentials do, such as access_token=… in an address. A variable is shown as ${NAME}, anything else as ***.
func (t *Target) Redact(text string) string {
	for _, s := range t.secrets {
		if s.word {
			text = replaceWord(text, s.text, s.shown)
		} else {
			text = strings.ReplaceAll(text, s.text, s.shown)
		}
	}
	return RedactPlaces(t.printed.redact(text))
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
func (t *Target) Hide(token string) { t.printed.hide(token) }

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
	jwtShape    = regexp.MustCompile(`\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*`)
	credentials = regexp.MustCompile(`(Authorization["']?: ?["'\[]?(?:(?:Bearer|Basic|Digest|Token) )?)([^\s"'\]$]+)`)
	cookies     = regexp.MustCompile(`(Cookie["']?: ?["'\[]?)([\w.-]+=[^$\r\n"'\]][^\r\n"'\]]*)`)
	inAddress   = regexp.MustCompile(`([?&])([^=&?#\s"'{}:/]+)=([^&#\s"'<>]+)`)
)

// RedactPlaces hides what stands in a text where credentials do: in the user information and the telling parameters of an address,
// in Authorization and Cookie, and tokens that are JWTs.
func RedactPlaces(text string) string {
	text = jwtShape.ReplaceAllString(text, hidden)
	text = credentials.ReplaceAllString(text, "${1}"+hidden)
	text = cookies.ReplaceAllString(text, "${1}"+hidden)
	text = userInfo.ReplaceAllStringFunc(text, func(found string) string {
		user, password, both := strings.Cut(userInfo.FindStringSubmatch(found)[2], ":")
		switch {
		case both && !isShown(password):
			return "://" + user + ":" + hidden + "@"
		case !both && !isShown(user):
			return "://" + hidden + "@"
		}
		return found
	})
	return inAddress.ReplaceAllStringFunc(text, func(found string) string {
		m := inAddress.FindStringSubmatch(found)
		if !tells(m[2]) || isShown(m[3]) {
			return found
		}
		return m[1] + m[2] + "=" + hidden
	})
}

// isShown says that a text stands for a secret and is none.
func isShown(text string) bool {
	return text == "" || strings.Contains(text, hidden) || strings.HasPrefix(text, "$") || strings.HasPrefix(text, "{{") || text == "xxxxx"
}

// replaceWord replaces a text where no letter and no digit touches it.
func replaceWord(text, word, by string) string {
	var b strings.Builder
	for {
		at := strings.Index(text, word)
		if at < 0 {
			return b.String() + text
		}
		end := at + len(word)
		alone := (at == 0 || !isWordByte(text[at-1])) && (end == len(text) || !isWordByte(text[end]))
		if alone {
			b.WriteString(text[:at] + by)
		} else {
			b.WriteString(text[:end])
		}
		text = text[end:]
	}
}

func isWordByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// maxPrinted bounds the tokens that are remembered.
const maxPrinted = 1 << 18

// printed are tokens that a command has printed. A nil one remembers nothing.
type printed struct {
	mu     sync.RWMutex
	seed   maphash.Seed
	hashes map[int]map[uint64]struct{} // by length
	n      int
}

func newPrinted() *printed {
	return &printed{seed: maphash.MakeSeed(), hashes: map[int]map[uint64]struct{}{}}
}

func (p *printed) hide(token string) {
	if p == nil || len(token) < longSecret {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n >= maxPrinted {
		return
	}
	if p.hashes[len(token)] == nil {
		p.hashes[len(token)] = map[uint64]struct{}{}
	}
	p.hashes[len(token)][maphash.String(p.seed, token)] = struct{}{}
	p.n++
}

func (p *printed) redact(text string) string {
	if p == nil {
		return text
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for length, hashes := range p.hashes {
		for i := 0; i+length <= len(text); i++ {
			if _, known := hashes[maphash.String(p.seed, text[i:i+length])]; known {
				text = text[:i] + hidden + text[i+length:]
				i += len(hidden) - 1
			}
		}
	}
	return text
}
