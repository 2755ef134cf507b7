package reports

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Visible makes every byte of s safe to show: what does not print (control and escape characters, bidirectional overrides,
// bytes that are no UTF-8) is written as its escape. What a subject sent must not move the reader's cursor. Backslashes stay,
// because evidence arrives escaped already.
func Visible(s string) string {
	if isVisible(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			writeVisible(&b, r)
		}
		s = s[size:]
	}
	return b.String()
}

func isVisible(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

func writeVisible(b *strings.Builder, r rune) {
	switch {
	case unicode.IsPrint(r):
		b.WriteRune(r)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < utf8.RuneSelf:
		fmt.Fprintf(b, `\x%02x`, r)
	default:
		b.WriteString(escapeRune(r))
	}
}

func escapeRune(r rune) string {
	if r > 0xffff {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

var asciiSpelling = strings.NewReplacer(
	"…", "...", "–", "-", "—", "-", "−", "-", "·", "-", "×", "x", "≤", "<=", "≥", ">=", "→", "->", "±", "+/-",
	"∞", "inf", "µ", "u", "“", `"`, "”", `"`, "‘", "'", "’", "'",
)

// visibleASCII is Visible for terminals that show ASCII alone: what has a common spelling gets it, the rest its escape.
func visibleASCII(s string) string {
	s = Visible(asciiSpelling.Replace(s))
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			b.WriteString(escapeRune(r))
		}
	}
	return b.String()
}

// validText keeps s as it is except for bytes that are no UTF-8, which JSON cannot carry: they are written as escapes.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// MapText is a deep copy of r, such as a Result, with every text in it passed through f. It walks the type, so that a field added
// later cannot be forgotten.
func MapText[T any](r *T, f func(string) string) *T {
	mapped := mapValue(reflect.ValueOf(*r), f).Interface().(T)
	return &mapped
}

func mapValue(v reflect.Value, f func(string) string) reflect.Value {
	mapped := reflect.New(v.Type()).Elem()
	mapped.Set(v)
	switch v.Kind() {
	case reflect.String:
		mapped.SetString(f(v.String()))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			break
		}
		for i := range v.NumField() {
			mapped.Field(i).Set(mapValue(v.Field(i), f))
		}
	case reflect.Pointer:
		if v.IsNil() {
			break
		}
		mapped.Set(reflect.New(v.Type().Elem()))
		mapped.Elem().Set(mapValue(v.Elem(), f))
	case reflect.Slice:
		if v.IsNil() {
			break
		}
		mapped.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			mapped.Index(i).Set(mapValue(v.Index(i), f))
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		mapped.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for key, value := range v.Seq2() {
			mapped.SetMapIndex(mapValue(key, f), mapValue(value, f))
		}
	default:
	}
	return mapped
}
