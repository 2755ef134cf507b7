package server

import "strings"

// variety is what a course publishes between its messages: data of many kinds. Each carries a mark of its own, but for empty ones, or is known
// by its id.
type variety struct {
	course   *course
	tried    int
	empty    int             // messages that were acknowledged
	payloads map[mark]string // of those that were acknowledged
	live     []Event         // as the observer saw them, each once
	marks    map[mark]int    // where those stand among live
	ids      map[string]int
}

// mark tells a message of a course: lane 0 are its own, varied are those between them.
type mark struct{ lane, number int }

const varied = 1

// kind is data with a mark where {U} stands, filled up to a size.
type kind struct {
	form, fill string
	size       int
	eventType  string
}

func (k kind) data(mark string) string {
	data := strings.ReplaceAll(k.form, "{U}", mark)
	if room := k.size - len(data); room > 0 {
		data += strings.Repeat(k.fill, room/len(k.fill))
	}
	return data
}

// shortKinds are data and types that a second writing would change: what breaks lines, what stands at the ends, quotes, and what is not ASCII.
func shortKinds(t *Trial) (kinds []kind) {
	forms := []string{
		"{U}", "{U} plain", "{U}\nsecond  line\n\n fourth", `{"a": ["{U}", "\u00e9\n"], "n": 1.0}`, "{U} größer 日本 😀 e\u0301", `{U} "quoted" \ & <b>%20+</b>`,
		" {U}", "\t{U}", "{U} ", "{U}\t", "\n{U}", "{U}\n", "{U}\n\n", "{U}\n  ", "{U}\u0085a\u2028b\vc\fd\u00a0", "", "{U}: a\nid: b\nevent: c",
	}
	const each = 2
	for round := range each {
		for i, form := range forms {
			k := kind{form: form}
			if t.Subject.Types && (i+round)%3 > 0 {
				k.eventType = []string{"created", "Order.changed"}[i%2]
			}
			kinds = append(kinds, k)
		}
	}
	most := t.affordable(len(kinds))
	if h := t.Subject.History; h > 0 {
		most = min(most, max(0, h-shortRest))
	}
	return kinds[:min(most, len(kinds))]
}

// shortRest is how many messages the history must hold beside the short ones.
const shortRest = 8

// longKinds are data beyond the sizes at which a column of a table ends, of characters of one to four bytes.
func longKinds(t *Trial) (kinds []kind) {
	most := int(t.Number("bytes"))
	for _, size := range []int{most/64 + 1, most/16 + 1, most/4 + 1, most} {
		for _, fill := range []string{"x", "€", "😀"} {
			kinds = append(kinds, kind{form: "{U}", fill: fill, size: size})
		}
	}
	return kinds[:t.affordable(len(kinds))]
}

// publish publishes one message of each kind; any may be refused.
func (v *variety) publish(kinds []kind) {
	c := v.course
	for _, k := range kinds {
		v.tried++
		m := Message{Stream: c.stream, Type: k.eventType, Data: k.data(c.series.text(varied, v.tried))}
		if c.t.Publish(m).Acceptance == Acknowledged {
			v.payloads[mark{varied, v.tried}] = m.Data
			if m.Data == "" {
				v.empty++
			}
		}
		c.t.interrupted()
	}
}

// learn notes what the observer has seen.
func (v *variety) learn() {
	v.marks, v.ids = map[mark]int{}, map[string]int{}
	for _, e := range v.course.observer.seen {
		m, marked := v.markOf(e)
		if at, _ := v.place(e); at >= 0 || !marked && !carries(e.Data, "") {
			continue
		}
		if marked {
			v.marks[m] = len(v.live)
		}
		if e.ID != "" {
			v.ids[e.ID] = len(v.live)
		}
		v.live = append(v.live, e)
	}
}

func (v *variety) markOf(e Event) (mark, bool) {
	lane, number, ok := v.course.series.find(e.Data)
	return mark{lane, number}, ok
}

// place is where among live an event stands, by its mark or else its id; -1 for nowhere.
func (v *variety) place(e Event) (at int, byMark bool) {
	if m, ok := v.markOf(e); ok {
		if at, known := v.marks[m]; known {
			return at, true
		}
	} else if at, known := v.ids[e.ID]; known && e.ID != "" {
		return at, false
	}
	return -1, false
}

// payloadOf is what was published of a live event.
func (v *variety) payloadOf(live Event) string {
	m, _ := v.markOf(live)
	if m.lane == varied {
		return v.payloads[m]
	}
	if m.number > 0 {
		return v.course.text(m.number)
	}
	return ""
}

// owed are the places of live events whose publish was acknowledged.
func (v *variety) owed() (places []int) {
	bare := 0 // live events without a mark
	for _, e := range v.live {
		if _, ok := v.markOf(e); !ok {
			bare++
		}
	}
	for at, e := range v.live {
		m, ok := v.markOf(e)
		if _, known := v.payloads[m]; ok && (known || m.lane != varied) || !ok && e.ID != "" && bare == v.empty {
			places = append(places, at)
		}
	}
	return places
}
