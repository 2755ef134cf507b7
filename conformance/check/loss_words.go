package check

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// sure is how unlikely, as a power of ten, a pattern must be by chance before it is told.
const sure = 3

// pattern says in one sentence what the lost deliveries have in common; "" where it is nothing, or may be chance.
func (t *Tally) pattern(c *Config) string {
	p := &t.Pattern
	if t.missing() == 0 || p.Unnamed {
		return ""
	}
	m := p.messages()
	who, _ := p.who(t, m)
	what := p.what(c, t, m)
	all := everyOne(t.missing(), "lost delivery")
	if m.lost > 0 {
		all = everyOne(m.lost, "lost message")
	}
	switch {
	case who != "" && what != "":
		return who + "; " + what
	case what != "":
		return all + ": " + what
	}
	return who
}

// lostMessages is what the steps tell.
type lostMessages struct {
	lost     uint64 // different messages that somebody missed
	episodes uint64 // how often something was lost, as far as it can be told: a burst is one
	single   bool   // no two of them in a row
	every    uint64 // distance from each to the next of its publisher; 0: it varies
	pairs    uint64 // how many such distances there are

	// Of those that were owed to as many subscribers as any of their stream:
	full   uint64 // how many there are
	to     int64  // how many subscribers each was owed to; 0: it varies
	missed int64  // how many missed each; 0: it varies
	halves bool   // half of the subscribers missed each
	all    bool   // everybody missed each
	groups int    // different sets of subscribers that missed one, at most of one stream
	sets   uint64 // such sets, over all streams
	small  int64  // the size of the smallest of them
	large  int64  // and of the largest
}

func (p *LossPattern) messages() lostMessages {
	m := lostMessages{single: true}
	afflicted := uint64(0)
	for _, s := range p.Subscribers {
		afflicted += s.Subscribers
	}
	regular := true
	for i := range p.Missed {
		newest := uint64(0)
		for lo, hi := range p.Missed[i].where() {
			m.lost += hi - lo
			m.single = m.single && hi == lo+1 && lo != newest+1
			if lo != newest+1 || newest == 0 {
				m.episodes++
			}
			if newest != 0 {
				m.pairs++
				regular = regular && (m.every == 0 || m.every == lo-newest)
				m.every = lo - newest
			}
			newest = hi - 1
		}
	}
	if !regular || !m.single {
		m.every = 0
	}
	if afflicted > 0 {
		m.episodes = max(m.episodes, p.Holes/afflicted)
	}
	p.divide(&m)
	return m
}

// divide looks at who missed which message.
func (p *LossPattern) divide(m *lostMessages) {
	owed, most := map[[2]int32]*MessageSteps{}, map[int32]int64{}
	for i := range p.Owed {
		l := &p.Owed[i]
		owed[[2]int32{l.Stream, l.Publisher}] = l
		for lo := range l.where() {
			n, _ := l.count(lo)
			most[l.Stream] = max(most[l.Stream], n)
		}
	}
	m.halves, m.all = true, true
	sets := map[int32]map[uint64]bool{}
	for i := range p.Missed {
		l := &p.Missed[i]
		of := owed[[2]int32{l.Stream, l.Publisher}]
		if of == nil {
			continue
		}
		for lo, hi := range l.where() {
			missed, who := l.count(lo)
			to, _ := of.count(lo)
			if until, _ := of.count(hi - 1); to != most[l.Stream] || until != to {
				continue
			}
			if m.full == 0 {
				m.to, m.missed, m.small = to, missed, missed
			}
			if m.to != to {
				m.to = 0
			}
			if m.missed != missed {
				m.missed = 0
			}
			m.full += hi - lo
			m.small, m.large = min(m.small, missed), max(m.large, missed)
			m.halves, m.all = m.halves && 2*missed == to, m.all && missed == to
			if sets[l.Stream] == nil {
				sets[l.Stream] = map[uint64]bool{}
			}
			if !sets[l.Stream][who] {
				sets[l.Stream][who] = true
				m.sets++
			}
			m.groups = max(m.groups, len(sets[l.Stream]))
		}
	}
}

// mostGroups is how many groups of subscribers are worth telling apart.
const mostGroups = 8

