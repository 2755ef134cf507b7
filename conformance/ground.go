package conformance

import "context"

// Ground is what many cases take for granted, as that messages arrive at all. It is tried before the cases, and where it is missing they
// are not carried out: each would wait for itself, and say the same in other words.
type Ground struct {
	Name string
	Try  func(ctx context.Context) (missing string) // why it is not there, "" when it is
}

// tryGrounds says of each ground that is missing why. They stand on each other in their order.
func (s *Suite) tryGrounds(ctx context.Context) map[string]string {
	missing := map[string]string{}
	reason := ""
	for _, g := range s.Grounds {
		if reason == "" {
			reason = g.Try(ctx)
		}
		if reason != "" {
			missing[g.Name] = reason
		}
	}
	return missing
}
