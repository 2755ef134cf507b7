package storm

import (
	"slices"
	"time"
)

// calendar holds the attempts to come, in days of some four milliseconds. An attempt takes eight bytes: what is needed beside them, its day, is
// where it is kept. Attempts of one day come in the order of their times, but one that is added to the day that is under way comes
// after all that were there when it began.
type calendar struct {
	days    [span]day
	blocks  []*[slab]block
	unused  int32 // the first of the blocks that are free, −1 for none
	made    int32
	today   int64
	held    int      // attempts in days
	now     []uint64 // today's that have been taken out, in order; read up to taken
	taken   int
	scratch []uint64
	far     []farAttempt // beyond the days there are
	nearest int64        // the first day of what is far
}

const (
	dayBits = 22 // a day is 2^22 ns
	span    = 1 << 14
	slab    = 1 << 10

	numberBits = 10
	maxNumber  = 1<<numberBits - 1 // a client's attempts are counted up to this; its delays have stopped to grow long before
)

// day says where its attempts are: all of its blocks but the first are full.
type day struct {
	first int32 // block, −1 for none
	used  int32 // of the first block
}

// block holds some attempts of one day.
type block struct {
	held [blockSize]uint64
	next int32
}

const blockSize = 63

type farAttempt struct {
	at     time.Duration
	client uint32
	number uint32
}

func newCalendar() *calendar {
	c := &calendar{unused: -1}
	for i := range c.days {
		c.days[i].first = -1
	}
	return c
}

// packed has the time of day first, so that packed attempts are in the order of their times.
func packed(at time.Duration, client, number uint32) uint64 {
	return uint64(at)&(1<<dayBits-1)<<(32+numberBits) | uint64(number)<<32 | uint64(client)
}

// add notes an attempt. Its time is none before today.
func (c *calendar) add(at time.Duration, a attempt) {
	number := uint32(min(a.number, maxNumber))
	day := int64(at) >> dayBits
	if day >= c.today+span {
		if len(c.far) == 0 || day < c.nearest {
			c.nearest = day
		}
		c.far = append(c.far, farAttempt{at, a.client, number})
		return
	}
	c.put(max(day, c.today), packed(at, a.client, number))
}

func (c *calendar) put(at int64, held uint64) {
	d := &c.days[at%span]
	if d.first < 0 || d.used == blockSize {
		d.first, d.used = c.newBlock(d.first), 0
	}
	c.block(d.first).held[d.used] = held
	d.used++
	c.held++
}

func (c *calendar) block(i int32) *block { return &c.blocks[i/slab][i%slab] }

func (c *calendar) newBlock(next int32) int32 {
	i := c.unused
	if i >= 0 {
		c.unused = c.block(i).next
	} else {
		if i = c.made; i%slab == 0 {
			c.blocks = append(c.blocks, new([slab]block))
		}
		c.made++
	}
	c.block(i).next = next
	return i
}

// next takes the earliest attempt out; false when there is none.
func (c *calendar) next() (time.Duration, attempt, bool) {
	for c.taken == len(c.now) {
		if !c.turn() {
			return 0, attempt{}, false
		}
	}
	held := c.now[c.taken]
	c.taken++
	at := time.Duration(c.today<<dayBits | int64(held>>(32+numberBits)))
	return at, attempt{client: uint32(held), number: int(held >> 32 & maxNumber)}, true
}

// turn takes out what is left of today, or of the next day that has something.
func (c *calendar) turn() bool {
	c.now, c.taken = c.now[:0], 0
	if c.held == 0 {
		if len(c.far) == 0 {
			return false
		}
		c.today = c.nearest
	}
	for {
		if len(c.far) > 0 && c.nearest < c.today+span/2 { // so that what is far is looked through twice a round, and not every day
			c.fetch()
		}
		if c.days[c.today%span].first >= 0 {
			c.takeOut()
			return true
		}
		c.today++
	}
}

// takeOut empties today.
func (c *calendar) takeOut() {
	d := &c.days[c.today%span]
	used := d.used
	for i := d.first; i >= 0; used = blockSize {
		b := c.block(i)
		c.now = append(c.now, b.held[:used]...)
		next := b.next
		b.next, c.unused = c.unused, i
		i = next
	}
	d.first = -1
	c.held -= len(c.now)
	c.sort()
}

// fetch moves into their days what was far and is not any more.
func (c *calendar) fetch() {
	kept := c.far[:0]
	c.nearest = 0
	for _, f := range c.far {
		day := int64(f.at) >> dayBits
		if day < c.today+span {
			c.put(max(day, c.today), packed(f.at, f.client, f.number))
			continue
		}
		if len(kept) == 0 || day < c.nearest {
			c.nearest = day
		}
		kept = append(kept, f)
	}
	c.far = kept
}

// sort puts today's attempts in order. A day can hold millions of them: then by the digits of their time, and those of one time
// stay as they were put.
func (c *calendar) sort() {
	if len(c.now) < 512 {
		slices.Sort(c.now)
		return
	}
	const digit = dayBits / 2
	if cap(c.scratch) < len(c.now) {
		c.scratch = make([]uint64, len(c.now), max(len(c.now), cap(c.now)))
	}
	from, to := c.now, c.scratch[:len(c.now)]
	for shift := 32 + numberBits; shift < 64; shift += digit {
		var ends [1 << digit]int
		for _, held := range from {
			ends[held>>shift&(1<<digit-1)]++
		}
		sum := 0
		for i, n := range &ends {
			ends[i] = sum
			sum += n
		}
		for _, held := range from {
			d := held >> shift & (1<<digit - 1)
			to[ends[d]] = held
			ends[d]++
		}
		from, to = to, from
	}
}