// who says which subscribers missed the lost messages, and where to look then.
func (p *LossPattern) who(t *Tally, m lostMessages) (text, next string) {
	if m.full == 0 || 2*m.full < m.lost || m.to == 1 {
		return "", ""
	}
	messages := "each of the " + conformance.Plural(m.full, "lost message")
	switch m.full {
	case 1:
		messages = "the lost message"
	case 2:
		messages = "each of the two lost messages"
	}
	if m.full < m.lost {
		messages = "each of the " + conformance.Plural(m.full, "lost message") + " that were owed to every subscriber"
	}
	of := "the subscribers of its stream"
	if m.to > 0 {
		of = conformance.Plural(m.to, "subscriber")
	}
	odds := m.odds()
	divided := "Look for what divides the subscribers, such as the replica, process or worker that serves them: who got a lost message and who missed it is no chance."
	switch {
	case m.all && (m.to > 2 || m.full > 2):
		return messages + " was missed by all " + strings.TrimPrefix(of, "the "), "Look at what happens to a message between the answer to its publish and the first subscriber: nobody got what was lost."
	case m.to == 0:
		if m.halves && m.full >= 10 {
			return messages + " reached exactly half of " + of, divided
		}
	case m.groups == 1 && m.full >= 2*m.sets && odds >= sure:
		return messages + fmt.Sprintf(" was missed by the same %d of %s", m.small, of), divided
	case m.halves && (m.groups == 2 && m.full >= 3*m.sets && odds >= sure || float64(m.full)*p.surprise(t, m) >= sure):
		return messages + " reached exactly half of its " + of, divided
	case m.groups <= mostGroups && m.full >= 3*m.sets && odds >= sure: // a set that was seen once is the same as no other
		return messages + fmt.Sprintf(" was missed by one of %s of its %s, always the same: %s each", conformance.Plural(m.groups, "group"), of, between(m.small, m.large)), divided
	case m.missed > 0 && float64(m.full)*p.surprise(t, m) >= sure:
		return messages + fmt.Sprintf(" reached exactly %d of its %s", m.to-m.missed, of), divided
	}
	return "", ""
}

// odds is how unlikely it is, as a power of ten, that so many messages were missed by so few different sets of subscribers, if each of the
// sets of that size was as likely as the others.
func (m lostMessages) odds() float64 {
	sets := choices(m.to, m.small)
	groups := math.Log10(float64(m.groups))
	if m.to == 0 || sets <= groups {
		return 0
	}
	ways := float64(m.groups) * (sets - groups + 1/math.Ln10) // at most, of choosing the groups
	return float64(m.full)*(sets-groups) - ways
}

