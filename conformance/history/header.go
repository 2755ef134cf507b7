package history

import (
	"encoding/json"
	"time"
)

// Version is the version of the history format. Keys are only ever added.
const Version = 1

const formatName = "history"

// Header begins the history of one run. A file may hold several, one after the other.
type Header struct {
	Format  string          `json:"streamgauge"` // "history"
	Version int             `json:"version"`
	Mode    Mode            `json:"mode"`
	Started time.Time       `json:"started"`
	Seed    uint64          `json:"seed"`
	Config  json.RawMessage `json:"config"` // what judging needs beside the observations
}

// End closes the history of one run. A history without one was cut off.
type End struct {
	At          time.Duration   `json:"end"`
	Interrupted bool            `json:"interrupted,omitempty"`
	Drops       uint64          `json:"drops,omitempty"` // observations that were not kept
	Limit       int64           `json:"limit,omitempty"` // bytes at which the history was ended, if it was
	Health      json.RawMessage `json:"health,omitempty"`
}
