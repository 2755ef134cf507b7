package main

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// parseCount reads 20000, 20,000, 500k or 10M.
func parseCount(text string) (int, error) {
	number := strings.NewReplacer(",", "", "_", "").Replace(strings.TrimSpace(text))
	factor := 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "K": 1e3, "M": 1e6} {
		if rest, found := strings.CutSuffix(number, suffix); found {
			number, factor = rest, f
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if v *= factor; err != nil || v != math.Trunc(v) || v < 1 || v > math.MaxInt32 {
		return 0, errors.New("want a number such as 20000, 500k or 10M")
	}
	return int(v), nil
}

// parseRate reads 5000/s, 5k/s or 5000.
func parseRate(text string) (float64, error) {
	number, _ := strings.CutSuffix(strings.TrimSpace(text), "/s")
	if n, err := parseCount(number); err == nil {
		return float64(n), nil
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v > 0) || v > 1e9 {
		return 0, errors.New("want a rate such as 5000/s")
	}
	return v, nil
}

func policyNamesOf() []string {
	names := make([]string, len(policy.Named))
	for i := range policy.Named {
		names[i] = policy.Named[i].Name
	}
	return names
}
