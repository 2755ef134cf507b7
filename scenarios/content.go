package scenarios

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// mostVaried is the largest of the payloads that vary: just beyond 64 KiB.
	mostVaried = 66_000
	// mostInURL is the largest of those that the publish url carries.
	mostInURL = 1 << 10
	// mostReached bounds what one message that varies brings to all of its subscribers together, as long as that leaves leastBound.
	mostReached = 16 << 20
	leastBound  = 5 << 10
)

// Content is what stands around the token in the payload of one message, as it is published.
type Content struct {
	Before, After []byte
	Size          int // bytes to which padding brings the payload; 0: none is needed
}

// Contents makes the contents of a plan's messages: of many sizes and of all kinds of text, decided by the plan's seed alone.
type Contents struct {
	plan    *Plan
	carries Payload
	json    bool
	size    int // of each payload; 0: they vary
	largest int
}

// Contents are those of the plan's messages.
func (p *Plan) Contents() *Contents {
	load := &p.Scenario.Load
	c := &Contents{plan: p, carries: PayloadText, json: load.Publish.Payload == PayloadJSON, size: int(load.Publish.Size), largest: mostVaried}
	if p.Target != nil && p.Target.Publish != nil {
		c.carries, c.largest = p.Target.carries()
	}
	c.json = c.json || c.carries == PayloadJSON
	if fanOut := load.Subscribers * load.Follow / max(load.Streams, 1); fanOut > 0 {
		c.largest = min(c.largest, max(mostReached/fanOut, leastBound))
	}
	return c
}

// Largest is the most bytes that a payload takes.
func (c *Contents) Largest() int {
	if c.size > 0 {
		return c.size
	}
	return c.largest
}

// Content is what one message carries. Of what it is made for is all that decides it: asked again, it is the same.
func (c *Contents) Content(stream, publisher int32, number uint64, kind string) Content {
	made := Content{Size: c.size}
	rnd := random(subseed(c.plan.Seed^uint64(stream)<<32^uint64(publisher), "content", int(number)))
	w := writer{rnd: rnd, json: c.json, line: c.carries == PayloadLine}
	w.style(c.carries)
	room := c.size
	if room == 0 {
		room = min(drawSize(rnd), c.largest)
	}
	if c.json {
		made.Before = c.opening(stream, number, kind)
		w.room = room - MinJSONPayload
		made.After = append(w.text(nil), `"}`...)
		return made
	}
	w.room = room - MinPayload
	if c.carries != PayloadASCII && w.room > 8 {
		made.Before = w.edge(nil)
	}
	made.After = w.text(nil)
	return made
}

// opening is a JSON object up to the token.
func (c *Contents) opening(stream int32, number uint64, kind string) []byte {
	b := append([]byte(`{"type":`), quoted(kind)...)
	b = append(append(b, `,"stream":`...), quoted(c.plan.Streams[stream])...)
	b = strconv.AppendUint(append(b, `,"number":`...), number, 10)
	return append(b, `,"token":"`...)
}

