package client

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// orderCases are about what becomes of many, large and cut-off events.
var orderCases = []Case{
	{Requirement: "SSE-PARSE-024", Needs: []subject.Capability{subject.MaxEventBytes}, Run: limitIsReported},
	{Requirement: "SSE-PARSE-027", Run: inOrder},
	{Requirement: "SSE-PARSE-029", Run: nothingCrosses},
	{Requirement: "SSE-PARSE-041", Needs: []subject.Capability{subject.Comments}, Run: commentsAreShown},
}

// SSE-PARSE-027: Events reach the application in the order of the stream.
func inOrder(t *Trial) {
	const n = 10_000
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "data: %d\n\n", i)
	}
	fmt.Fprintf(&text, "data: %s\n\n", fence(0))
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > 0 {
			return err
		}
		if err := c.Send(text.String()); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	t.Allow(sequenceTime)
	f := t.Follow(subject.Open{URL: s.URL("/")})
	t.begun(s)
	t.collect(f, func(all []subject.Report) bool {
		return len(all) > n && len(of(all, subject.EvEvent)) > n
	}, func() (int, time.Duration) { return 0, patience })
	t.Count(n)
	got := events(f.Reports())
	want := fmt.Sprintf("0 to %d, increasing, none missing, none twice", n-1)
	next := 0
	for i, e := range got {
		number, err := strconv.Atoi(e.data)
		if err != nil && e.data == fence(0) {
			number = n
		}
		if number != next {
			from := max(0, i-3)
			t.Fail(want, fmt.Sprintf("%s where %d should be", e.data, next), told(of(f.Reports(), subject.EvEvent)[from:min(len(got), i+4)]))
		}
		next++
	}
	if next <= n {
		t.late(patience, want, fmt.Sprintf("%d, and nothing for %v", next, patience))
	}
	t.Pass(want)
}

// SSE-PARSE-024: A client with a limit for lines or events reports when it is exceeded.
func limitIsReported(t *Trial) {
	const most = 256 << 20
	var sent atomic.Int64
	gone := make(chan struct{})
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if c.Number > 0 {
			c.AwaitGone()
			return nil
		}
		defer close(gone)
		if err := c.Send("data: "); err != nil {
			return err
		}
		piece := []byte(strings.Repeat("x", 64<<10))
		for sent.Load() < most {
			n, err := c.Write(piece)
			sent.Add(int64(n))
			if err != nil {
				return err
			}
		}
		return c.Send("\n\n")
	})
	t.Allow(sequenceTime)
	f := t.Follow(subject.Open{URL: s.URL("/")})
	t.begun(s)
	want := "an error, and the end of the connection, at the client's limit"
	if !t.until(gone, sequenceTime) {
		t.Unknown("the client took %d MiB in %v and did not end the connection", sent.Load()>>20, sequenceTime)
	}
	reports, ok := f.Await(patience, func(all []subject.Report) bool { return len(of(all, subject.EvError)) > 0 })
	taken := fmt.Sprintf("%d MiB of one line", sent.Load()>>20)
	switch {
	case len(of(reports, subject.EvEvent)) > 0:
		got := of(reports, subject.EvEvent)[0]
		if n := len(got.Bytes()); n < most {
			t.Fail(want, fmt.Sprintf("an event of %s, of %s", conformance.Plural(n, "byte"), taken))
		}
		t.Pass("no limit was reached: the client delivers 256 MiB")
	case sent.Load() >= most:
		t.Fail(want, "it took "+taken+" and reported neither event nor error in time")
	case !ok:
		t.Fail(want, "it ended the connection after "+taken+" without an error", told(reports))
	}
	t.Pass("an error after " + taken)
}

// SSE-PARSE-041: A client that shows comments shows their text without the colon.
func commentsAreShown(t *Trial) {
	t.meet()
	for _, v := range vectorsOf("SSE-PARSE-041") {
		all := cuts(t.Random(), []byte(v.In))
		s := t.Serve(func(c *sse.Conn) error {
			if _, err := c.Stream(); err != nil || c.Number > 0 {
				return err
			}
			for i, each := range all {
				if err := c.Segments(pause(each), append(each.segments, []byte("data: "+fence(i)+"\n\n"))...); err != nil {
					return err
				}
			}
			c.Hold(nil)
			return nil
		})
		f := t.Follow(subject.Open{URL: s.URL("/")})
		t.begun(s)
		reports, ok := f.Await(patience, func(r []subject.Report) bool { return reported(r, len(all)-1) })
		if !ok {
			t.Unknown("the events behind the comments were not reported")
		}
		t.Count(len(all))
		var got []string
		for _, r := range of(reports, subject.EvComment) {
			got = append(got, r.Text)
		}
		if len(got) != len(all)*len(v.Comments) {
			t.Fail(conformance.Plural(len(all)*len(v.Comments), "comment"), fmt.Sprintf("%d", len(got)))
		}
		for i, text := range got {
			if want := v.Comments[i%len(v.Comments)]; strings.TrimPrefix(text, " ") != want {
				t.Fail(want, text, []string{"sent: " + all[i/len(v.Comments)].marked()})
			}
		}
	}
	t.Pass("the text of each")
}
