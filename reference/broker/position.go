package broker

import (
	"crypto/rand"
	"encoding/base32"
	"strconv"
	"strings"
)

// Resume says what became of the position that a subscriber asked to resume from.
type Resume string

// The values of the response header Sse-Resume.
const (
	ResumeFresh    Resume = "fresh"
	ResumeExact    Resume = "exact"
	ResumeEarliest Resume = "earliest"
	ResumeEvicted  Resume = "evicted"
	ResumeUnknown  Resume = "unknown"
)

const (
	earliestID = "earliest"
	maxIDBytes = 512
)

// newEpoch names one life of a broker; forty random bits keep two lives apart.
func newEpoch() string {
	var random [5]byte
	_, _ = rand.Read(random[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
}

func formatID(epoch string, sequence uint64) string {
	b := make([]byte, 0, len(epoch)+21)
	b = append(b, epoch...)
	b = append(b, '-')
	return string(strconv.AppendUint(b, sequence, 10))
}

// parseID returns the sequence of an id of this epoch. Only the exact form that formatID writes is accepted.
func parseID(epoch, id string) (sequence uint64, ok bool) {
	digits, ok := strings.CutPrefix(id, epoch+"-")
	if !ok {
		return 0, false
	}
	sequence, err := strconv.ParseUint(digits, 10, 64)
	return sequence, err == nil && formatID(epoch, sequence) == id
}
