package check

import (
	"fmt"
	"hash/maphash"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// names remembers which message each of the newest event ids named to one subscriber.
type names struct {
	restarts int32 // faults on the target that had begun: one that was restarted may give its ids anew
	messages map[uint64]uint64
	ids      []uint64 // those of messages, a ring
	oldest   int
}

const (
	mostNamed = 64      // subscribers whose ids are remembered, spread evenly over all
	allIDs    = 1 << 16 // remembered of all of them together
	newestIDs = 4096    // and of each at most
)

// messageBits are those of a message's number in a name, below the index of its fold.
const messageBits = 40

func newNames(c *Config) []names {
	if !c.Target.Resume {
		return nil
	}
	return make([]names, min(len(c.Subscribers), mostNamed))
}

// namesOf is what is remembered of a subscriber; nil: nothing is.
func (j *Judge) namesOf(subscriber int32) *names {
	i := int(subscriber - j.cfg.First)
	stride := (len(j.subs) + mostNamed - 1) / mostNamed
	if i%stride != 0 {
		return nil
	}
	return &j.names[i/stride]
}

func (n *names) make(subscribers int) {
	most := min(allIDs/subscribers, newestIDs)
	n.messages, n.ids = make(map[uint64]uint64, most), make([]uint64, 0, most)
}

func (n *names) forget() {
	clear(n.messages)
	n.ids, n.oldest = n.ids[:0], 0
}

// note says which other message the id named before; 0: none that is remembered.
func (n *names) note(id, message uint64) (before uint64) {
	before, known := n.messages[id]
	switch {
	case known && before == message:
		return 0
	case known:
	case len(n.ids) < cap(n.ids):
		n.ids = append(n.ids, id)
	default:
		delete(n.messages, n.ids[n.oldest])
		n.ids[n.oldest] = id
		n.oldest = (n.oldest + 1) % len(n.ids)
	}
	n.messages[id] = message
	return before
}

// named judges the id of a message, of which nothing else may have it: of the newest message each subscriber knows, of others some do.
func (j *Judge) named(s *subscriber, at int32, id uint64, o *history.Observation) {
	message := uint64(at)<<messageBits | o.Number
	before := uint64(0)
	if n := j.namesOf(o.Subscriber); n != nil {
		if step := j.clock.onTarget.Load(); s.position == 0 || n.restarts != step {
			n.restarts = step
			n.forget()
		}
		if n.messages == nil {
			n.make(len(j.names))
		}
		before = n.note(id, message)
	} else if latest := uint64(s.lastFold)<<messageBits | s.latest; id == s.position && s.latest != 0 && latest != message {
		before = latest
	}
	if before == 0 {
		return
	}
	j.report(Conflict, o, func() Example {
		return Example{
			Text:     fmt.Sprintf("event id %q names %s and %s", o.Event, j.message(s, before), j.message(s, message)),
			Expected: "an id of its own for each message", Actual: "one id for two: nobody can resume behind the first of them",
		}
	})
}

// message words one that was remembered: by its number alone where there is nothing else to tell it by.
func (j *Judge) message(s *subscriber, packed uint64) string {
	text := fmt.Sprintf("message %d", packed&(1<<messageBits-1))
	if len(s.folds) == 1 {
		return text
	}
	l := &j.ledgers[s.folds[packed>>messageBits].ledger]
	if text += " of stream " + j.cfg.stream(l.stream); j.cfg.PublishersOf(int(l.stream)) > 1 {
		text += fmt.Sprintf(", publisher %d", l.publisher)
	}
	return text
}

// hash is never 0.
func (j *Judge) hash(id string) uint64 { return maphash.String(j.seed, id) | 1 }
