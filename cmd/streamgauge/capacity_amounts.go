package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/scenarios"
)

// amounts are values of a scenario key that is varied. They share one unit.
type amounts struct {
	from, to, atLeast  float64
	unit               string // what follows the number in a scenario file: "", "/s", "ms"
	known              bool   // the unit was seen
	fraction           bool   // one of them is no whole number
	precision, reserve float64
}

var amount = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([^0-9.]*)$`)

func (a *amounts) read(text string, into *float64) error {
	match := amount.FindStringSubmatch(text)
	if match == nil {
		return fmt.Errorf("%q: want a number with the unit that it has in the scenario, such as 500 or 100/s", text)
	}
	value, err := strconv.ParseFloat(match[1], 64)
	switch {
	case err != nil || value <= 0:
		return fmt.Errorf("%q: want a number above 0", text)
	case a.known && match[2] != a.unit:
		return fmt.Errorf("%q: want the unit %q of the value before", text, a.unit)
	}
	a.unit, a.known = match[2], true
	a.fraction = a.fraction || value != math.Trunc(value)
	*into = value
	return nil
}

// text is a value as a scenario file has it.
func (a *amounts) text(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) + a.unit }

// quantum is what values are multiples of: whole numbers stay whole, and groups of subscribers stay alike. 0: any number.
func (a *amounts) quantum(key string, s *scenarios.Scenario) float64 {
	switch {
	case a.fraction || a.unit != "" && a.unit != "B":
		return 0
	case key == "load.subscribers" && len(s.Load.Groups) > 0:
		all := s.Load.Streams * len(s.Load.Groups)
		return float64(all / divisor(s.Load.Follow, all))
	}
	return 1
}

// divisor is the greatest one that two numbers share.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// percentage reads 5% or 0.05.
func percentage(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	value, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || math.IsNaN(value) || math.IsInf(value, 0):
		return 0, errors.New("not a share")
	case percent:
		value /= 100
	}
	return value, nil
}
