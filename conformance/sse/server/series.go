package server

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// series is messages that tell by themselves which they are, whatever envelope they travel in: each carries its lane (one for each
// publisher) and its number in it, from 1.
type series struct{ name string }

func (t *Trial) series() series { return series{t.Unique()} }

func (s series) text(lane, number int) string { return fmt.Sprintf("%s.%d.%d.", s.name, lane, number) }

// find says which message of the series the data hold.
func (s series) find(data string) (lane, number int, ok bool) {
	_, rest, found := strings.Cut(data, s.name+".")
	if !found {
		return 0, 0, false
	}
	first, rest, _ := strings.Cut(rest, ".")
	second, _, closed := strings.Cut(rest, ".")
	lane, errLane := strconv.Atoi(first)
	number, errNumber := strconv.Atoi(second)
	return lane, number, closed && errLane == nil && errNumber == nil && lane >= 0 && number > 0
}

// numbers are those of one lane in the order of the events.
func (s series) numbers(lane int, events []Event) []int {
	var numbers []int
	for _, e := range events {
		if l, n, ok := s.find(e.Data); ok && l == lane {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// publishedAtOnce is how many messages of one lane are under way at once.
const publishedAtOnce = 8

// publishAll publishes the messages of one lane from first to last, some at a time and in no order; all must be acknowledged.
func (t *Trial) publishAll(stream string, s series, lane, first, last int) {
	t.Doing("%d messages are published", last-first+1)
	const atOnce = publishedAtOnce
	var publishing sync.WaitGroup
	failed := make([]Receipt, atOnce)
	for i := range atOnce {
		t.Beside(&publishing, func() {
			for n := first + i; n <= last && failed[i].Began.IsZero(); n += atOnce {
				if r := t.Publish(Message{Stream: stream, Data: s.text(lane, n), Number: uint64(n)}); r.Acceptance != Acknowledged { //nolint:gosec // from 1 on
					failed[i] = r
				}
			}
		})
	}
	publishing.Wait()
	for _, r := range failed {
		if !r.Began.IsZero() {
			t.interrupted()
			t.Unknown("a publish was not acknowledged: %s", r.String())
		}
	}
}

// spans words numbers, runs of them as first–last.
func spans(numbers []int) string {
	if len(numbers) == 0 {
		return "nothing"
	}
	var words []string
	for i := 0; i < len(numbers); {
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		word := strconv.Itoa(numbers[i])
		if end > i {
			word += "–" + strconv.Itoa(numbers[end])
		}
		if words = append(words, word); len(words) == mostSpans {
			return strings.Join(words, ", ") + ", …"
		}
		i = end + 1
	}
	return strings.Join(words, ", ")
}

const mostSpans = 12

// common are the numbers that are among the others too, each once.
func common(numbers, others []int) []int {
	among, both := map[int]bool{}, []int(nil)
	for _, n := range others {
		among[n] = true
	}
	for _, n := range numbers {
		if among[n] {
			both = append(both, n)
			among[n] = false
		}
	}
	return both
}

// firstDifference is the first index at which two lists differ; the length of both when they do not.
func firstDifference(a, b []int) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
