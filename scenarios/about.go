package scenarios

import (
	"regexp"

	"gopkg.in/yaml.v3"
)

// namedKey is a key in braces, as in {load.subscribers}.
var namedKey = regexp.MustCompile(`\{[a-z_]+(\.[a-z0-9_]+)*\}`)

// filled is a text with the values of the keys that it names in braces, as they are after overrides, so that it tells of the load that
// runs. What names no key of the file stays as it is.
func (r *reader) filled(text string) string {
	return namedKey.ReplaceAllStringFunc(text, func(name string) string {
		n := r.places[name[1:len(name)-1]]
		if n == nil || n.Kind != yaml.ScalarNode || r.hidden[n] {
			return name
		}
		return n.Value
	})
}
