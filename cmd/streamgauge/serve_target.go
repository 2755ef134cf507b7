package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// describe is a target file for what is served. The configuration is the one that is declared, not what a mutant makes of it.
func (s *service) describe(declared broker.Config, adminURL, keyText string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	headers := ""
	if len(declared.TokenKey) > 0 {
		headers = `headers: {Authorization: "Bearer {{.Token}}"}, `
	}
	line("# streamgauge serve, process %d: it is gone when that ends.", os.Getpid())
	line("name: streamgauge-serve")
	line(`subscribe: {%surl: "%s/events?{{range $i, $s := .Streams}}{{if $i}}&{{end}}stream={{$s}}{{end}}"}`, headers, s.url)
	line(`publish: {%surl: "%s/publish?stream={{.Stream}}{{if .Type}}&type={{.Type}}{{end}}", body: "{{.Data}}"}`, headers, s.url)
	line("capabilities: [resume]")
	if declared.Heartbeat >= 0 {
		line("heartbeat: %v", orElse(declared.Heartbeat, defaultHeartbeat))
	}
	if declared.HistoryEvents >= 0 {
		line("history: {events: %d}", orElse(declared.HistoryEvents, defaultHistory))
	}
	line("slow_policy: %s", orElse(declared.SlowPolicy, broker.Disconnect))
	line("gap: {event: gap}")
	line("observe: {pid: %d}", os.Getpid())
	if strings.HasPrefix(s.url, "https:") {
		line("tls: {insecure: true}")
	}
	if adminURL != "" {
		line("admin:")
		line("  drain: [curl, -fsS, -X, POST, %s/drain]", adminURL)
		line("  restart: [curl, -fsS, -X, POST, %s/restart]", adminURL)
		if len(declared.TokenKey) > 0 {
			line(`  revoke: [sh, -c, 'exec curl -fsS -X POST "%s/revoke?user=$STREAMGAUGE_USER"']`, adminURL)
		}
	}
	if len(s.others) > 0 {
		line("nodes: [%s, %s]", s.url, strings.Join(s.others, ", "))
	}
	if len(declared.TokenKey) > 0 {
		line("auth:")
		line("  jwt:")
		line("    key: %q", keyText)
		line("    claims:")
		if declared.TokenIssuer != "" {
			line("      iss: %q", declared.TokenIssuer)
		}
		if declared.TokenAudience != "" {
			line("      aud: %q", declared.TokenAudience)
		}
		line("      subscribe: # a subscriber's token is for its streams, a publisher's (-1) for none")
		line(`        - "{{if ge .Subscriber 0}}{{.Stream}}{{end}}"`)
		for i := 1; i < mostStreams; i++ {
			line(`        - "{{if and (ge .Subscriber 0) (gt (len .Streams) %[1]d)}}{{index .Streams %[1]d}}{{end}}"`, i)
		}
		line(`      publish: ['{{if lt .Subscriber 0}}{{or .Stream "*"}}{{end}}'] # a message without a stream may be published too`)
	}
	return b.String()
}

// mostStreams is how many streams of one connection a token of the target file is for.
const mostStreams = 4

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// writeTarget writes the target file. It may hold the token key, so it is the owner's alone.
func writeTarget(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("--target-file: %w", err)
	}
	return nil
}
