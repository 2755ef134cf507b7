package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// evidenceSegments bounds what is shown of a body.
const evidenceSegments = 12

// Evidence shows the newest segments of the body, one a line: when it arrived, counted from the connection's start, and its bytes
// escaped.
func (p *Tap) Evidence() []string { return p.evidence(0) }

// EvidenceFrom shows the segments from an offset of the body on.
func (p *Tap) EvidenceFrom(offset int) []string { return p.evidence(offset) }

func (p *Tap) evidence(from int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	segments := p.record.Segments
	first := slices.IndexFunc(segments, func(s Segment) bool { return s.Offset+len(s.Bytes) > from })
	if first < 0 {
		first = len(segments)
	}
	if from == 0 {
		first = max(first, len(segments)-evidenceSegments)
	}
	texts := p.texts(segments, first)
	segments = segments[first:]
	var lines []string
	for i, s := range segments {
		if i == evidenceSegments {
			lines = append(lines, fmt.Sprintf("… %s more", conformance.Plural(len(segments)-i, "segment")))
			break
		}
		lines = append(lines, stamp(s.At.Sub(p.began))+" "+sse.Escape([]byte(texts[i])))
	}
	if p.record.Ended {
		lines = append(lines, fmt.Sprintf("%s the stream ended: %v", stamp(p.record.EndedAt.Sub(p.began)), p.record.End))
	}
	if len(lines) == 0 {
		lines = append(lines, "no byte of the body arrived")
	}
	return lines
}

// texts are what is shown of some segments, without secrets: before they are cut, and with what stands beside them, because a secret may
// go over their edges.
func (p *Tap) texts(segments []Segment, first int) []string {
	begin := max(0, first-1)
	var pieces []string
	for _, s := range segments[begin:min(len(segments), first+evidenceSegments+1)] {
		pieces = append(pieces, string(s.Bytes))
	}
	if p.subject.RedactPieces != nil {
		pieces = p.subject.RedactPieces(pieces)
	}
	return pieces[first-begin:]
}

func stamp(d time.Duration) string { return fmt.Sprintf("+%.3fs", d.Seconds()) }

// headEvidence shows a response's head, without what identifies a session.
func headEvidence(proto string, status int, header http.Header) []string {
	lines := []string{fmt.Sprintf("%s %d %s", proto, status, http.StatusText(status))}
	for _, name := range slices.Sorted(keys(header)) {
		for _, value := range header[name] {
			if strings.EqualFold(name, "Set-Cookie") {
				value = "***"
			}
			lines = append(lines, name+": "+value)
		}
	}
	return lines
}

func keys(header http.Header) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range header {
			if !yield(name) {
				return
			}
		}
	}
}
