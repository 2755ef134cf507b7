package mutant

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverTextMutants damage what is not plain, or not short.
var serverTextMutants = []Mutant{
	{
		Name: "cuts-data-at-4096", Bug: "Data longer than 4,096 bytes are cut off.",
		SeenIn: "plausible: a buffer of fixed size", Kills: []string{"SSE-DELIV-006"},
		May: textInOthers, Broker: texts(func(p []byte) []byte { return p[:min(len(p), 4<<10)] }),
	},
	{
		Name: "cuts-data-at-64k", Bug: "Of 65,536 bytes of data and more the length is kept in 16 bits.",
		SeenIn: "plausible: a length field of a binary protocol in between", Kills: []string{"SSE-DELIV-006"},
		May: textInOthers, Broker: texts(func(p []byte) []byte {
			if len(p) >= 64<<10 {
				return p[:len(p)&(64<<10-1)]
			}
			return p
		}),
	},
	{
		Name: "speaks-latin-1", Bug: "Data are converted to Latin-1, in which what is not of it becomes a question mark.",
		SeenIn: "plausible: a writer with the platform's default charset", Kills: []string{"SSE-DELIV-006"},
		May: textInOthers, Broker: texts(latin1),
	},
	{
		Name: "forgets-emoji", Bug: "Characters of four bytes become question marks.",
		SeenIn: "plausible: a table in MySQL's utf8", Kills: []string{"SSE-DELIV-006"},
		May: textInOthers, Broker: texts(func(p []byte) []byte {
			return bytes.Map(func(r rune) rune {
				if r > 0xffff {
					return '?'
				}
				return r
			}, p)
		}),
	},
	{
		Name: "decodes-blocks-apart", Bug: "Data are decoded in blocks of 8 KiB, and a character that lies across two of them is damaged.",
		SeenIn: "btubbs/sseclient#38: chunks decoded apart damage a character", Kills: []string{"SSE-DELIV-006"},
		May: textInOthers, Broker: texts(func(p []byte) []byte { return decodedApart(p, 8<<10) }),
	},
	{
		Name: "sends-large-behind", Bug: "Data of 16 KiB and more are sent behind the next two events of their connection.",
		SeenIn: "plausible: what is large takes another way", Kills: []string{"SSE-DELIV-006", "SSE-SLOW-009"},
		May: slices.Concat(textInOthers, losesFirst, because("what is large comes behind what was published later", "SSE-SLOW", "SSE-LIMIT", "SSE-HTTPS-024")),
		Broker: func(c *broker.Config) {
			held := new(each[[]broker.Event])
			delivering(func(to *broker.Subscriber, ev broker.Event) (out []broker.Event) {
				waiting := held.of(to)
				if len(ev.Data) < 16<<10 {
					out = append(out, ev)
				}
				if n := len(*waiting); n > 0 && (*waiting)[0].Number+1 < ev.Number {
					out = append(out, (*waiting)[0])
					*waiting = (*waiting)[1:]
				}
				if len(ev.Data) >= 16<<10 {
					*waiting = append(*waiting, ev)
				}
				return out
			})(c)
		},
	},
	{
		Name: "carries-what-came-before", Bug: "One event in three begins with the data of the event before it.",
		SeenIn: "plausible: a buffer that is not emptied behind each event", Kills: []string{"SSE-DELIV-006"},
		May: because("one event in three holds two messages", "SSE-DELIV", "SSE-FORM", "SSE-RESUME", "SSE-ISO", "SSE-LIMIT", "SSE-SLOW", "SSE-DRAIN", "SSE-AUTH", "SSE-HTTPS"),
		Broker: func(c *broker.Config) {
			var before each[[]byte]
			delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				last := before.of(to)
				own := ev.Data
				if ev.Number%3 == 0 && len(*last) > 0 {
					ev.Data = slices.Concat(*last, []byte("\n"), own)
				}
				*last = own
				return []broker.Event{ev}
			})(c)
		},
	},
}

// textInOthers are cases that send what is not plain or not short as well.
var textInOthers = slices.Concat(replaysWrong, because("it is text of which not all arrives unchanged",
	"SSE-DELIV-001", "SSE-DELIV-013", "SSE-FORM-003", "SSE-FORM-004", "SSE-FORM-008", "SSE-FORM-009", "SSE-FORM-010", "SSE-FORM-012", "SSE-FORM-001", "SSE-LIMIT-001", "SSE-SLOW-008"))

// texts changes the data of every event.
func texts(change func(p []byte) []byte) func(*broker.Config) {
	return delivering(func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
		ev.Data = change(bytes.Clone(ev.Data))
		return []broker.Event{ev}
	})
}

func latin1(p []byte) []byte {
	var out []byte
	for _, r := range string(p) {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r)) //nolint:gosec // up to 255
	}
	return out
}

// decodedApart makes valid text of each block by itself.
func decodedApart(p []byte, block int) []byte {
	var out []byte
	for b := range slices.Chunk(p, block) {
		out = append(out, bytes.ToValidUTF8(b, []byte(string(utf8.RuneError)))...)
	}
	return out
}
