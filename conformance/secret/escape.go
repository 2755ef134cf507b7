package secret

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// sign is what a byte says of the text that it stands in.
type sign uint8

const (
	percent sign = 1 << iota
	backslash
	ampersand
	cutMark // the first byte of "…"
	zero
	equals
)

// signs are those of all bytes.
var signs = [256]sign{'%': percent, '\\': backslash, '&': ampersand, '\xe2': cutMark, 0: zero, '=': equals}

// escaping is a way in which a byte is written in several.
type escaping struct {
	sign  sign
	begin byte
	// one reads the escape that a text begins with: what it stands for, and its length; 0: it is none.
	one func(text string) (plain string, length int)
}

var escapings = []escaping{
	{percent, '%', percentEscape},      // of addresses and forms
	{backslash, '\\', backslashEscape}, // of JSON, Go, JavaScript
	{ampersand, '&', entity},           // of HTML and XML
}

// undo undoes the escapes of a text. Byte i of the plain text stands at at[i] of what is searched, in which those of text stand at from[i];
// at is nil where the text has no escapes.
func (e *escaping) undo(text string, from []int32) (plain string, at []int32) {
	var b []byte
	for i := 0; i < len(text); {
		decoded, length := "", 0
		if text[i] == e.begin {
			decoded, length = e.one(text[i:])
		}
		switch {
		case length > 0 && at == nil:
			b = append(make([]byte, 0, len(text)), text[:i]...)
			at = make([]int32, 0, len(text)+1)
			for j := range i {
				at = append(at, place(from, j))
			}
			fallthrough
		case length > 0:
			for range len(decoded) {
				at = append(at, place(from, i))
			}
			b = append(b, decoded...)
			i += length
			continue
		case at != nil:
			b, at = append(b, text[i]), append(at, place(from, i))
		}
		i++
	}
	if at == nil {
		return "", nil
	}
	return string(b), append(at, place(from, len(text)))
}

func place(from []int32, i int) int32 {
	if from == nil {
		return int32(i)
	}
	return from[i]
}

func percentEscape(text string) (string, int) {
	if b, ok := hexByte(text, 1); ok {
		return b, 3
	}
	return "", 0
}

// hexByte is the byte that two digits at an index of a text stand for.
func hexByte(text string, at int) (string, bool) {
	if len(text) < at+2 {
		return "", false
	}
	n, err := strconv.ParseUint(text[at:at+2], 16, 8)
	return string([]byte{byte(n)}), err == nil
}

// single are the escapes of one letter.
var single = map[byte]string{
	'n': "\n", 'r': "\r", 't': "\t", 'b': "\b", 'f': "\f", 'a': "\a", 'v': "\v", '"': `"`, '\'': "'", '\\': `\`, '/': "/",
}

func backslashEscape(text string) (string, int) {
	if len(text) < 2 {
		return "", 0
	}
	switch text[1] {
	case 'x':
		if b, ok := hexByte(text, 2); ok {
			return b, 4
		}
	case 'u':
		r, ok := hexRune(text, 2, 4)
		if !ok {
			return "", 0
		}
		if utf16.IsSurrogate(r) && strings.HasPrefix(text[6:], `\u`) {
			if low, ok := hexRune(text, 8, 4); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
				return string(utf16.DecodeRune(r, low)), 12
			}
		}
		return string(r), 6
	case 'U':
		if r, ok := hexRune(text, 2, 8); ok {
			return string(r), 10
		}
	case '0', '1', '2', '3':
		if n, err := strconv.ParseUint(text[1:min(4, len(text))], 8, 8); err == nil && len(text) >= 4 {
			return string([]byte{byte(n)}), 4
		}
	default:
		if plain, ok := single[text[1]]; ok {
			return plain, 2
		}
	}
	return "", 0
}

func hexRune(text string, at, digits int) (rune, bool) {
	if len(text) < at+digits {
		return 0, false
	}
	n, err := strconv.ParseUint(text[at:at+digits], 16, 31)
	return rune(n), err == nil
}

// longestEntity is a bound on the entities that are looked for: those of characters in names and credentials are shorter.
const longestEntity = 12

func entity(text string) (string, int) {
	end := strings.IndexByte(text[:min(len(text), longestEntity)], ';')
	if end < 0 {
		return "", 0
	}
	if plain := html.UnescapeString(text[:end+1]); plain != text[:end+1] {
		return plain, end + 1
	}
	return "", 0
}
