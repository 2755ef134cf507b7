package conformance

// KindSimulate is of a result that was simulated: it judges no target.
const KindSimulate Kind = "simulate"

// Storm is what follows when all clients of a server lose their connections, as it was simulated with one reconnection policy. Times count from
// the first loss.
type Storm struct {
	Policy     string   `json:"policy"`
	Clients    int      `json:"clients"`
	Over       Duration `json:"over"`   // in which the clients lose their connections
	Down       Duration `json:"down"`   // in which the server refuses everybody
	Accept     float64  `json:"accept"` // connections that it takes per second
	Queue      int      `json:"queue"`  // connections that can wait for that
	Timeout    Duration `json:"timeout"`
	Trip       Duration `json:"trip"` // round trip between client and server
	Retry      Duration `json:"retry,omitempty"`
	RetryAfter Duration `json:"retry_after,omitempty"`

	Recovered int             `json:"recovered"` // clients that were back at the end
	Recovery  []StormRecovery `json:"recovery"`  // by rising share
	Attempts  uint64          `json:"attempts"`
	Refused   uint64          `json:"refused"`
	TimedOut  uint64          `json:"timed_out"`
	Wasted    uint64          `json:"wasted"`     // turns of the server that went to clients which had given up
	Most      int             `json:"most"`       // attempts of the client that needed most
	Peak      float64         `json:"peak_per_s"` // attempts in the busiest second
	PeakAt    Duration        `json:"peak_at"`    // when that began
	Stopped   string          `json:"stopped,omitempty"`
}

// StormRecovery is when a share of all clients, from 0 to 1, was back.
type StormRecovery struct {
	Share float64 `json:"share"`
	MS    Sample  `json:"ms"` // milliseconds; "never" when they were not
}
