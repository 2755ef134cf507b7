package main

import (
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// advise says what to do when no stream could be opened: on the first reason of that kind, which most of the verdicts have.
func advise(verdicts []conformance.Verdict) {
	const unopened = "no stream could be opened: "
	reason := ""
	for i := range verdicts {
		v := &verdicts[i]
		if v.Outcome != conformance.Unknown || v.Next != "" || !strings.HasPrefix(v.Reason, unopened) {
			continue
		}
		if reason == "" {
			reason = v.Reason
		}
		if v.Reason == reason {
			v.Next = adviceFor(strings.TrimPrefix(reason, unopened))
		}
	}
}

// adviceFor is the next step after a stream could not be opened.
func adviceFor(why string) string {
	for _, known := range []struct{ part, advice string }{
		{"status 401", "say in a target file how to authenticate: subscribe.headers, or auth for tokens (streamgauge schema target)"},
		{"status 403", "say in a target file how to authenticate: subscribe.headers, or auth for tokens (streamgauge schema target)"},
		{"status 404", "give the address of a stream, with its path and query, as an EventSource would open it"},
		{"status 30", "give the address that it redirects to"},
		{"text/html", "this is a page: give the address of a stream, with its path and query, as an EventSource would open it"},
		{"connection refused", "see that the server runs, and that host and port are right"},
		{"no such host", "see that the host's name is right"},
		{"certificate", "say in a target file which authority to trust: tls.ca"},
	} {
		if strings.Contains(why, known.part) {
			return known.advice
		}
	}
	return ""
}