func quoted(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // no string fails to encode
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// sizes are the classes of payload sizes, in bytes beside the token, with how many in a thousand fall into each.
var sizes = []struct{ share, from, to int }{
	{500, 1, 128}, {300, 128, 1 << 10}, {135, 1 << 10, 5 << 10}, {45, 5 << 10, 16 << 10}, {10, 16 << 10, mostVaried - MinPayload},
}

// edges are sizes of whole payloads around which buffers end.
var edges = []int{255, 512, 1024, 1400, 2048, 4096, 8192, 16384, 32768, 65536}

// drawSize draws the size of a payload with its token: mostly small, now and then large, in one of a hundred cases at the edge of a buffer.
func drawSize(rnd *rand.Rand) int {
	n := rnd.IntN(1000)
	for _, class := range sizes {
		if n -= class.share; n < 0 {
			ratio := float64(class.to) / float64(class.from)
			return MinPayload + int(float64(class.from)*math.Pow(ratio, rnd.Float64()))
		}
	}
	return edges[rnd.IntN(len(edges))] - 1 + rnd.IntN(3)
}

// meanVaried is the mean of drawSize.
const meanVaried = 1600

// MeanPayload is the mean size of the payloads, in bytes.
func (s *Scenario) MeanPayload() int64 {
	if s.Load.Publish.Rate > 0 && s.Load.Publish.Size == 0 {
		return meanVaried
	}
	return s.Load.Publish.Size
}

// style is what a text is made of: pieces from one of several drawers, at random.
type style []drawer

// drawer holds pieces of one kind.
type drawer struct {
	share  int // of the pieces that are drawn from it
	pieces []string
}

var (
	plainWords = []string{"a ", "to ", "the ", "order ", "table ", "coffee ", "0", "42 ", "3.14 ", "received-", "x", "  ", ", ", ". "}
	two        = []string{"é", "ß", "ñ", "Ж", "ش", "\u0085", "\u00a0", "e\u0301"}
	three      = []string{"€", "漢", "字", "ह", "\u2028", "\uff21", "한"}
	four       = []string{"😀", "𝄞", "🏳️‍🌈", "👩‍👩‍👧", "𠜎"}
	signs      = []string{`"`, `\`, `'`, "`", `\n`, `\u00e9`, "<b>", "&amp;", "%20", "+", "{{.}}", "${HOME}", "\t", "[DONE]", "data: "}
	pieces     = []string{`{"a":[1,2.50,null,true],"b":"é\n\"q\""}`, `[{"id":7},{"id":"7"}]`, `{"text":"😀 \\ /"}`, `{}`, `null`}
	breaks     = []string{"\n", "\r", "\r\n", "\n\n", "\r\r", "\ndata: x", "\n\nid: 3\n", "\nevent: x\n", "\n: no comment\n", "\nretry: 500\n", "\r\n\r\n"}

	plainText  = style{{90, plainWords}, {6, two}, {2, three}, {2, signs}}
	mixedText  = style{{40, plainWords}, {15, two}, {12, three}, {8, four}, {15, signs}, {10, pieces}}
	wideText   = style{{5, plainWords}, {25, two}, {45, three}, {25, four}}
	linedText  = style{{60, plainWords}, {10, two}, {5, three}, {5, four}, {10, signs}}
	documents  = style{{60, pieces}, {20, plainWords}, {10, signs}, {5, three}, {5, four}}
	lineBreaks = drawer{20, breaks}
)

// writer writes the text of one message.
type writer struct {
	rnd    *rand.Rand
	json   bool // it stands in a string of JSON
	line   bool // nothing that Unicode calls a line break
	room   int  // bytes
	pieces style
}

// style draws what the text is made of. In ASCII there is none: padding fills the payload.
func (w *writer) style(carries Payload) {
	all := []style{plainText, plainText, mixedText, mixedText, wideText, documents, linedText, linedText}
	n := w.rnd.IntN(len(all))
	switch {
	case carries == PayloadASCII:
	case n >= 6 && (carries == PayloadText || w.json): // JSON writes line breaks as escapes
		w.pieces = append(style{lineBreaks}, linedText...)
	default:
		w.pieces = all[n]
	}
}

// edge is what a payload begins with, on its first line: nothing mostly, else spaces or a character that is more than a byte.
func (w *writer) edge(dst []byte) []byte {
	if w.rnd.IntN(4) > 0 {
		return dst
	}
	starts := []string{" ", "  ", "\t", "é", "😀 ", "{", `"`, ":", "data: "}
	return append(dst, starts[w.rnd.IntN(len(starts))]...)
}

// text fills the room with pieces. It neither ends with a line break, which many a reader of a body takes away with good reason, nor
// in the middle of a character.
func (w *writer) text(dst []byte) []byte {
	if len(w.pieces) == 0 {
		return dst
	}
	total := 0
	for _, d := range w.pieces {
		total += d.share
	}
	end := len(dst) + w.room
	for len(dst) < end {
		piece := w.piece(total)
		if len(dst)+len(piece) > end {
			piece = "."
		}
		dst = append(dst, piece...)
	}
	if last, size := utf8.DecodeLastRune(dst); size > 0 && (last == '\n' || last == '\r') {
		dst[len(dst)-1] = '!'
	}
	return dst
}

func (w *writer) piece(total int) string {
	n := w.rnd.IntN(total)
	for _, d := range w.pieces {
		if n -= d.share; n < 0 {
			piece := d.pieces[w.rnd.IntN(len(d.pieces))]
			if w.line && strings.ContainsAny(piece, "\u0085\u2028") {
				piece = " "
			}
			if w.json {
				inner := quoted(piece)
				return string(inner[1 : len(inner)-1])
			}
			return piece
		}
	}
	return ""
}
