package sse

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

func TestTheWindowOfAnHTTP2StreamMayBeAsLargeAsItCanBe(t *testing.T) {
	t.Parallel()
	more := func(n uint32) []byte { return http2Frame(8, 0, 1, binary.BigEndian.AppendUint32(nil, n)...) }
	for name, c := range map[string]struct {
		before []byte
		kept   bool
	}{
		"largest":                {more(1<<31 - 1<<16), true},
		"in two steps":           {append(more(1<<30), more(1<<30-1<<16)...), true},
		"too large":              {more(1<<31 - 1<<16 + 1), false},
		"too large in two steps": {append(more(1<<30), more(1<<30-1<<16+1)...), false},
		"large from the start":   {append(http2Frame(4, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff), more(1)...), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := slices.Concat(c.before, http2Frame(1, 4, 1, 0x88), http2Frame(0, 1, 1, []byte("data: a\n\n")...))
			h := sharing(t)
			dial := func(context.Context, string, string) (net.Conn, error) { return http2Peer(answer), nil }
			s, err := Open(t.Context(), dial, request(t, "http://a.test/"), Options{HTTP2: h, HeadTimeout: time.Minute})
			if !c.kept {
				if err == nil {
					t.Fatal("the connection goes on")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			seen := new(trace)
			if err := s.Pump(new(Decoder), seen); err != io.EOF || len(seen.events) != 1 {
				t.Errorf("%d events, %v", len(seen.events), err)
			}
			_ = s.Close()
		})
	}
}
