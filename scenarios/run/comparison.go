package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/token"
)

// comparison looks for a published payload, with an event stream's line breaks, in what arrived.
type comparison struct {
	published []byte
	nearest   []byte // the reading of what arrived that agrees with it for longest
	agree     int    // bytes at its beginning that are the same
	read      bool
}

// maxNested bounds how often JSON is looked for inside of strings of JSON.
const maxNested = 3

// carried says whether data is the payload or something larger that holds it: as it is, as a string of JSON, or escaped as a part of HTML or
// of a URL. A payload that is JSON may have been written anew: what counts is its value.
func (c *comparison) carried(data []byte) bool {
	if c.is(data) || c.quotedIn(data) || c.valueIn(data, maxNested) {
		return true
	}
	for _, unescape := range []func(string) (string, error){
		func(text string) (string, error) { return html.UnescapeString(text), nil }, url.QueryUnescape, url.PathUnescape,
	} {
		plain, err := unescape(string(data))
		if err == nil && len(plain) > len(c.published) && plain != string(data) && c.is([]byte(plain)) {
			return true
		}
	}
	return false
}

// is says whether one reading of what arrived is the payload or has it in it.
func (c *comparison) is(reading []byte) bool {
	reading = token.Joined(reading)
	if before, after, found := bytes.Cut(reading, c.published); found && !c.spoilt(before, after) {
		return true
	}
	if agree := common(reading, c.published); !c.read || agree > c.agree {
		c.nearest, c.agree, c.read = reading, agree, true
	}
	return false
}

// spoilt says whether what stands around the payload is nothing that would be put there on purpose: white space, or the payload again.
func (c *comparison) spoilt(before, after []byte) bool {
	around := bytes.TrimSpace(append(bytes.Clone(before), after...))
	if len(around) == 0 {
		return len(before)+len(after) > 0
	}
	return bytes.Contains(around, token.Header(c.published))
}

// quotedIn looks at the string of JSON around the token, whatever stands around that.
func (c *comparison) quotedIn(data []byte) bool {
	header := token.Header(data)
	if header == nil {
		return false
	}
	at := bytes.Index(data, header)
	from := at - 1
	for from >= 0 && (data[from] != '"' || escaped(data, from)) {
		from--
	}
	to := at
	for to < len(data) && (data[to] != '"' || escaped(data, to)) {
		to++
	}
	if from < 0 || to == len(data) {
		return false
	}
	var text string
	return json.Unmarshal(data[from:to+1], &text) == nil && (c.is([]byte(text)) || c.valueIn([]byte(text), maxNested-1))
}

// escaped says whether an odd number of backslashes stands before data[at].
func escaped(data []byte, at int) bool {
	n := 0
	for n < at && data[at-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// valueIn looks for the payload among the values of data that is JSON, and in those that are text with JSON in it.
func (c *comparison) valueIn(data []byte, deep int) bool {
	value, ok := decode(data)
	if !ok {
		return false
	}
	want, isJSON := decode(c.published)
	return c.walk(value, want, isJSON, deep)
}

func (c *comparison) walk(value, want any, isJSON bool, deep int) bool {
	if isJSON && reflect.DeepEqual(value, want) {
		return true
	}
	switch v := value.(type) {
	case string:
		return c.is([]byte(v)) || deep > 0 && token.Header([]byte(v)) != nil && c.valueIn([]byte(v), deep-1)
	case []any:
		for _, child := range v {
			if c.walk(child, want, isJSON, deep) {
				return true
			}
		}
	case map[string]any:
		for _, child := range v {
			if c.walk(child, want, isJSON, deep) {
				return true
			}
		}
	}
	return false
}

func decode(data []byte) (value any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return value, d.Decode(&value) == nil && !d.More()
}

func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// difference says in three lines where what arrived first differs from what was published, and what stands there.
func (c *comparison) difference(hide func(pieces []string) []string) string {
	at := c.agree
	for at > 0 && at < len(c.published) && !utf8.RuneStart(c.published[at]) {
		at-- // the character that differs, not its second byte
	}
	where := fmt.Sprintf("the first difference is at byte %d of %d", c.agree, len(c.published))
	if c.agree == len(c.nearest) {
		where = fmt.Sprintf("it ends after %d of %s", c.agree, conformance.Plural(len(c.published), "byte"))
	}
	return where + "\n" + around(c.published, at, hide) + "\n" + around(c.nearest, min(at, len(c.nearest)), hide)
}

// around is the text around a byte without its secrets, which a cut would make unknown, and the bytes from there on where they are not plain.
func around(data []byte, at int, hide func(pieces []string) []string) string {
	const before, after = 24, 24
	pieces := hide([]string{string(data[:at]), string(data[at:])})
	left, right := pieces[0], pieces[1]
	from, to := max(0, len(left)-before), min(len(right), after)
	for from < len(left) && !utf8.RuneStart(left[from]) {
		from++
	}
	text := fmt.Sprintf("%+q then %+q", left[from:], right[:to])
	if to == len(right) {
		text += ", the end"
	}
	if some := right[:min(to, 8)]; strings.ContainsFunc(some, func(r rune) bool { return r < ' ' || r > '~' }) {
		text += fmt.Sprintf(" (% x)", some)
	}
	return text
}
