package main

import (
	"errors"
	"strconv"
	"strings"
)

// parseShare reads 10% or 0.1.
func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0) || v > 1e6 {
		return 0, errors.New("want a share such as 10% or 0.1")
	}
	if percent {
		v /= 100
	}
	return v, nil
}
