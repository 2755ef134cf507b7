package mutant

import (
	"bytes"
	"slices"

	"github.com/streamgauge/streamgauge/reference/client"
)

const hasSuch = "its streams have such fields, too"

// block is what the lines of a block have been so far.
type block struct{ data, event, id, comment, any bool }

// see takes the next line, and returns the block as it was before.
func (b *block) see(name string, line []byte) (before block) {
	before = *b
	switch {
	case len(line) == 0:
		*b = block{}
		return before
	case line[0] == ':':
		b.comment = true
		return before
	case name == "data":
		b.data = true
	case name == "event":
		b.event = true
	case name == "id":
		b.id = true
	}
	b.any = true
	return before
}

// inBlocks is lined for a change that looks at the block; before is what stood in front of the line, and the line itself is blank at the
// block's end.
func inBlocks(newChange func() func(before block, name string, value, line []byte) ([]byte, bool)) func(*client.Config) {
	return lined(func() func(line []byte) ([]byte, bool) {
		var b block
		change := newChange()
		return func(line []byte) ([]byte, bool) {
			name, value := field(line)
			return change(b.see(name, line), name, value, line)
		}
	})
}

// onField changes the lines of one field.
func onField(name string, change func(value, line []byte) ([]byte, bool)) func(*client.Config) {
	return eachLine(func(line []byte) ([]byte, bool) {
		if n, value := field(line); n == name {
			return change(value, line)
		}
		return line, true
	})
}