func between(least, most int64) string {
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// choices is the logarithm of how many sets of k subscribers there are among n.
func choices(n, k int64) float64 {
	lgamma := func(x int64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return (lgamma(n) - lgamma(k) - lgamma(n-k)) / math.Ln10
}

// surprise is how unlikely it is, as a power of ten, that a lost message is missed by exactly so many, if each subscriber missed what it
// missed by itself.
func (p *LossPattern) surprise(t *Tally, m lostMessages) float64 {
	rate := float64(t.missing()) / float64(max(t.Expected, 1))
	if rate <= 0 || rate >= 1 {
		return 0
	}
	n, k := float64(m.to), float64(m.missed)
	some := 1 - math.Pow(1-rate, n)
	exactly := choices(m.to, m.missed) + k*math.Log10(rate) + (n-k)*math.Log10(1-rate)
	return math.Log10(some) - exactly
}

// what says which messages were lost: where, when, or of what kind.
func (p *LossPattern) what(c *Config, t *Tally, m lostMessages) string {
	var found []string
	for _, look := range []func(*Config, *Tally, lostMessages) string{p.seam, p.size, p.everyNth, p.stream, p.later, p.after} {
		if text := look(c, t, m); text != "" && len(found) < 2 {
			found = append(found, text)
		}
	}
	return strings.Join(found, ", ")
}

func (p *LossPattern) seam(_ *Config, t *Tally, m lostMessages) string {
	if t.LostBy.Seam != t.missing() || m.lost < 3 {
		return ""
	}
	return "each lies between the position that was asked for on coming back and the first message after it"
}

// size holds where each subscriber missed some of the largest messages and received none so large: among so many messages, chance would
// not have picked just these.
func (p *LossPattern) size(_ *Config, _ *Tally, _ lostMessages) string {
	if p.Odds < sure || p.Smallest <= 0 || p.Largest <= 0 || p.Smallest <= p.Largest {
		return ""
	}
	return fmt.Sprintf("only messages of %s and more (the largest that arrived has %d)", conformance.Plural(p.Smallest, "byte"), p.Largest)
}

func (p *LossPattern) everyNth(_ *Config, _ *Tally, m lostMessages) string {
	if m.every > 2 && float64(m.pairs)*math.Log10(float64(m.every)) >= sure {
		return "every " + ordinal(m.every) + " message"
	}
	if p.Gaps.Min == p.Gaps.Max && p.Gaps.Min > 2 && float64(p.Gaps.N)*math.Log10(float64(p.Gaps.Min)) >= sure {
		return "every " + ordinal(p.Gaps.Min) + " message of each subscriber that missed any"
	}
	return ""
}

func (p *LossPattern) stream(c *Config, _ *Tally, m lostMessages) string {
	if len(p.Subscribers) != 1 || len(c.Streams) < 2 {
		return ""
	}
	here, everywhere := 0.0, 0.0
	streams := map[int32]bool{}
	for i := range p.Owed {
		n := p.Owed[i].total()
		everywhere += n
		if streams[p.Owed[i].Stream] = true; p.Owed[i].Stream == p.Subscribers[0].Stream {
			here += n
		}
	}
	if len(streams) < 2 || here <= 0 || float64(m.episodes)*math.Log10(everywhere/here) < sure+math.Log10(float64(len(streams))) {
		return ""
	}
	return fmt.Sprintf("only on stream %s, one of %d", c.stream(p.Subscribers[0].Stream), len(streams))
}

// total is how many deliveries the steps count.
func (l *MessageSteps) total() (n float64) {
	count := int64(0)
	for i, at := range l.At[:max(len(l.At)-1, 0)] {
		count += l.By[i]
		n += float64(count) * float64(l.At[i+1]-at)
	}
	return n
}

func (p *LossPattern) later(_ *Config, t *Tally, m lostMessages) string {
	all := float64(t.Expected)
	later := all - float64(min(p.FirstOwed, t.Expected))
	if p.FirstLost > 0 || later <= 0 || float64(m.episodes)*math.Log10(all/later) < sure {
		return ""
	}
	return "only on connections after a subscriber's first"
}

// after holds where all were due within a while after a step of the timeline, and these whiles are a small part of the run.
func (p *LossPattern) after(c *Config, t *Tally, m lostMessages) string {
	run := t.End
	if t.SettleAt > 0 {
		run = t.SettleAt
	}
	if p.After.Outside || p.After.N == 0 || run <= 0 {
		return ""
	}
	covered := time.Duration(0)
	for _, s := range c.Steps {
		covered += min(run, s.At+p.After.Until) - min(run, max(0, s.At+min(0, p.After.From)))
	}
	covered = max(covered, time.Millisecond)
	if 5*covered > run || float64(m.lost)*math.Log10(float64(run)/float64(covered)) < sure {
		return ""
	}
	when := fmt.Sprintf("due within %s after", round(max(p.After.Until, time.Millisecond)))
	if p.After.From < 0 {
		when = fmt.Sprintf("due from %s before to %s after", round(-p.After.From), round(max(p.After.Until, time.Millisecond)))
	}
	if p.After.Earliest == p.After.Latest {
		for _, s := range c.Steps {
			if s.At == p.After.Earliest {
				return fmt.Sprintf("%s the %s at %s", when, s.Name, brief(s.At))
			}
		}
	}
	return when + " a step of the timeline"
}

func round(d time.Duration) string {
	if d > time.Second {
		return brief(d.Round(100 * time.Millisecond))
	}
	return brief(d.Round(time.Millisecond))
}

func ordinal(n uint64) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

// everyOne names all of them.
func everyOne(n uint64, unit string) string {
	switch n {
	case 1:
		return "the " + unit
	case 2:
		return "both " + conformance.Plural(n, unit)[2:]
	}
	return "all " + conformance.Plural(n, unit)
}
