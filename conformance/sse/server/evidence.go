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
	segments = segments[first:]
	if from == 0 {
		segments = segments[max(0, len(segments)-evidenceSegments):]
	}
	var lines []string
	for i, s := range segments {
		if i == evidenceSegments {
			lines = append(lines, fmt.Sprintf("… %s more", conformance.Plural(len(segments)-i, "segment")))
			break
		}
		lines = append(lines, stamp(s.At.Sub(p.began))+" "+p.redact(sse.Escape(s.Bytes)))
	}
	if p.record.Ended {
		lines = append(lines, fmt.Sprintf("%s the stream ended: %v", stamp(p.record.EndedAt.Sub(p.began)), p.record.End))
	}
	if len(lines) == 0 {
		lines = append(lines, "no byte of the body arrived")
	}
	return lines
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
