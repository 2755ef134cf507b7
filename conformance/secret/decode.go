package secret

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// decoding is a way in which a whole text is written as another, in which secrets may then be escaped once.
type decoding struct {
	sign  sign // without which there is none; 0: none says so
	least int  // bytes
	undo  func(text string, from []int32) (plain string, at []int32)
}

var decodings = []decoding{
	{zero, 0, (&escaping{begin: 0, one: func(string) (string, int) { return "", 1 }}).undo}, // of UTF-16: a zero stands beside each character
	{equals, 0, (&escaping{begin: '=', one: quotedPrintable}).undo},
	{0, leastRun, base64Runs},
	{0, leastNumbers * len("1,"), byteLists},
}

// quotedPrintable is of RFC 2045 section 6.7; a break of a line that is none stands for nothing.
func quotedPrintable(text string) (string, int) {
	for _, soft := range []string{"=\n", "=\r\n"} {
		if strings.HasPrefix(text, soft) {
			return "", len(soft)
		}
	}
	if len(text) < 3 || isLower(text[1]) || isLower(text[2]) {
		return "", 0
	}
	if b, ok := hexByte(text, 1); ok {
		return b, 3
	}
	return "", 0
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// apart stands between parts, which an excerpt may have cut off.
const apart = "…"

// parts are decoded, with the places that they come from.
type parts struct {
	text []byte
	at   []int32
	from []int32
}

// add takes decoded bytes, of which byte i comes from a place. The zeros of UTF-16 are left out.
func (p *parts) add(text string, origin func(i int) int) {
	if p.text == nil {
		p.end(origin(0))
	}
	for i := range len(text) {
		if text[i] != 0 {
			p.text, p.at = append(p.text, text[i]), append(p.at, place(p.from, origin(i)))
		}
	}
}

// end is where a part ends; what follows does not belong to it.
func (p *parts) end(at int) {
	p.text = append(p.text, apart...)
	for range len(apart) {
		p.at = append(p.at, place(p.from, at))
	}
}

func (p *parts) all(end int) (string, []int32) {
	if p.text == nil {
		return "", nil
	}
	return string(p.text), append(p.at, place(p.from, end))
}

// leastRun is how long what is in base64 must be to be looked into: eight bytes take eleven, which is found as it is, and once more fifteen.
const leastRun = 15

// base64Runs decodes what may be base64. A run may begin anywhere in a group of four, because letters may stand before it.
func base64Runs(text string, from []int32) (string, []int32) {
	p := parts{from: from}
	for i := 0; i < len(text); {
		begin := i
		for i < len(text) && base64Digit[text[i]] {
			i++
		}
		if i-begin >= leastRun {
			for offset := range 4 {
				p.decode(text[:i], begin+offset)
			}
		}
		i++
	}
	return p.all(len(text))
}

var base64Digit = func() (is [256]bool) {
	for c := range is {
		is[c] = c != '=' && isBase64(byte(c))
	}
	return is
}()

// decode decodes a text from a place on, unless that gives what nobody would call a text.
func (p *parts) decode(text string, begin int) {
	digits := text[begin:]
	if !textual(digits) {
		return
	}
	if strings.ContainsAny(digits, "-_") {
		digits = fromURL.Replace(digits)
	}
	if len(digits)%4 == 1 {
		digits = digits[:len(digits)-1]
	}
	plain, _ := base64.RawStdEncoding.DecodeString(digits)
	p.add(string(plain), func(i int) int { return begin + i*8/6 })
	p.end(begin + (len(plain)*8+5)/6)
}

var fromURL = strings.NewReplacer("-", "+", "_", "/")

// textual says whether what begins like that in base64 may be a text: few of its first bytes stand in none of ASCII.
func textual(digits string) bool {
	var head [12]byte
	for i := range copy(head[:], digits) {
		switch head[i] {
		case '-':
			head[i] = '+'
		case '_':
			head[i] = '/'
		}
	}
	var plain [len(head)]byte
	n, _ := base64.RawStdEncoding.Decode(plain[:], head[:min(len(digits), len(head))])
	odd := 0
	for _, c := range plain[:n] {
		if c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0 {
			odd++
		}
	}
	return odd <= n/4
}

// byteLists decodes bytes that are written as numbers: 68 75 6e, 6875 6e74, 68:75:6e, 0x68, 0x75, [104,117,110].
func byteLists(text string, from []int32) (string, []int32) {
	p := parts{from: from}
	for i := 0; i < len(text); {
		if !isHex(text[i]) || i > 0 && isWordByte(text[i-1]) {
			i++
			continue
		}
		end := i + 1
		for end < len(text) && isHex(text[end]) {
			end++
		}
		if text[i:end] != "0" && (end-i > 4 || end+1 >= len(text) || !separates(text[end])) {
			i = end
			continue
		}
		end = i + 1
		for _, read := range []func(string, int) (byte, int){hexNumber, decimalNumber} {
			end = max(end, p.list(text, i, read))
		}
		i = end
	}
	return p.all(len(text))
}

func separates(c byte) bool { return c == ' ' || c == ',' || c == ':' || c == '-' || c == '\n' }

// leastNumbers is how many a list has: shorter secrets are looked for as they are only.
const leastNumbers = 8

// list decodes the list that begins at a place, and returns where it ends.
func (p *parts) list(text string, begin int, read func(text string, at int) (byte, int)) (end int) {
	var kept [64]byte
	var from [64]int
	bytes, places := kept[:0], from[:0]
	for at := begin; ; {
		place := at
		if strings.HasPrefix(text[at:], "0x") {
			at += len("0x")
		}
		b, next := read(text, at)
		if next == 0 {
			break
		}
		bytes, places, end = append(bytes, b), append(places, place), next
		at = next
		for at < len(text) && at-next < 4 && separates(text[at]) {
			at++
		}
	}
	if len(bytes) >= leastNumbers {
		p.add(string(bytes), func(i int) int { return places[i] })
		p.end(end)
		return end
	}
	return begin
}

// hexNumber is a number of two hexadecimal digits, behind which no word goes on.
func hexNumber(text string, at int) (byte, int) {
	b, ok := hexByte(text, at)
	if !ok {
		return 0, 0
	}
	if end := at + 2; end < len(text) && isWordByte(text[end]) {
		if _, more := hexByte(text, end); !more {
			return 0, 0
		}
	}
	return b[0], at + 2
}

// decimalNumber is one of up to three digits, which stands alone.
func decimalNumber(text string, at int) (byte, int) {
	end := at
	for end < len(text) && end-at < 4 && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(text[at:end], 10, 8)
	if err != nil || end < len(text) && isWordByte(text[end]) {
		return 0, 0
	}
	return byte(n), end
}
