package history

import (
	"errors"
	"fmt"
)

// Mode is how much a history keeps.
type Mode string

const (
	Off       Mode = "off"
	Anomalies Mode = "anomalies" // everything but deliveries, heartbeats and foreign events
	Full      Mode = "full"
)

// ErrMode says that a word is no mode.
var ErrMode = errors.New("want off, anomalies or full")

// ParseMode reads a mode.
func ParseMode(word string) (Mode, error) {
	switch m := Mode(word); m {
	case Off, Anomalies, Full:
		return m, nil
	}
	return "", fmt.Errorf("history %q: %w", word, ErrMode)
}

// keeps says whether observations of a kind are kept.
func (m Mode) keeps(k Kind) bool {
	switch k {
	case Deliver, Heartbeat, Other:
		return m == Full
	}
	return m == Full || m == Anomalies
}
