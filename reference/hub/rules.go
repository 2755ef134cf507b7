package hub

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rules are the decisions of a hub. Those of New are right; a mutant replaces one.
type Rules struct {
	Answer  func(id string) string                            // the body that answers a publish
	Tell    func(h http.Header, before string)                // says which update precedes the first one sent
	Matches func(query string) bool                           // whether a subscription is understood
	Accepts func(form url.Values) bool                        // whether an update may be published
	Find    func(ids []string, position string) (at int)      // the update that a position names; -1 for none
	Choose  func(header, cookie string, inHeader bool) string // the token that counts
	Field   func(id string) string                            // the line with the id of an update; "" is an empty one
	Trusts  func(origin string) bool                          // whether a page of this origin may publish by cookie
	Private bool                                              // updates about subscriptions are for who has a token
}

func rules() Rules {
	return Rules{
		Answer:  func(id string) string { return id },
		Tell:    func(h http.Header, before string) { h.Set("Mercure-Last-Event-ID", before) },
		Matches: matches, Accepts: accepts, Find: slices.Index[[]string], Choose: choose,
		Field:   func(id string) string { return "id: " + id + "\n" },
		Trusts:  func(origin string) bool { return origin == Origin },
		Private: true,
	}
}

func choose(header, cookie string, inHeader bool) string {
	if inHeader {
		return header
	}
	return cookie
}

func matches(query string) bool {
	values, err := url.ParseQuery(query)
	for name, matchers := range values {
		known := name == "match" || name == "matchExact" || name == "matchURLPattern"
		if !known && strings.HasPrefix(strings.ToLower(name), "match") {
			return false
		}
		for _, m := range matchers {
			if !utf8.ValidString(m) || strings.ContainsFunc(m, unicode.IsControl) || strings.HasSuffix(m, "(") {
				return false
			}
		}
	}
	return err == nil
}

func accepts(form url.Values) bool {
	topic, err := url.Parse(form.Get("topic"))
	if err != nil || len(form["topic"]) != 1 || form.Get("topic") == "*" {
		return false
	}
	path := (&url.URL{Scheme: "http", Host: "hub"}).ResolveReference(topic).Path
	_, err = strconv.ParseUint(form.Get("retry"), 10, 32)
	id := form.Get("id")
	return path != Path && !strings.HasPrefix(path, Path+"/") && (err == nil || form.Get("retry") == "") &&
		!strings.HasPrefix(id, "#") && !strings.ContainsAny(id, "\r\n\x00") && id != "earliest" && form.Get("type") != "mercure"
}
