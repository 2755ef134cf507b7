package conformance

import (
	"fmt"
	"math"
	"strconv"
)

// Power says what a pass that rests on samples would have shown.
type Power struct {
	Unit       string  `json:"unit"`       // of the samples, in the singular: delivery, resumed subscription, connection
	Rate       float64 `json:"rate"`       // if more than this share of them were faulty, one fault at least would have been seen
	Confidence float64 `json:"confidence"` // how certainly: 0.95
}

const confidence = 0.95

// PowerOf is that of n samples without a fault, if faults fall on samples at random (for many samples the rule of three: 3/n); nil without a sample.
func PowerOf(n uint64, unit string) *Power {
	if n == 0 {
		return nil
	}
	return &Power{Unit: unit, Rate: -math.Expm1(math.Log1p(-confidence) / float64(n)), Confidence: confidence}
}

// Above is the rate in words: "> 1 in 11,976"; "" of nil.
func (p *Power) Above() string {
	switch {
	case p == nil:
		return ""
	case p.Rate < 0.1:
		return "> 1 in " + grouped(uint64(1/p.Rate))
	}
	return "> " + strconv.FormatFloat(100*p.Rate, 'f', 0, 64) + "%"
}

// String says it in a clause: "> 1 in 11,976 would show (95%)".
func (p *Power) String() string {
	return fmt.Sprintf("%s would show (%.3g%%)", p.Above(), 100*p.Confidence)
}

func grouped(n uint64) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
