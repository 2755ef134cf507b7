// Package token puts one self-delimiting token into a payload, by which a message is recognised wherever it arrives.
//
//	~sg1.RUN.STREAM.PUBLISHER.NUMBER.DUE.LAG.PAD.TOTAL.OUTSIDE.PADDING.TOKEN.paddingpadding~1gs~
//
// Only the characters a-z, 0-9, '.', '~' and '-' occur, so the token survives pass-through, a JSON envelope, URL and HTML
// escaping. Numbers are base 36. The last three fields are CRC-32C sums: of the payload's bytes outside the token, of the
// padding, and of the token's own fields. The padding brings the payload to its size and belongs to the token, so that its
// bytes are judged inside any envelope; the bytes outside can be judged here only where the payload was passed on as it was. Their
// number and their sum are those of what an event stream makes of them: each line break is a single line feed.
package token

import (
	"bytes"
	"hash/crc32"
	"math"
	"strconv"
	"time"
)

const (
	head = "~sg1."
	tail = "~1gs~"
	// MaxRun is the longest run id.
	MaxRun = 16
	// MaxOverhead is the most bytes that a token without padding takes.
	MaxOverhead = 136
	// MaxSize is the largest payload whose length fits its field.
	MaxSize = 36*36*36*36*36 - 1

	sizeDigits = 5
	sumDigits  = 7
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Message is what a token says of its message.
type Message struct {
	Run       string
	Stream    int32
	Publisher int32
	Number    uint64
	Due       time.Duration // since the run began
	Sent      time.Duration // since the run began
}

// State is what Scan found.
type State uint8

const (
	None      State = iota // no token
	OtherRun               // an undamaged token of another run; the numbers are that run's
	Damaged                // a token whose fields fail their own sum: its numbers mean nothing
	Corrupted              // the numbers are right, other bytes of the payload are not, or it was written anew
	Enveloped              // the numbers are right, and with other bytes around it the payload's cannot be judged by their sum
	Intact                 // every byte is right
)

// ValidRun says whether run can stand in a token: 1 to MaxRun characters of a-z and 0-9.
func ValidRun(run string) bool {
	if run == "" || len(run) > MaxRun {
		return false
	}
	for i := range len(run) {
		if digits[run[i]] < 0 {
			return false
		}
	}
	return true
}

// Append appends prefix, m's token and suffix to dst. Padding, always the same for the same message, brings them to size bytes
// together; where size is too small for the token there is none. m.Run must be valid, m's indices not negative and size at most MaxSize.
func Append(dst []byte, m Message, prefix, suffix []byte, size int) []byte {
	first := len(dst)
	dst = append(dst, prefix...)
	start := len(dst)
	dst = appendField(append(dst, head...), m.Run)
	for _, v := range [...]uint64{uint64(m.Stream), uint64(m.Publisher), m.Number, uint64(m.Due)} {
		dst = append(strconv.AppendUint(dst, v, 36), '.')
	}
	dst = append(strconv.AppendInt(dst, int64(m.Sent-m.Due), 36), '.')

	fixed := 2*(sizeDigits+1) + 3*(sumDigits+1) + len(tail)
	pad := max(0, size-(len(dst)-first)-fixed-len(suffix))
	before, after := Joined(prefix), Joined(suffix)
	total := len(dst) - start + fixed + pad + len(before) + len(after)
	dst = appendFixed(dst, uint64(pad), sizeDigits)
	dst = appendFixed(dst, uint64(total), sizeDigits)
	dst = appendFixed(dst, uint64(outsideSum(before, after)), sumDigits)

	// The padding's sum stands before the padding, so the padding is written first, where it will be, and summed there.
	at := len(dst) + 2*(sumDigits+1)
	dst = append(dst, make([]byte, 2*(sumDigits+1))...)
	dst = appendPadding(dst, m, pad)
	padding := crc32.Checksum(dst[at:], castagnoli)
	sums := dst[:at-2*(sumDigits+1)]
	sums = appendFixed(sums, uint64(padding), sumDigits)
	appendFixed(sums, uint64(crc32.Checksum(sums[start:], castagnoli)), sumDigits)

	dst = append(dst, tail...)
	return append(dst, suffix...)
}

// Joined is text as it arrives by an event stream, which has one kind of line break: LF for CR and CRLF.
func Joined(text []byte) []byte {
	if bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
}

func appendField(dst []byte, text string) []byte {
	return append(append(dst, text...), '.')
}

// appendFixed appends v in base 36 with leading zeros, and the separator.
func appendFixed(dst []byte, v uint64, width int) []byte {
	at := len(dst)
	dst = append(dst, "0000000."[7-width:]...)
	for i := at + width - 1; i >= at; i-- {
		dst[i] = letters[v%36]
		v /= 36
	}
	return dst
}

const letters = "0123456789abcdefghijklmnopqrstuvwxyz"

// appendPadding appends n pseudo-random characters that depend on the message alone (xorshift64*, 5 bits a character).
func appendPadding(dst []byte, m Message, n int) []byte {
	const multiplier = 0x9e3779b97f4a7c15
	x := uint64(0)
	for i := range len(m.Run) {
		x = x<<5 ^ x>>59 ^ uint64(m.Run[i])
	}
	x = (x ^ m.Number<<20 ^ uint64(m.Stream)<<8 ^ uint64(m.Publisher) | 1) * multiplier
	for n > 0 {
		x ^= x >> 12
		x ^= x << 25
		x ^= x >> 27
		for bits, k := x*multiplier, 0; k < 12 && n > 0; k, n = k+1, n-1 {
			dst = append(dst, letters[bits>>59])
			bits <<= 5
		}
	}
	return dst
}

// Scan looks for a token of the run in data, wherever it stands. It does not allocate: the Message's Run is the run asked for,
// and empty for OtherRun.
func Scan(data []byte, run string) (Message, State) {
	start := bytes.Index(data, []byte(head))
	if start < 0 {
		if bytes.Contains(data, []byte(tail)) {
			return Message{}, Damaged // its head is what was damaged
		}
		return Message{}, None
	}
	p := parser{rest: data[start+len(head):]}
	own := p.run(run)
	m := Message{
		Stream:    p.index(),
		Publisher: p.index(),
		Number:    p.unsigned(),
		Due:       time.Duration(p.unsigned()),
	}
	m.Sent = m.Due + time.Duration(p.signed())
	pad, total, outside, padding := p.unsigned(), p.unsigned(), p.unsigned(), p.unsigned()
	fields := data[start : len(data)-len(p.rest)]
	if sum := p.unsigned(); p.bad || sum != uint64(crc32.Checksum(fields, castagnoli)) {
		return Message{}, Damaged
	}
	if !own {
		return m, OtherRun
	}
	m.Run = run
	if pad > uint64(len(p.rest)) || uint64(crc32.Checksum(p.rest[:pad], castagnoli)) != padding {
		return m, Corrupted
	}
	after := p.rest[pad:]
	if len(after) < len(tail) || string(after[:len(tail)]) != tail {
		return m, Corrupted
	}
	rest := after[len(tail):]
	switch whole := uint64(len(data)); {
	case whole == total && uint64(outsideSum(data[:start], rest)) != outside:
		return m, Corrupted
	case whole == total, uint64(len(data)-start-len(rest)) == total: // or nothing was outside the token
		return m, Intact
	}
	return m, Enveloped
}

func outsideSum(prefix, suffix []byte) uint32 {
	return crc32.Update(crc32.Checksum(prefix, castagnoli), castagnoli, suffix)
}

// digits maps a character to its base-36 value, −1 for every other.
var digits = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i := range len(letters) {
		table[letters[i]] = int8(i)
	}
	return table
}()

