package scenarios

import (
	"net/http"
	"regexp"

	"gopkg.in/yaml.v3"
)

// tokenPattern is what RFC 9110, 5.6.2 calls so: what the name of a header field or of a cookie is made of.
const tokenPattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

var fieldName = regexp.MustCompile(tokenPattern)

// cookieName is the name of a cookie.
var cookieName = scalar("a name as a cookie has", tokenPattern, []string{"session"}, func(m []string) (string, error) { return m[0], nil })

// headers are header fields by their names.
var headers = func() shape[map[string]string] {
	all := mapOf(value)
	all.schema["propertyNames"] = schema{"pattern": tokenPattern}
	read := all.read
	all.read = func(r *reader, key string, n *yaml.Node, into *map[string]string) {
		read(r, key, n, into)
		r.fieldNames(key, n)
	}
	return all
}()

// fieldNames reports names that no header field has, that frame a request, and those that are one and the same.
func (r *reader) fieldNames(key string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	seen := map[string]string{}
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i]
		if name.Kind != yaml.ScalarNode {
			continue // reported already
		}
		canonical := http.CanonicalHeaderKey(name.Value)
		first, twice := seen[canonical]
		switch {
		case !fieldName.MatchString(name.Value):
			r.report(name, key, quote(name.Value)+" is no name of a header field", "letters, digits and hyphens, without spaces or a colon")
		case canonical == "Content-Length" || canonical == "Transfer-Encoding":
			r.report(name, join(key, name.Value), "cannot be set: it follows from what is sent", "remove it")
		case twice && first != name.Value:
			r.report(name, join(key, name.Value), "cannot be set twice: "+quote(first)+" is the same header field", "")
		}
		seen[canonical] = name.Value
	}
}
