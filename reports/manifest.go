package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// ManifestVersion is the version of manifest.json. Fields are only ever added.
const ManifestVersion = 1

// Manifest says what a directory holds and what it takes to repeat the run that filled it.
type Manifest struct {
	Version  int                  `json:"version"`
	Kind     conformance.Kind     `json:"kind"`
	Tool     string               `json:"tool"`
	Command  string               `json:"command"` // without secrets
	Seed     uint64               `json:"seed"`
	Sources  []Source             `json:"sources"`
	Plans    []Plan               `json:"plans"`
	Go       string               `json:"go"`
	OS       string               `json:"os"`
	Arch     string               `json:"arch"`
	CPUs     int                  `json:"cpus"` // that the harness could use
	Started  time.Time            `json:"started"`
	Duration conformance.Duration `json:"duration"`
	Files    []File               `json:"files"`
}

// Source is a file that the run was made from.
type Source struct {
	Kind   string `json:"kind"` // scenario | target
	Name   string `json:"name"` // of a shipped scenario or a preset, or the path as it was given
	SHA256 string `json:"sha256"`
}

// Plan names a scenario's plan by its fingerprint: equal fingerprints are equal plans.
type Plan struct {
	Scenario string `json:"scenario"`
	Plan     string `json:"plan"`
}

// File is a file in the directory. The manifest does not list itself.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// NewManifest describes r as this process made it.
func NewManifest(r *conformance.Result, sources ...Source) Manifest {
	m := Manifest{
		Version: ManifestVersion, Kind: r.Kind, Tool: r.Tool, Command: r.Command, Seed: r.Seed,
		Sources: append([]Source{}, sources...), Plans: []Plan{},
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0),
		Started: r.Started, Duration: r.Duration, Files: []File{},
	}
	for _, run := range r.Runs {
		m.Plans = append(m.Plans, Plan{Scenario: run.Scenario, Plan: run.Plan})
	}
	return m
}

// SourceOf fingerprints the text of a source.
func SourceOf(kind, name string, text []byte) Source {
	digest := sha256.Sum256(text)
	return Source{Kind: kind, Name: name, SHA256: hex.EncodeToString(digest[:])}
}
