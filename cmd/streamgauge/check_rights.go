package main

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/scenarios"
)

// rights are what the target's tokens tell apart, as far as its file says: claims that differ by the stream or with the publisher. They tell
// clients apart where they name them, or a command makes them, and nothing but the client says what is followed; a client's name beside that
// of a stream is a name and no right.
func (s *targetSubject) rights() server.Rights {
	const one, other, publisher = 731031, 731032, -1
	text := func(subscriber int, stream string) string {
		made, err := s.target.Claims(scenarios.SubscribeVars{Subscriber: subscriber, Streams: []string{stream}})
		if err != nil {
			return ""
		}
		text, err := json.Marshal(made)
		if err != nil {
			return ""
		}
		return string(text)
	}
	claims := func(subscriber int, stream string) string { return nameless(text(subscriber, stream), one, publisher) }
	named := len(s.target.Auth.Command) > 0 || text(one, "one") != text(other, "one")
	address := func(subscriber int) string {
		r, err := s.target.SubscribeRequest(scenarios.SubscribeVars{Subscriber: subscriber, Streams: []string{"a"}})
		if err != nil {
			return ""
		}
		return r.URL
	}
	return server.Rights{
		Streams: claims(one, "one") != claims(one, "other"),
		Clients: named && address(one) != address(other) && !s.namesStreams(),
		Publish: claims(one, "one") != claims(publisher, "one"),
	}
}

// nameless leaves the numbers of clients out of a text: that tokens bear other names does not say that they allow other things.
func nameless(text string, numbers ...int) string {
	for _, n := range numbers {
		text = strings.ReplaceAll(text, strconv.Itoa(n), "")
	}
	return text
}

// credentials are those that the target file has each subscription carry, whoever subscribes, beside a token that is made for each.
func (s *targetSubject) credentials() []server.Credential {
	r, err := s.target.SubscribeRequest(scenarios.SubscribeVars{Subscriber: 1, Streams: []string{"a"}})
	if err != nil {
		return nil
	}
	return credentialsIn(r, s.access.Mint != nil)
}

// admission are the credentials that it has each publish carry.
func (s *targetSubject) admission() []server.Credential {
	r, err := s.target.PublishRequest(scenarios.PublishVars{Stream: "a", Data: "b", Token: "token"})
	if err != nil {
		return nil
	}
	return credentialsIn(r, false)
}

// credentialsIn are the credentials in a request. Where its token was left out, a field that has nothing but a scheme has none.
func credentialsIn(r scenarios.Request, tokenless bool) (found []server.Credential) {
	for name := range r.Header {
		value := strings.TrimSpace(r.Header.Get(name))
		if scenarios.CarriesCredential(name) && value != "" && (!tokenless || strings.Contains(value, " ")) {
			found = append(found, server.Credential{In: "header", Name: name})
		}
	}
	address, err := url.Parse(r.URL)
	if err != nil {
		return found
	}
	for name, values := range address.Query() {
		if scenarios.CarriesCredential(name) && values[0] != "" {
			found = append(found, server.Credential{In: "query", Name: name})
		}
	}
	if address.User != nil {
		found = append(found, server.Credential{In: "userinfo"})
	}
	return found
}
