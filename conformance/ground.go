package conformance

import "context"

// Ground is what many cases take for granted, as that messages arrive at all. It is tried before the cases, and where it is missing they
// are not carried out: each would wait for itself, and say the same in other words.
type Ground struct {
	Name string
	Try  func(ctx context.Context) (missing string) // why it is not there, "" when it is
	Told string                                     // the requirement that is missed where it is missing; "" leaves that to the cases
}

// tryGrounds says of each ground that is missing why. They stand on each other in their order.
func (s *Suite) tryGrounds(ctx context.Context) map[string]string {
	missing := map[string]string{}
	reason := ""
	for _, g := range s.Grounds {
		if reason == "" {
			if reason = g.Try(ctx); reason != "" {
				s.told = g.Told
			}
		}
		if reason != "" {
			missing[g.Name] = reason
		}
	}
	return missing
}

// tells is the verdict of the requirement that a missing ground tells of: it was tried more than once already.
func tells(missing string, level Level, r *Requirement) Verdict {
	v := Verdict{Outcome: r.Missed(level), Expected: r.Verdict, Actual: missing, Checked: 1}
	v.Findings = []Finding{{Name: "deviation", Count: 1, Text: missing, Expected: r.Verdict}}
	return v
}
