package client

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/vectors"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// delivery is a way to bring the same streams to the client.
type delivery struct {
	how    string
	fields []string // of the response's head
	tls    bool
	// segments cuts one piece of body; rest says that only this piece is to be sent in pieces.
	segments func(random *rand.Rand, body []byte) [][]byte
}

const chunkedCoding = "Transfer-Encoding: chunked"

// deliveries are the first, which is the standard of comparison, and those that must not make a difference.
var deliveries = []delivery{
	{how: "as they are", segments: func(_ *rand.Rand, body []byte) [][]byte { return [][]byte{body} }},
	{how: "in chunks of one byte", fields: []string{chunkedCoding}, segments: func(_ *rand.Rand, body []byte) [][]byte {
		return [][]byte{chunks(sse.EachByte(body))}
	}},
	{how: "in random chunks and in random segments", fields: []string{chunkedCoding}, segments: func(random *rand.Rand, body []byte) [][]byte {
		return sse.RandomSplit(random, chunks(sse.RandomSplit(random, body, 4)), 5)
	}},
	{how: "in one chunk and in segments of one byte", fields: []string{chunkedCoding}, segments: func(_ *rand.Rand, body []byte) [][]byte {
		if len(body) > everySplitUpTo {
			return [][]byte{chunks([][]byte{body})}
		}
		return sse.EachByte(chunks([][]byte{body}))
	}},
	{how: "in TLS records of one byte", tls: true, segments: func(_ *rand.Rand, body []byte) [][]byte {
		if len(body) > everySplitUpTo {
			return sse.Split(body, len(body)/2)
		}
		return sse.EachByte(body)
	}},
}

// chunks is the chunked coding of the pieces without the last chunk.
func chunks(pieces [][]byte) []byte {
	var all []byte
	for _, p := range pieces {
		if len(p) > 0 {
			all = sse.AppendChunk(all, p)
		}
	}
	return all
}

// SSE-PARSE-025: What is parsed does not depend on how the bytes are cut into chunks, segments and TLS records. A vector that the client
// understands otherwise than it should is compared with how it understands it as a whole.
func anyChunks(t *Trial) {
	t.Allow(2 * sequenceTime)
	const longest = 4 << 10
	var streams []*vectors.Vector
	for i := range vectors.All {
		if v := &vectors.All[i]; repeatable(v) && len(v.In) <= longest && v.Retry == 0 {
			streams = append(streams, v)
		}
	}
	slices.SortFunc(streams, plainer)
	var standard []experiment
	for _, d := range deliveries {
		if d.tls && !t.Can(subject.TLSCA) {
			continue
		}
		done := t.deliver(d, streams)
		if d.how == deliveries[0].how {
			if whole := countOf(done, experiment.whole); whole < len(streams)/2 {
				t.Unknown("%d of %s got no answer although they came %s, so there is nothing to compare with", len(streams)-whole, conformance.Plural(len(streams), "stream"), d.how)
			}
			standard = done
			continue
		}
		t.Count(len(done))
		t.compare(d, standard, done)
	}
	t.Conclude(fmt.Sprintf("%d streams are understood the same however they come", len(streams)))
}

// whole says that the events of a stream and the one behind were reported.
func (x experiment) whole() bool { return !x.bare && !x.ended }

func countOf(all []experiment, holds func(experiment) bool) (n int) {
	for _, x := range all {
		if holds(x) {
			n++
		}
	}
	return n
}

// compare notes the plainest of the streams that were understood otherwise than when they came whole.
func (t *Trial) compare(d delivery, standard, done []experiment) {
	wrong, lost := 0, 0
	first := -1
	for i, x := range done {
		same := slices.EqualFunc(x.got, standard[i].got, func(a, b seen) bool { return a.kind == b.kind && a.data == b.data })
		if !standard[i].whole() || same && x.whole() {
			continue
		}
		if !x.whole() {
			lost++
		}
		if wrong++; first < 0 {
			first = i
		}
	}
	if first < 0 {
		return
	}
	x := done[first]
	if lost == wrong {
		t.sure(patience, "some streams were not reported")
	}
	got := few(x.got, false)
	if !x.whole() {
		got += "; the event behind was lost"
	}
	t.Deviation("as when they come whole: "+few(standard[first].got, false),
		fmt.Sprintf("%s, %s: %s (%d of %s)", x.v.Name, d.how, got, wrong, conformance.Plural(len(done), "stream")), []string{"sent: " + sse.Escape([]byte(x.v.In))})
}

// deliver brings all streams on one connection, with a fence behind each. Of one without its fence it is told what came until the next.
func (t *Trial) deliver(d delivery, streams []*vectors.Vector) []experiment {
	var options sse.ServerOptions
	o := subject.Open{}
	if d.tls {
		certificate, _, err := sse.SelfSigned(time.Now().AddDate(0, 0, 1), "127.0.0.1")
		if err != nil {
			t.Unknown("%v", err)
		}
		options.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		o.TLSCA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
	}
	random := t.Random()
	var sent atomic.Int64
	s := t.ServeWith(options, func(c *sse.Conn) error {
		if _, err := c.Stream(d.fields...); err != nil || c.Number > 0 {
			return err
		}
		for i, v := range streams {
			behind := []byte("data: " + fence(i) + "\n\n")
			if d.fields != nil {
				behind = chunks([][]byte{behind})
			}
			segments := append(d.segments(random, []byte(v.In)), behind)
			apart := between
			if len(segments) > 10 {
				apart = 0 // that each byte comes alone is seen to elsewhere
			}
			if err := c.Segments(apart, segments...); err != nil {
				return err
			}
			sent.Add(1)
		}
		c.Hold(nil)
		return nil
	})
	o.URL = s.URL("/")
	o.Listen = []string{"message"}
	for _, v := range streams {
		o.Listen = append(o.Listen, types(v)...)
	}
	slices.Sort(o.Listen)
	o.Listen = slices.Compact(o.Listen)
	f := t.Follow(o)
	t.begun(s)
	t.collect(f, func(all []subject.Report) bool { return reported(all, len(streams)-1) }, func() (int, time.Duration) {
		if len(s.Requests()) > 1 {
			return len(streams), 0
		}
		return int(sent.Load()), patience
	})
	got := events(f.Reports())
	f.closed()
	done := make([]experiment, len(streams))
	for i, p := range fenced(got, len(streams)) {
		done[i] = experiment{v: streams[i], cut: cut{how: d.how, segments: [][]byte{[]byte(streams[i].In)}}, got: p.got, bare: !p.fenced}
	}
	return done
}