// parser takes fields off the front of rest. After a field that is not well-formed it is bad, and stays so.
type parser struct {
	rest []byte
	bad  bool
}

// run takes the run's field and says whether it is the run asked for.
func (p *parser) run(want string) bool {
	if n := len(want); len(p.rest) > n && p.rest[n] == '.' && string(p.rest[:n]) == want {
		p.rest = p.rest[n+1:]
		return true
	}
	end := bytes.IndexByte(p.rest, '.')
	if end < 0 {
		p.bad = true
		return false
	}
	p.rest = p.rest[end+1:]
	return false
}

func (p *parser) unsigned() uint64 {
	var v uint64
	for i, c := range p.rest {
		if c == '.' && i > 0 {
			p.rest = p.rest[i+1:]
			return v
		}
		d := digits[c]
		if d < 0 || v > (math.MaxInt64-35)/36 {
			break
		}
		v = v*36 + uint64(d)
	}
	p.bad = true
	return 0
}

func (p *parser) signed() int64 {
	if len(p.rest) > 0 && p.rest[0] == '-' {
		p.rest = p.rest[1:]
		return -int64(p.unsigned())
	}
	return int64(p.unsigned())
}

func (p *parser) index() int32 {
	v := p.unsigned()
	if v > math.MaxInt32 {
		p.bad = true
		return 0
	}
	return int32(v)
}

// Header is the part of the first token in data that holds its fields and sums, nil without one: equal headers, equal payloads.
func Header(data []byte) []byte {
	const fields = 11
	start := bytes.Index(data, []byte(head))
	if start < 0 {
		return nil
	}
	end := start + len(head)
	for range fields {
		dot := bytes.IndexByte(data[end:], '.')
		if dot < 0 {
			return nil
		}
		end += dot + 1
	}
	return data[start:end]
}
