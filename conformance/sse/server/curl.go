package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Curl is the command that repeats the request, with variables of the shell in place of secrets.
func (p *Tap) Curl() string { return curl(p.subject, p.Request) }

// curl is the command line that repeats a request: it can be pasted into a shell, where the secrets are variables.
func curl(s *Subject, req *sse.Request, options ...string) string {
	if len(options) == 0 {
		options = []string{"-N", "-i"}
	}
	words := append([]string{"curl"}, options...)
	if req.Method != "" && req.Method != http.MethodGet {
		words = append(words, "-X", req.Method)
	}
	header := func(name, value string) {
		words = append(words, "-H", conformance.ShellWord(name+": "+value))
	}
	header("Accept", "text/event-stream")
	if req.LastEventID != "" {
		header("Last-Event-ID", req.LastEventID)
	}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			if name != "Accept" && name != "Last-Event-Id" {
				header(name, s.header(name, value))
			}
		}
	}
	if s.TLS != nil && s.TLS.InsecureSkipVerify {
		words = append(words, "-k")
	}
	return strings.Join(append(words, conformance.ShellWord(s.redact(req.URL.String()))), " ")
}

// header is the value of a header with variables of the shell in place of secrets. Who asks is told by Authorization and Cookie.
func (s *Subject) header(name, value string) string {
	shown := value
	if s.RedactHeader != nil {
		shown = s.RedactHeader(name, value)
	}
	switch name {
	case "Authorization":
		if scheme, credentials, ok := strings.Cut(shown, " "); ok && !strings.HasPrefix(credentials, "${") {
			return scheme + " ${TOKEN}"
		}
	case "Cookie":
		if !strings.Contains(shown, "${") {
			return "${COOKIE}"
		}
	}
	return strings.ReplaceAll(shown, conformance.Hidden, conformance.ShellVariable(name))
}
