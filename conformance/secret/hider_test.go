package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// encodings are those in which a target may give back what it was sent.
var encodings = map[string]func(string) string{
	"plain":                    func(s string) string { return s },
	"query":                    url.QueryEscape,
	"path":                     url.PathEscape,
	"every byte":               func(s string) string { return "%" + strings.ToUpper(eachByte(s, "%")) },
	"lower case":               func(s string) string { return "%" + eachByte(s, "%") },
	"JSON":                     quotedJSON,
	"JSON, code units":         func(s string) string { return "\\u00" + eachByte(s, "\\u00") },
	"Go":                       strconv.Quote,
	"HTML":                     html.EscapeString,
	"HTML, numbers":            func(s string) string { return "&#x" + strings.ReplaceAll(eachByte(s, ";&#x"), " ", "") + ";" },
	"base64":                   func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 raw":               func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
	"base64 URL":               func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	"base64 within":            func(s string) string { return base64.StdEncoding.EncodeToString([]byte(`{"a":"` + s + `"}`)) },
	"Basic":                    func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+s)) },
	"hexadecimal":              func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEXADECIMAL":              func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"JSON in a query":          func(s string) string { return url.QueryEscape(quotedJSON(s)) },
	"JSON in JSON":             func(s string) string { return quotedJSON(quotedJSON(s)) },
	"Go of a query":            func(s string) string { return strconv.Quote(url.QueryEscape(s)) },
	"query twice":              func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"base64 escaped":           func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"base64 twice":             func(s string) string { return inBase64("user:" + inBase64(`{"a":"`+s+`"}`)) },
	"base64 of a query":        func(s string) string { return inBase64(url.QueryEscape(s)) },
	"base64 of HEX":            func(s string) string { return inBase64(hex.EncodeToString([]byte(s))) },
	"octal":                    func(s string) string { return eachAs(s, `\%03o`, "") },
	"spaced":                   func(s string) string { return eachByte(s, " ") },
	"of a dump":                func(s string) string { return regexp.MustCompile("....").ReplaceAllString(eachByte(s, ""), "$0 ") },
	"with colons":              func(s string) string { return strings.ToUpper(eachByte(s, ":")) },
	"of C":                     func(s string) string { return "{" + eachAs(s, "0x%02x", ", ") + "}" },
	"decimal":                  func(s string) string { return fmt.Sprint([]byte(s)) },
	"JSON of bytes":            func(s string) string { return "[" + eachAs(s, "%d", ",") + "]" },
	"quoted-printable":         func(s string) string { return eachAs(s, "=%02X", "") },
	"quoted-printable, broken": func(s string) string { return s[:5] + "=\r\n" + s[5:] },
	"ISO 8859-1":               narrow,
	"ISO 8859-1, query":        func(s string) string { return url.QueryEscape(narrow(s)) },
	"ISO 8859-1, Basic":        func(s string) string { return inBase64("user:" + narrow(s)) },
	"UTF-16":                   func(s string) string { return strings.TrimSuffix(inUTF16(s), "\x00") },
	"UTF-16, escaped":          func(s string) string { return strings.Trim(strconv.Quote(inUTF16(s)), `"`) },
	"UTF-16 in base64":         func(s string) string { return inBase64(inUTF16(s)) },
	"Set-Cookie":               func(s string) string { return "a=b; session=" + s + "; Path=/" },
}

func inBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// narrow is a text of which each character is a byte.
func narrow(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// inUTF16 is of UTF-16, little end first.
func inUTF16(s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}

func eachAs(s, format, between string) string {
	written := make([]string, len(s))
	for i := range len(s) {
		written[i] = fmt.Sprintf(format, s[i])
	}
	return strings.Join(written, between)
}

func eachByte(s, between string) string {
	digits := make([]string, len(s))
	for i := range len(s) {
		digits[i] = fmt.Sprintf("%02x", s[i])
	}
	return strings.Join(digits, between)
}

func quotedJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

var secrets = []string{
	"hunter-2-hunter", "tok en/1+2&more=<x>", `back\slash"quote'n`, "50%41bc&%20<>", "ümläut-passwörd", "0123456789abcdef", "a.b-c_d~e!f*g(h)",
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.abc_DEF-1", strings.Repeat("long-secret/", 20),
}

func TestASecretIsFoundInEveryEncoding(t *testing.T) {
	t.Parallel()
	for _, s := range secrets {
		known, later := New([]Secret{{Text: s, Shown: "${NAME}"}}), New(nil)
		later.Add(s)
		for name, encode := range encodings {
			for _, text := range []string{encode(s), "before " + encode(s) + " behind", strings.Repeat(encode(s)+", ", 3)} {
				for of, h := range map[string]*Hider{"known": known, "added": later} {
					hidden := h.Hide(text)
					if strings.Contains(hidden, encode(s)) || strings.Contains(hidden, s) {
						t.Errorf("%s, %s, %q became %q", of, name, text, hidden)
					}
					if strings.HasPrefix(text, "before ") && (!strings.HasPrefix(hidden, "before ") || !strings.HasSuffix(hidden, " behind")) {
						t.Errorf("%s, %s: more was taken away: %q became %q", of, name, text, hidden)
					}
				}
			}
		}
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	h := New([]Secret{{Text: "events-key-of-ours", Shown: "***"}, {Text: "pw12", Shown: "***", Word: true}, {Text: "user:pw", Shown: "***", Within: true}})
	h.Add("a-token-that-was-made")
	for _, text := range []string{
		"", "a", "the events of 8080", "events-key-of-others", "xpw12", "pw123", "user:pw", "100% of all; a \\ and an & and &amp; and %zz and \\u12",
		"a-token-that-was-not-made", "it ended with events", "cut here…", "ZXZlbnRz", "+++ --- ===", strings.Repeat("events", 50), "\xff\xfe\x00",
	} {
		if got := h.Hide(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	var none *Hider
	none.Add("a-token-of-nobody")
	if got := none.Hide("a-token-of-nobody"); got != "a-token-of-nobody" {
		t.Errorf("nobody's secret became %q", got)
	}
}

func TestHidingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range secrets {
		h := New([]Secret{{Text: s, Shown: "***"}})
		for name, encode := range encodings {
			once := h.Hide("x " + encode(s) + " y")
			if twice := h.Hide(once); twice != once {
				t.Errorf("%s: %q, and then %q", name, once, twice)
			}
		}
	}
}

func TestWhatACutLeftOfASecretIsHidden(t *testing.T) {
	t.Parallel()
	const s = "secret-of-twenty-one!"
	known, later := New([]Secret{{Text: s, Shown: "***"}}), New(nil)
	later.Add(s)
	for of, h := range map[string]*Hider{"known": known, "added": later} {
		for at := 8; at+8 <= len(s); at++ {
			for _, text := range []string{
				"data " + s[:at] + "…", "data " + url.QueryEscape(s[:at]) + "%2…", `data "` + s[:at] + `\u00…`, `"data ` + s[:at] + `" … 300 bytes … "` + s[at:] + ` more"`, "…" + s[at:] + " more", "+1.2s \"data " + s[:at] + "\"…",
			} {
				for _, encode := range []func(string) string{encodings["hexadecimal"], encodings["base64"]} {
					whole := encode(s)
					behind := whole[len(whole)-at:]
					if hidden := h.Hide(`"` + whole[:9] + `" … 7 bytes … "` + behind + ` more"`); strings.Contains(hidden, behind) || strings.Contains(hidden, whole[:9]) && of == "known" {
						t.Errorf("%s: %q became %q", of, behind, hidden)
					}
				}
				hidden := h.Hide(text)
				if strings.Contains(hidden, s[:at]) || strings.Contains(hidden, s[at:]) {
					t.Errorf("%s: %q became %q", of, text, hidden)
				}
			}
		}
	}
}

func TestASecretInPiecesIsHidden(t *testing.T) {
	t.Parallel()
	const s = "secret-of-twenty-one!"
	h := New([]Secret{{Text: s, Shown: "***"}})
	whole := "before " + s + " behind, and " + url.QueryEscape(s) + "."
	want := "before *** behind, and ***."
	for size := 1; size < len(whole); size++ {
		var pieces []string
		for piece := range slices.Chunk([]byte(whole), size) {
			pieces = append(pieces, string(piece))
		}
		hidden := h.HidePieces(pieces)
		if got := strings.Join(hidden, ""); got != want || len(hidden) != len(pieces) {
			t.Fatalf("pieces of %d: %q", size, hidden)
		}
	}
}

func TestOverlappingSecretsLeaveNothing(t *testing.T) {
	t.Parallel()
	h := New([]Secret{{Text: "abcdefgh", Shown: "1"}, {Text: "efghijkl", Shown: "2"}, {Text: "abcdefghijklmnop", Shown: "3"}, {Text: "pq-rs", Shown: "4", Word: true}})
	for text, want := range map[string]string{
		"abcdefghijkl": "1", "abcdefghijklmno": "***", "xabcdefghijklmnopx": "x3x", "abcdefgh efghijkl": "1 2", "efghijklabcdefgh": "21", "pq-rs pq-rst": "4 pq-rst",
	} {
		if got := h.Hide(text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func FuzzHide(f *testing.F) {
	h := New([]Secret{{Text: "hunter-2-hunter", Shown: "***"}, {Text: "pw12", Shown: "***", Word: true}, {Text: "50%41bc&", Shown: "${V}"}})
	h.Add("token-of-the-day")
	for _, encode := range encodings {
		f.Add("a"+encode("hunter-2-hunter")+"b", 3)
	}
	f.Add(`\ud83d\ude00 %e2%80%a6 &hellip; …`, 1)
	f.Fuzz(func(t *testing.T, text string, at int) {
		hidden := h.Hide(text)
		if strings.Contains(hidden, "hunter-2-hunter") || strings.Contains(hidden, "token-of-the-day") {
			t.Errorf("%q became %q", text, hidden)
		}
		at = max(0, min(at, len(text)))
		if got := strings.Join(h.HidePieces([]string{text[:at], text[at:]}), ""); got != hidden {
			t.Errorf("%q in pieces became %q, want %q", text, got, hidden)
		}
	})
}

func BenchmarkHide(b *testing.B) {
	var known []Secret
	for _, s := range secrets {
		known = append(known, Secret{Text: s, Shown: "***"})
	}
	h, minting := New(known), New(known)
	for i := range 100_000 {
		minting.Add(fmt.Sprintf("token-%d-of-many-tokens", i))
	}
	for name, text := range map[string]string{"type": "message", "id": "1732792222-000123", "data": strings.Repeat(`{"a": "some data of ours"}, `, 7)} {
		for kind, h := range map[string]*Hider{"": h, "Minting": minting} {
			b.Run(name+kind, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					h.Hide(text)
				}
			})
		}
	}
}
