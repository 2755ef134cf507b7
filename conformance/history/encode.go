package history

import (
	"strconv"
	"time"
	"unicode/utf8"
)

var ackedNames = [...]string{Acknowledged: "acknowledged", Rejected: "rejected", Indeterminate: "indeterminate"}

// String is the outcome's word; empty for none.
func (a Acked) String() string {
	if int(a) < len(ackedNames) {
		return ackedNames[a]
	}
	return "unknown"
}

// Append appends o as one JSON object without a line end. Fields that are zero are left out; times are nanoseconds. The keys are
// listed in docs/history.md.
func Append(dst []byte, o *Observation) []byte {
	dst = append(dst, `{"t":`...)
	dst = strconv.AppendInt(dst, int64(o.At), 10)
	dst = append(dst, `,"k":"`...)
	dst = append(append(dst, o.Kind.String()...), '"')
	dst = appendInt(dst, "s", int64(o.Subscriber))
	dst = appendInt(dst, "c", int64(o.Connection))
	dst = appendInt(dst, "st", int64(o.Stream))
	dst = appendInt(dst, "p", int64(o.Publisher))
	if o.Number != 0 {
		dst = append(dst, `,"n":`...)
		dst = strconv.AppendUint(dst, o.Number, 10)
	}
	dst = appendTime(dst, "due", o.Due)
	dst = appendTime(dst, "sent", o.Sent)
	dst = appendTime(dst, "took", o.Took)
	dst = appendTime(dst, "low", o.Low)
	dst = appendTime(dst, "high", o.High)
	dst = appendInt(dst, "b", o.Size)
	dst = appendInt(dst, "a", int64(o.Attempt))
	dst = appendInt(dst, "step", int64(o.Step))
	dst = appendInt(dst, "code", int64(o.Status))
	dst = appendInt(dst, "mark", int64(o.Mark))
	if o.Cause != 0 {
		dst = appendText(dst, "why", o.Cause.String())
	}
	if o.Acked != 0 {
		dst = appendText(dst, "ack", o.Acked.String())
	}
	if o.Half {
		dst = append(dst, `,"half":true`...)
	}
	dst = appendText(dst, "x", o.Text)
	dst = appendText(dst, "id", o.Event)
	dst = appendText(dst, "d", o.Data)
	return append(dst, '}')
}

func appendInt(dst []byte, key string, v int64) []byte {
	if v == 0 {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(append(dst, key...), '"', ':')
	return strconv.AppendInt(dst, v, 10)
}

func appendTime(dst []byte, key string, d time.Duration) []byte { return appendInt(dst, key, int64(d)) }

func appendText(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(append(dst, key...), '"', ':', '"')
	return append(appendQuoted(dst, text), '"')
}

const hexDigits = "0123456789abcdef"

// appendQuoted escapes text for JSON. Bytes that are not UTF-8 become U+FFFD, as in encoding/json.
func appendQuoted(dst []byte, text string) []byte {
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, text[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, text[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(dst, text[start:]...)
}
