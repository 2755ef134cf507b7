package secret

import (
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// minted are secrets that come up on the way, of which there may be very many.
type minted struct {
	once   sync.Once
	tokens atomic.Pointer[tokens]
}

func (m *minted) add(token string) {
	if len(token) < windowBytes {
		return
	}
	m.once.Do(func() {
		m.tokens.Store(&tokens{seed: maphash.MakeSeed(), ends: map[uint64][]int{}, begins: map[uint64]bool{}, all: map[uint64]struct{}{}})
	})
	m.tokens.Load().add(token)
}

// known is nil as long as there are none.
func (m *minted) known() *tokens { return m.tokens.Load() }

const (
	windowBytes = 8
	mostTokens  = 1 << 18 // that are remembered
	filterBits  = 1 << 20
	cutTokens   = 4 << 10 // bytes before and behind a cut in which the rest of a token is looked for
)

// tokens are remembered by their hashes. They are found by their last bytes.
type tokens struct {
	seed maphash.Seed

	mu     sync.RWMutex
	filter [filterBits / 64]uint64
	ends   map[uint64][]int // the last bytes of tokens → their lengths
	begins map[uint64]bool  // the first bytes of tokens
	all    map[uint64]struct{}
	n      int
}

func (t *tokens) add(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n++; t.n > mostTokens {
		return
	}
	for _, spelled := range spellings(token) {
		t.remember(spelled)
	}
}

func (t *tokens) remember(token string) {
	if len(token) < windowBytes {
		return
	}
	t.begins[first(spaced(token))] = true
	digits := hex.EncodeToString([]byte(token))
	for _, form := range append(base64Cores(token), token, digits, strings.ToUpper(digits)) {
		form = spaced(form)
		if len(form) < windowBytes {
			continue
		}
		end := last(form)
		t.all[maphash.String(t.seed, form)] = struct{}{}
		if !slices.Contains(t.ends[end], len(form)) {
			t.ends[end] = append(t.ends[end], len(form))
		}
		at := place64(end)
		t.filter[at/64] |= 1 << (at % 64)
	}
}

// spaced is a text without the plus that a space becomes in a form.
func spaced(text string) string { return strings.ReplaceAll(text, "+", " ") }

func first(text string) uint64 { return binary.LittleEndian.Uint64([]byte(text[:windowBytes])) }

func last(text string) uint64 {
	return binary.LittleEndian.Uint64([]byte(text[len(text)-windowBytes:]))
}

// place64 is the bit of some last bytes.
func place64(end uint64) uint64 { return end * 0x9e3779b97f4a7c15 >> 44 % filterBits }

// scan notes the tokens in a text.
func (t *tokens) scan(text string, note func(start, end int, shown string)) {
	if t == nil || len(text) < windowBytes {
		return
	}
	text = spaced(text)
	t.mu.RLock()
	defer t.mu.RUnlock()
	for end := windowBytes; end <= len(text); end++ {
		window := last(text[:end])
		if at := place64(window); t.filter[at/64]&(1<<(at%64)) == 0 {
			continue
		}
		for _, length := range t.ends[window] {
			if length > end {
				continue
			}
			if _, known := t.all[maphash.String(t.seed, text[end-length:end])]; known {
				note(end-length, end, Hidden)
			}
		}
	}
}

// cut notes what of a token ends before a cut, and what of one begins behind it.
func (t *tokens) cut(text string, before, after int, note func(start, end int, shown string)) {
	if t == nil {
		return
	}
	text = spaced(text)
	t.mu.RLock()
	defer t.mu.RUnlock()
	for i := max(0, before-cutTokens, lastBreak(text[:before])); i+windowBytes <= before; i++ {
		if t.begins[first(text[i:])] {
			note(i, before, Hidden)
			break
		}
	}
	for end := after + windowBytes; end <= min(len(text), after+cutTokens) && !strings.ContainsAny(text[end-1:end], breaks); end++ {
		if _, known := t.ends[last(text[:end])]; known {
			note(after, end, Hidden)
		}
	}
}

// breaks are bytes that no token holds.
const breaks = " \t\r\n\"'<>,;"

func lastBreak(text string) int { return strings.LastIndexAny(text, breaks) + 1 }
