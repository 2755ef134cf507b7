package secret

import (
	"slices"
	"strings"
)

// leastBytes is how long a text must be for a secret, or what a cut left of one, to be in it.
const leastBytes = 4

// finder finds known texts in one pass (Aho and Corasick): its states are the beginnings of what is looked for.
type finder struct {
	forms   []form
	classes [256]uint8 // of bytes; 0: in no form. A space is a plus, as in a form that was sent
	width   int        // how many there are
	next    []uint32   // state·width + class → state
	depths  []int32    // state → how many bytes have been matched
	lengths []int32    // state → how long the shortest form is that they begin
	ends    []int32    // state → the form that ends there, −1
	shorter []uint32   // state → the next state of a shorter form that ends there too; 0: none
	longest int
	rests   map[string][]rest // the first bytes of what a cut may have left of a form's end
}

// rest is a form from an offset on.
type rest struct{ form, from int }

func newFinder(secrets []Secret) *finder {
	f := &finder{rests: map[string][]rest{}}
	for _, s := range secrets {
		for _, s.Text = range spellings(s.Text) {
			for _, form := range formsOf(s) {
				if len(form.text) >= leastBytes {
					f.forms = append(f.forms, form)
				}
			}
		}
	}
	if len(f.forms) == 0 {
		return nil
	}
	slices.SortStableFunc(f.forms, func(a, b form) int { return strings.Compare(a.text, b.text) })
	f.forms = slices.CompactFunc(f.forms, func(a, b form) bool { return a.text == b.text })
	f.classify()
	f.build()
	for i, form := range f.forms {
		f.longest = max(f.longest, len(form.text))
		for from := 1; form.head+form.tail == 0 && from+leastBytes <= len(form.text); from++ {
			begin := form.text[from : from+leastBytes]
			f.rests[begin] = append(f.rests[begin], rest{i, from})
		}
	}
	return f
}

func (f *finder) classify() {
	f.width = 1
	for _, form := range f.forms {
		for _, c := range []byte(form.text) {
			if c == '+' {
				c = ' '
			}
			if f.classes[c] == 0 {
				f.classes[c] = uint8(f.width)
				f.width++
			}
		}
	}
	f.classes['+'] = f.classes[' ']
}

// build makes the automaton: first the tree of all forms, then for what is missing in it where the longest other beginning goes on.
func (f *finder) build() {
	f.grow(0)
	for i, form := range f.forms {
		state := uint32(0)
		for depth, c := range []byte(form.text) {
			at := int(state)*f.width + int(f.classes[c])
			if f.next[at] == 0 {
				f.next[at] = f.grow(int32(depth) + 1)
			}
			state = f.next[at]
			if f.lengths[state] == 0 || int(f.lengths[state]) > len(form.text) {
				f.lengths[state] = int32(len(form.text))
			}
		}
		f.ends[state] = int32(i)
	}
	fallback := make([]uint32, len(f.depths))
	var queue []uint32
	for class := 1; class < f.width; class++ {
		if to := f.next[class]; to != 0 {
			queue = append(queue, to)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		back := fallback[state]
		f.shorter[state] = back
		if f.ends[back] < 0 {
			f.shorter[state] = f.shorter[back]
		}
		for class := 1; class < f.width; class++ {
			at, otherwise := int(state)*f.width+class, f.next[int(back)*f.width+class]
			if f.next[at] == 0 {
				f.next[at] = otherwise
				continue
			}
			fallback[f.next[at]] = otherwise
			queue = append(queue, f.next[at])
		}
	}
}

func (f *finder) grow(depth int32) uint32 {
	f.next = append(f.next, make([]uint32, f.width)...)
	f.depths, f.lengths = append(f.depths, depth), append(f.lengths, 0)
	f.ends, f.shorter = append(f.ends, -1), append(f.shorter, 0)
	return uint32(len(f.depths) - 1)
}

// scan notes the forms in a text, and returns the signs of its bytes.
func (f *finder) scan(text string, note func(start, end int, shown string)) (seen sign) {
	if f == nil {
		for i := range len(text) {
			seen |= signs[text[i]]
		}
		return seen
	}
	state := uint32(0)
	for i := range len(text) {
		c := text[i]
		seen |= signs[c]
		state = f.next[int(state)*f.width+int(f.classes[c])]
		if state == 0 || f.ends[state] < 0 && f.shorter[state] == 0 {
			continue
		}
		for s := state; s != 0; s = f.shorter[s] {
			if f.ends[s] < 0 {
				continue
			}
			form := &f.forms[f.ends[s]]
			if start, end, ok := form.extent(text, i+1-len(form.text), i+1); ok {
				note(start, end, form.shown)
				break
			}
		}
	}
	whole := f.ends[state] >= 0 || f.shorter[state] != 0
	if depth := int(f.depths[state]); !whole && depth >= mostLeft && depth*2 >= int(f.lengths[state]) {
		note(len(text)-depth, len(text), Hidden) // somebody else has cut it
	}
	return seen
}

// mostLeft is how much of a secret may be left at the end of a text that nobody marks as cut.
const mostLeft = 8

// cut notes what of a form ends before a cut, and what of one begins behind it.
func (f *finder) cut(text string, before, after int, note func(start, end int, shown string)) {
	if f == nil {
		return
	}
	for _, end := range []int{before, beforeEscape(text[:before])} {
		state := uint32(0)
		for i := max(0, end-f.longest); i < end; i++ {
			state = f.next[int(state)*f.width+int(f.classes[text[i]])]
		}
		if depth := int(f.depths[state]); depth >= leastBytes {
			note(end-depth, before, Hidden)
		}
	}
	if len(text) < after+leastBytes {
		return
	}
	longest := 0
	for _, r := range f.rests[text[after:after+leastBytes]] {
		if left := f.forms[r.form].text[r.from:]; strings.HasPrefix(text[after:], left) {
			longest = max(longest, len(left))
		}
	}
	if longest > 0 {
		note(after, after+longest, Hidden)
	}
}

// cuts calls f for each mark of a cut in a text with where what precedes it ends, and where what follows begins.
func cuts(text string, f func(before, after int)) {
	const mark, around = "…", " \"'\\"
	for at := 0; ; {
		i := strings.Index(text[at:], mark)
		if i < 0 {
			return
		}
		i += at
		at = i + len(mark)
		f(len(strings.TrimRight(text[:i], around)), len(text)-len(strings.TrimLeft(text[at:], around)))
	}
}

// beforeEscape is where an escape begins whose end is cut off the text, else the text's end.
func beforeEscape(text string) int {
	at := max(0, len(text)-longestEntity)
	if i := strings.LastIndexAny(text[at:], `\%&=`); i >= 0 {
		return at + i
	}
	return len(text)
}
