package scenarios

import (
	"slices"
	"strings"
)

// CarriesCredential says whether what stands under the name of a header field or a parameter is something without which nobody is to be let
// in. Not every secret is one: an id of a session, or a key by which streams are shared out, may be left out.
func CarriesCredential(name string) bool {
	name = strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(name))
	return slices.Contains([]string{"auth", "xauth", "jwt", "pass", "pwd", "cookie"}, name) ||
		slices.ContainsFunc([]string{"token", "secret", "passw", "authoriz", "authentic", "apikey", "accesskey", "credential", "bearer"}, func(part string) bool {
			return strings.Contains(name, part)
		})
}
