package secret

import (
	"cmp"
	"slices"
	"strings"
)

// Secret is a text that must not be shown, and what is shown instead.
type Secret struct {
	Text, Shown string
	// Before and Behind are what must stand around it; "": anything.
	Before, Behind string
	// Word says that it is hidden only where no letter and no digit touches it, and only as it is or escaped: it is too short to be told
	// from a part of another word.
	Word bool
	// Within says that it is hidden only in base64 and hexadecimal: it stands in no text as it is, such as user:password.
	Within bool
}

// Hidden is shown in place of a secret that has no better name.
const Hidden = "***"

// Hider replaces secrets. A nil one replaces nothing. It may be used by several goroutines.
type Hider struct {
	finder *finder // nil: nothing is known from the beginning
	minted minted
}

// New returns a hider of these secrets.
func New(secrets []Secret) *Hider { return &Hider{finder: newFinder(secrets)} }

// Add makes one more text a secret, such as a token that was made on the way. It is one if it is at least eight bytes long.
func (h *Hider) Add(token string) {
	if h != nil {
		h.minted.add(token)
	}
}

// Hide replaces the secrets of a text.
func (h *Hider) Hide(text string) string {
	spans := h.spans(text)
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.start] + s.shown)
		at = s.end
	}
	return b.String() + text[at:]
}

// HidePieces is Hide for a text in pieces, over whose edges a secret may go. What it becomes stands where it begins.
func (h *Hider) HidePieces(pieces []string) []string {
	spans := h.spans(strings.Join(pieces, ""))
	if len(spans) == 0 {
		return pieces
	}
	hidden := make([]string, len(pieces))
	begin := 0
	for i, piece := range pieces {
		end := begin + len(piece)
		var b strings.Builder
		at := begin
		for _, s := range spans {
			if s.end <= at || s.start >= end {
				continue
			}
			b.WriteString(piece[at-begin : max(s.start, at)-begin])
			if s.start >= begin {
				b.WriteString(s.shown)
			}
			at = min(s.end, end)
		}
		b.WriteString(piece[at-begin:])
		hidden[i], begin = b.String(), end
	}
	return hidden
}

// span is a part of a text that is a secret.
type span struct {
	start, end int
	shown      string
}

// spans are the secret parts of a text, in order and apart from each other.
func (h *Hider) spans(text string) []span {
	if h == nil || len(text) < leastBytes {
		return nil
	}
	s := search{hider: h, tokens: h.minted.known()}
	if s.tokens == nil && h.finder == nil {
		return nil
	}
	s.view(text, nil, 0)
	return merged(s.found)
}

// merged joins what overlaps. What is longer, and else what was there first, says how the whole is shown.
func merged(found []span) []span {
	if len(found) < 2 {
		return found
	}
	slices.SortStableFunc(found, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	apart := found[:1]
	longest := found[0].end - found[0].start
	for _, s := range found[1:] {
		last := &apart[len(apart)-1]
		if s.start >= last.end {
			apart, longest = append(apart, s), s.end-s.start
			continue
		}
		if n := s.end - s.start; n > longest && s.start == last.start {
			last.shown, longest = s.shown, n
		}
		last.end = max(last.end, s.end)
	}
	return apart
}

// search is the search of one text, as it is and with its escapes undone.
type search struct {
	hider  *Hider
	tokens *tokens
	found  []span
}

// mostViews bounds how many escapes are undone one after the other, and mostDecoded how many before something else is decoded, which has at
// most one more.
const mostViews, mostDecoded = 3, 1

// view looks at a text. Its byte i stands at from[i] in the text that is searched; nil: it is that text.
func (s *search) view(text string, from []int32, depth int) {
	note := func(start, end int, shown string) {
		if from != nil {
			start, end = int(from[start]), int(from[end])
		}
		s.found = append(s.found, span{start, end, shown})
	}
	escapes := s.hider.finder.scan(text, note)
	s.tokens.scan(text, note)
	if escapes&cutMark != 0 {
		cuts(text, func(before, after int) {
			s.hider.finder.cut(text, before, after, note)
			s.tokens.cut(text, before, after, note)
		})
	}
	if depth <= mostDecoded {
		for _, d := range decodings {
			if d.sign&escapes != d.sign || len(text) < d.least {
				continue
			}
			if plain, at := d.undo(text, from); at != nil {
				s.view(plain, at, mostViews-1)
			}
		}
	}
	if depth == mostViews {
		return
	}
	for _, e := range escapings {
		if escapes&e.sign == 0 {
			continue
		}
		if plain, at := e.undo(text, from); at != nil {
			s.view(plain, at, depth+1)
		}
	}
}
