package mutant

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// contentMutants pass on every message and change what is in some of them.
var contentMutants = []Mutant{
	ofContent("cuts-at-4096", "A payload ends after 4,096 bytes.", "plausible: a buffer of a fixed size",
		func(data []byte) []byte { return data[:min(len(data), 4096)] }),
	ofContent("sends-latin-1", "Text is sent in ISO 8859-1.", "plausible: the platform's default encoding", latin1),
	ofContent("asks-for-emoji", "Each character beyond the basic plane becomes a question mark.", "plausible: a column of utf8mb3",
		func(data []byte) []byte {
			return []byte(strings.Map(func(r rune) rune {
				if r > 0xffff {
					return '?'
				}
				return r
			}, string(data)))
		}),
	ofContent("sends-surrogates", "Each character beyond the basic plane is sent as two surrogates of three bytes each.", "plausible: CESU-8, as Java's modified UTF-8", cesu8),
	ofContent("tears-characters", "A character that does not fit into a buffer of 1,024 bytes is decoded in two parts.",
		"btubbs/sseclient#38: chunks decoded apart damage a character",
		func(data []byte) []byte { return decodedApart(data, 1024) }),
	ofContent("trims-payloads", "White space at both ends of a payload is taken away.", "plausible: the body of a request is trimmed", bytes.TrimSpace),
	ofContent("normalises-text", "An e with a combining accent becomes one character.", "plausible: text is normalised on its way through a database",
		func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("e\u0301"), []byte("\u00e9")) }),
	ofContent("decodes-percent-signs", "A payload is decoded as a part of a URL once more.", "plausible: a query parameter that is decoded twice",
		func(data []byte) []byte {
			if plain, err := url.PathUnescape(string(data)); err == nil {
				return []byte(plain)
			}
			return data
		}),
	ofLines("breaks-at-cr-only", "Data is split at CR alone, so that an LF in it begins a field.",
		func(data string) []string { return strings.Split(data, "\r") }),
	ofLines("breaks-at-lf-only", "Data is split at LF alone, so that a CR in it begins a field.",
		func(data string) []string { return strings.Split(data, "\n") }),
	ofLines("breaks-nowhere", "Data is written behind one data: with all its line breaks.",
		func(data string) []string { return []string{data} }),
	ofLines("joins-lines", "The lines of a payload become one.",
		func(data string) []string {
			return []string{strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(data)}
		}),
}

// ofContent is a mutant that changes the data of messages.
func ofContent(name, bug, seenIn string, change func(data []byte) []byte) Mutant {
	return Mutant{
		Name: name, Bug: bug, SeenIn: seenIn, Kills: []string{"delivery.intact"}, Scenario: "texts",
		Broker: texts(change),
	}
}

// ofLines is a mutant that writes the data of an event as other lines than those it has.
func ofLines(name, bug string, split func(data string) []string) Mutant {
	return Mutant{
		Name: name, Bug: bug, SeenIn: "mpetrunic/fastify-sse-v2#110; fanout/django-eventstream#185", Kills: []string{"delivery.intact"}, Scenario: "texts",
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, _ []byte) []byte { return written(ev, split(string(ev.Data))) })
		},
	}
}

func cesu8(data []byte) []byte {
	made := make([]byte, 0, len(data))
	for _, r := range string(data) {
		high, low := utf16.EncodeRune(r)
		if high == utf8.RuneError {
			made = utf8.AppendRune(made, r)
			continue
		}
		for _, half := range []rune{high, low} {
			made = append(made, 0xe0|byte(half>>12), 0x80|byte(half>>6)&0x3f|0x80, 0x80|byte(half)&0x3f)
		}
	}
	return made
}
