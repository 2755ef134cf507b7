package scenarios

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
)

// Fingerprint is a hash of all that the plan decided: two plans with one fingerprint do the same.
func (p *Plan) Fingerprint() string {
	h := sha256.New()
	what := p.Scenario
	fmt.Fprintf(h, "%s %d %s %v %v %+v %+v\n", what.Name, p.Seed, p.Run, what.Duration, what.Settle, what.Load, what.Broker)
	for _, name := range p.Streams {
		_, _ = io.WriteString(h, name+"\n")
	}
	for _, s := range p.Subscribers {
		slow := int64(0)
		if s.Slow {
			slow = 1
		}
		words(h, int64(s.Index), int64(s.Start), int64(s.Group), slow, int64(s.Seed))
		for _, stream := range s.Streams {
			words(h, int64(stream))
		}
	}
	for _, w := range p.Publishers {
		words(h, int64(w.Stream), int64(w.Index), int64(w.Seed), int64(math.Float64bits(w.Rate)))
	}
	for _, step := range p.Timeline {
		fmt.Fprintf(h, "%+v\n", step)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func words(h hash.Hash, values ...int64) {
	var word [8]byte
	for _, v := range values {
		binary.LittleEndian.PutUint64(word[:], uint64(v))
		_, _ = h.Write(word[:])
	}
}
