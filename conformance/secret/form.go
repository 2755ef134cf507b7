package secret

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// form is a secret as a text may hold it once its escapes are undone.
type form struct {
	text, shown string
	word        bool
	head, tail  int               // bytes at its ends that are shown
	before      int               // bytes before it that may hold a part of it
	after       int               // the same behind it
	goesOn      func(c byte) bool // bytes of which before and after are; nil: of none
}

// mostEncoded is how much of a long secret is looked for in an encoding: what follows belongs to it as well.
const mostEncoded = 48

func formsOf(s Secret) (forms []form) {
	if !s.Within {
		forms = append(forms, form{text: s.Before + s.Text + s.Behind, shown: s.Shown, word: s.Word, head: len(s.Before), tail: len(s.Behind)})
	}
	if s.Word {
		return forms
	}
	begin, after := s.Text, 1
	if len(begin) > mostEncoded {
		begin, after = begin[:mostEncoded], len(s.Text)*2
	}
	for _, core := range base64Cores(begin) {
		forms = append(forms, form{text: core, shown: s.Shown, before: 1, after: after + len("=="), goesOn: isBase64})
	}
	digits := hex.EncodeToString([]byte(begin))
	for _, text := range []string{digits, strings.ToUpper(digits)} {
		forms = append(forms, form{text: text, shown: s.Shown, after: after - 1, goesOn: isHex})
	}
	return forms
}

// spellings are a text as it is, in ISO 8859-1, and as who takes its UTF-8 for that shows it.
func spellings(text string) []string {
	var narrow, wide []byte
	for _, r := range text {
		if narrow = append(narrow, byte(r)); r > 0xff {
			narrow = nil
			break
		}
	}
	for i := range len(text) {
		wide = utf8.AppendRune(wide, rune(text[i]))
	}
	all := []string{text}
	for _, other := range []string{string(narrow), string(wide)} {
		if other != "" && other != text {
			all = append(all, other)
		}
	}
	return all
}

// base64Cores are the characters that stand in base64 for a text alone, whatever stands around it: there are three places where it can
// begin within a group, and two alphabets.
func base64Cores(text string) (cores []string) {
	for skipped := range 3 {
		all := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:skipped] + text))
		first, end := []int{0, 2, 3}[skipped], (skipped+len(text))*8/6
		if first >= end {
			continue
		}
		core := all[first:end]
		cores = append(cores, core)
		if other := inURL.Replace(core); other != core {
			cores = append(cores, other)
		}
	}
	return cores
}

var inURL = strings.NewReplacer("+", "-", "/", "_")

func isBase64(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("+/-_=", c) >= 0
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// extent is what is hidden of a text in which the form stands at [start, end).
func (f *form) extent(text string, start, end int) (from, to int, ok bool) {
	if f.word && (start > 0 && isWordByte(text[start-1]) || end < len(text) && isWordByte(text[end])) {
		return 0, 0, false
	}
	if f.goesOn == nil {
		return start + f.head, end - f.tail, true
	}
	for least := max(0, start-f.before); start > least && f.goesOn(text[start-1]); {
		start--
	}
	for most := min(len(text), end+f.after); end < most && f.goesOn(text[end]); {
		end++
	}
	return start, end, true
}
