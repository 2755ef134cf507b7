package conformance

// MatrixRow is one row of the kill matrix: a mutant or a correct subject, and what the verdicts about it mean, by their ids.
type MatrixRow struct {
	Name        string   `json:"name"`               // of the mutant or the correct subject
	Group       string   `json:"group"`              // what it is judged by
	Scenario    string   `json:"scenario,omitempty"` // in which it was judged; absent for requirements
	Outcome     Outcome  `json:"outcome"`
	Kept        int      `json:"kept"`                   // verdicts by which nothing was missed
	Unjudged    int      `json:"unjudged"`               // verdicts that were skipped or unknown where that proves nothing
	Kills       []string `json:"kills,omitempty"`        // missed by a mutant, as it must be
	Allowed     []string `json:"allowed,omitempty"`      // missed too, since it follows from the same defect
	Told        []string `json:"told,omitempty"`         // missed too, in a scenario that was run to see
	Survivors   []string `json:"survivors,omitempty"`    // not missed although the mutant breaks it
	FalseAlarms []string `json:"false_alarms,omitempty"` // said of a correct subject
	Unrelated   []string `json:"unrelated,omitempty"`    // said of a mutant that did not touch it
	Undecided   []string `json:"undecided,omitempty"`    // had to be judged and could not be
	Again       []string `json:"again,omitempty"`        // contradicted beside others, and were judged again by themselves
	Duration    Duration `json:"duration"`
}
