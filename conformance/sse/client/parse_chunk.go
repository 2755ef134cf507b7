package client

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

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
	var standard []experiment
	for _, d := range deliveries {
		if d.tls && !t.Can(subject.TLSCA) {
			continue
		}
		done, missing := t.deliver(d, streams)
		if d.how == deliveries[0].how {
			if missing > 0 {
				t.Unknown("%d of %d streams got no answer although they came %s, so there is nothing to compare with", missing, len(streams), d.how)
			}
			standard = done
			continue
		}
		t.Count(len(done))
		t.compare(d, standard, done, missing)
	}
	t.Conclude(fmt.Sprintf("%d streams are understood the same however they come", len(streams)))
}

func (t *Trial) compare(d delivery, standard, done []experiment, missing int) {
	wrong := 0
	var first *experiment
	var want string
	for i := range done {
		same := slices.EqualFunc(done[i].got, standard[i].got, func(a, b seen) bool { return a.kind == b.kind && a.data == b.data })
		if same && (missing == 0 || i < len(done)-1) {
			continue
		}
		if wrong++; first == nil {
			first, want = &done[i], standard[i].told()
		}
	}
	if first == nil {
		return
	}
	if missing > 0 {
		t.sure(patience, "some streams were not reported")
	}
	t.Deviation("as when they come whole: "+want, fmt.Sprintf("%s, %s: %s (%d of %d streams)", first.v.Name, d.how, first.told(), wrong, len(done)),
		[]string{"sent: " + sse.Escape([]byte(first.v.In))})
}

// told is what was reported.
func (x *experiment) told() string {
	text := ""
	for _, e := range x.got {
		e.id = ""
		text += e.String() + ", "
	}
	if text == "" {
		return "no event"
	}
	return text[:len(text)-2]
}

// deliver brings all streams on one connection, with a fence behind each.
func (t *Trial) deliver(d delivery, streams []*vectors.Vector) ([]experiment, int) {
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
	var done []experiment
	for i, v := range streams {
		x := experiment{v: v, cut: cut{how: d.how, segments: [][]byte{[]byte(v.In)}}}
		end := slices.IndexFunc(got, func(e seen) bool { return e.data == fence(i) })
		if end < 0 {
			x.got = got
			return append(done, x), len(streams) - i
		}
		x.got = got[:end]
		got = got[end+1:]
		done = append(done, x)
	}
	return done, 0
}