// clientFieldMutants get fields and blocks wrong.
var clientFieldMutants = []Mutant{
	{
		Name:   "field-without-colon-is-ignored",
		Bug:    "A line with a name and no colon is no field to it.",
		SeenIn: "plausible: lines that do not match name: value are skipped",
		Kills:  []string{"SSE-PARSE-003"},
		May:    []May{{"SSE-PARSE-012", hasSuch}, {"SSE-PARSE-013", hasSuch}, {"SSE-PARSE-031", hasSuch}},
		Client: eachLine(func(line []byte) ([]byte, bool) { return line, string(line) != "data" }),
	},
	{
		Name: "values-are-trimmed", ID: "MC-07",
		Bug:    "It trims values instead of removing one space.",
		SeenIn: "plausible",
		Kills:  []string{"SSE-PARSE-004"},
		May: []May{
			{"SSE-PARSE-012", hasSuch}, {"SSE-PARSE-031", hasSuch}, {"SSE-PARSE-034", hasSuch}, {"SSE-PARSE-035", "a number behind two spaces becomes valid"},
			{"SSE-RECON-022", "its ids have spaces at their ends"},
		},
		Client: eachLine(func(line []byte) ([]byte, bool) {
			name, value := field(line)
			if name == "" || !bytes.Contains(line, []byte(":")) {
				return line, true
			}
			return asField(name, bytes.TrimSpace(value)), true
		}),
	},
	{
		Name:   "value-ends-at-the-second-colon",
		Bug:    "It splits a line at every colon and takes the second part for the value.",
		SeenIn: "plausible: line.split(':')[1]",
		Kills:  []string{"SSE-PARSE-005"},
		May:    []May{{"SSE-PARSE-016", hasSuch}, {"SSE-PARSE-040", hasSuch}},
		Client: onField("data", func(value, line []byte) ([]byte, bool) {
			if first, _, more := bytes.Cut(value, []byte(":")); more {
				return asField("data", first), true
			}
			return line, true
		}),
	},
	{
		Name:   "comment-ends-the-block",
		Bug:    "A comment inside a block ends it.",
		SeenIn: "plausible: a comment is handled like a blank line",
		Kills:  []string{"SSE-PARSE-006"},
		May:    []May{{"SSE-HBC-005", "its comments stand inside of blocks"}, {"SSE-PARSE-012", "a comment of its stands inside of a block"}},
		Client: eachLine(func(line []byte) ([]byte, bool) {
			if bytes.HasPrefix(line, []byte(":")) {
				return append(bytes.Clone(line), '\n'), true
			}
			return line, true
		}),
	},
	{
		Name: "comment-behind-an-id-is-an-event", ID: "MC-10",
		Bug:    "Once there was an id, a block of comments alone dispatches an empty event.",
		SeenIn: "florimondmanca/httpx-sse#46",
		Kills:  []string{"SSE-PARSE-007"},
		May:    []May{{"SSE-HBC-005", "its heartbeats are such comments"}},
		Client: inBlocks(func() func(before block, name string, value, line []byte) ([]byte, bool) {
			hadID := false
			return func(before block, name string, value, line []byte) ([]byte, bool) {
				hadID = hadID || name == "id" && len(value) > 0
				if len(line) == 0 && hadID && before.comment && !before.any {
					return []byte("data\n"), true
				}
				return line, true
			}
		}),
	},
	{
		Name:   "type-leaks-into-the-next-block",
		Bug:    "It forgets an event's type only when it dispatches.",
		SeenIn: "plausible: the type is reset behind the callback",
		Kills:  []string{"SSE-PARSE-008"},
		May:    []May{{"SSE-PARSE-007", "one of its blocks has a type alone"}},
		Client: inBlocks(func() func(before block, name string, value, line []byte) ([]byte, bool) {
			var kind, leaked []byte
			return func(before block, name string, value, line []byte) ([]byte, bool) {
				if name == "event" {
					kind, leaked = append([]byte{}, value...), nil
				}
				if len(line) == 0 {
					if before.event && !before.data {
						leaked = kind
					}
					kind = nil
					return line, true
				}
				if name == "data" && leaked != nil && !before.data {
					first := append(asField("event", leaked), '\n')
					leaked = nil
					return append(first, line...), true
				}
				return line, true
			}
		}),
	},
	{
		Name:   "empty-event-field-is-ignored",
		Bug:    "An event field without a value does not take back the one before.",
		SeenIn: "plausible: a falsy test",
		Kills:  []string{"SSE-PARSE-009"},
		Client: onField("event", func(value, line []byte) ([]byte, bool) { return line, len(value) > 0 }),
	},
	{
		Name:   "first-value-counts",
		Bug:    "When event or id occurs twice in a block, it takes the first.",
		SeenIn: "plausible: set only when not yet set",
		Kills:  []string{"SSE-PARSE-010"},
		May:    []May{{"SSE-PARSE-009", hasSuch}},
		Client: inBlocks(func() func(before block, name string, value, line []byte) ([]byte, bool) {
			return func(before block, name string, _, line []byte) ([]byte, bool) {
				return line, (name != "event" || !before.event) && (name != "id" || !before.id)
			}
		}),
	},
	{
		Name:   "fields-behind-data-are-ignored",
		Bug:    "It takes type and id only from in front of the data.",
		SeenIn: "plausible: a regular expression over the block",
		Kills:  []string{"SSE-PARSE-011"},
		May:    []May{{"SSE-PARSE-031", hasSuch}},
		Client: inBlocks(func() func(before block, name string, value, line []byte) ([]byte, bool) {
			return func(before block, name string, _, line []byte) ([]byte, bool) {
				return line, !before.data || name != "event" && name != "id"
			}
		}),
	},
	{
		Name:   "field-names-in-any-case",
		Bug:    "It folds the case of field names and trims them.",
		SeenIn: "plausible: names treated like those of HTTP headers",
		Kills:  []string{"SSE-PARSE-012"},
		Client: eachLine(func(line []byte) ([]byte, bool) {
			name, value := field(line)
			folded := string(bytes.ToLower(bytes.TrimSpace([]byte(name))))
			if folded == name || !slices.Contains([]string{"data", "event", "id", "retry"}, folded) {
				return line, true
			}
			return asField(folded, value), true
		}),
	},
	{
		Name: "empty-id-resets-nothing", ID: "MC-12",
		Bug:    "It ignores an id field without a value.",
		SeenIn: "launchdarkly/rust-eventsource-client#28; bigskysoftware/htmx#3914",
		Kills:  []string{"SSE-PARSE-031", "SSE-RECON-017"},
		May: []May{
			{"SSE-PARSE-030", "the id of one stream stays for the next"}, {"SSE-PARSE-032", "the id of one stream stays for the next"},
			{"SSE-PARSE-033", "the id of one stream stays for the next"}, {"SSE-PARSE-034", "the id of one stream stays for the next"},
		},
		Client: onField("id", func(value, line []byte) ([]byte, bool) { return line, len(value) > 0 }),
	},
	{
		Name: "id-with-nul-is-accepted", ID: "MC-13",
		Bug:    "It accepts an id with a NUL in it.",
		SeenIn: "seen in practice",
		Kills:  []string{"SSE-PARSE-032"},
		Client: onField("id", func(value, line []byte) ([]byte, bool) {
			if bytes.IndexByte(value, 0) < 0 {
				return line, true
			}
			return asField("id", bytes.ReplaceAll(value, []byte{0}, []byte("\u2400"))), true
		}),
	},
	{
		Name:   "id-without-data-is-ignored",
		Bug:    "An id in a block without data does not count.",
		SeenIn: "plausible: the id is committed where the event is dispatched",
		Kills:  []string{"SSE-PARSE-033"},
		Client: heldUntilData("id"),
	},
	{
		Name:   "id-zero-is-none",
		Bug:    "It takes the id 0 for none.",
		SeenIn: "plausible: a falsy test",
		Kills:  []string{"SSE-PARSE-034"},
		Client: onField("id", func(value, line []byte) ([]byte, bool) { return line, string(value) != "0" }),
	},
	{
		Name:   "leading-digits-of-retry-count",
		Bug:    "It reads the digits at the beginning of a retry field, whatever follows.",
		SeenIn: "plausible: parseInt",
		Kills:  []string{"SSE-PARSE-035"},
		Client: onField("retry", func(value, line []byte) ([]byte, bool) {
			value = bytes.TrimSpace(value)
			digits := 0
			for digits < len(value) && value[digits] >= '0' && value[digits] <= '9' {
				digits++
			}
			if digits == 0 {
				return line, true
			}
			return asField("retry", value[:digits]), true
		}),
	},
	{
		Name:   "retry-without-a-value-loses-the-block",
		Bug:    "A retry field without a value is an error that loses the rest of its block.",
		SeenIn: "plausible: an exception of the number parser",
		Kills:  []string{"SSE-PARSE-036"},
		Client: lined(func() func(line []byte) ([]byte, bool) {
			failed := false
			return func(line []byte) ([]byte, bool) {
				if name, value := field(line); name == "retry" && len(value) == 0 {
					failed = true
				}
				if len(line) == 0 {
					failed = false
				}
				return line, !failed
			}
		}),
	},
	{
		Name:   "retry-counts-with-its-event",
		Bug:    "It takes a reconnection time over when it dispatches the block that it stands in.",
		SeenIn: "plausible: retry is a field of the event object",
		Kills:  []string{"SSE-PARSE-038"},
		May:    []May{{"SSE-RECON", "where the reconnection time stands in a block of its own, the client's own is used"}},
		Client: heldUntilData("retry"),
	},
	{
		Name:   "fields-inside-of-values",
		Bug:    "It finds fields in the text of a data field.",
		SeenIn: "plausible: a regular expression without an anchor",
		Kills:  []string{"SSE-PARSE-040"},
		Client: onField("data", func(value, line []byte) ([]byte, bool) {
			if name, _ := field(value); name == "event" || name == "id" {
				return append(append(bytes.Clone(line), '\n'), value...), true
			}
			return line, true
		}),
	},
}

// heldUntilData keeps a field back until a data field follows in its block; without one it is lost.
func heldUntilData(held string) func(*client.Config) {
	return inBlocks(func() func(before block, name string, value, line []byte) ([]byte, bool) {
		var waiting []byte
		return func(before block, name string, _, line []byte) ([]byte, bool) {
			switch {
			case len(line) == 0:
				waiting = nil
			case name == held && !before.data:
				waiting = append(waiting, line...)
				waiting = append(waiting, '\n')
				return nil, false
			case name == "data":
				all := waiting
				waiting = nil
				return append(all, line...), true
			}
			return line, true
		}
	})
}
