package main

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/scenarios"
)

// rights are what the target's tokens tell apart, as far as its file says: claims that differ by the stream, or with the publisher, and the
// client where the address that it subscribes at is its own.
func (s *targetSubject) rights() server.Rights {
	const one, other, publisher = 731031, 731032, -1
	claims := func(subscriber int, stream string) string {
		made, err := s.target.Claims(scenarios.SubscribeVars{Subscriber: subscriber, Streams: []string{stream}})
		if err != nil {
			return ""
		}
		text, err := json.Marshal(made)
		if err != nil {
			return ""
		}
		return nameless(string(text), one, publisher)
	}
	address := func(subscriber int) string {
		r, err := s.target.SubscribeRequest(scenarios.SubscribeVars{Subscriber: subscriber, Streams: []string{"a"}})
		if err != nil {
			return ""
		}
		return r.URL
	}
	return server.Rights{
		Streams: claims(one, "one") != claims(one, "other"),
		Clients: address(one) != address(other),
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
func (s *targetSubject) credentials() (found []server.Credential) {
	r, err := s.target.SubscribeRequest(scenarios.SubscribeVars{Subscriber: 1, Streams: []string{"a"}})
	if err != nil {
		return nil
	}
	for name := range r.Header {
		value := strings.TrimSpace(r.Header.Get(name))
		onlyScheme := s.access.Mint != nil && !strings.Contains(value, " ") // Bearer, and the token is left out
		if scenarios.CarriesCredential(name) && value != "" && !onlyScheme {
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
