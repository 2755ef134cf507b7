package scenarios

import (
	"net/http"
	"time"
)

// targetKeys are the keys of a target file: the only place where they are listed, for the parser and the JSON Schema.
var targetKeys = object(
	key("name", "Short name of the target, as it appears in reports.", word, func(t *Target) *string { return &t.Name }).need(),
	key("about", "What the target is and what its owner has to configure.", str, func(t *Target) *string { return &t.About }),
	key("protocol", "The protocol on the wire.", oneOf("sse"), func(t *Target) *string { return &t.Protocol }).or("sse"),
	key("subscribe", "How a stream is opened. Values are templates over {{.Stream}}, {{.Streams}}, {{.Subscriber}} and {{.Token}}.", object(
		key("url", "Address. {{range .Streams}}topic={{.}}&{{end}} follows several streams on one connection. Values are escaped.", str, func(s *Subscribe) *string { return &s.URL }).need(),
		key("headers", "Headers beside Accept and Last-Event-ID. One that turns out empty is not sent.", headers, func(s *Subscribe) *map[string]string { return &s.Headers }),
		key("last_event_id", "Where the target looks for a position: header, or query:NAME.", positionPlace, func(s *Subscribe) *string { return &s.LastEventID }).or("header"),
		key("position_from", "Where a position comes from: the id of an event.", oneOf("id"), func(s *Subscribe) *string { return &s.PositionFrom }).or("id"),
	), func(t *Target) *Subscribe { return &t.Subscribe }).need(),
	key("publish", "How a message is published. Values are templates over {{.Stream}}, {{.Data}}, {{.Type}}, {{.Number}}, {{.Token}} and, where publishers choose ids, {{.ID}} with {{if .HasID}}. Without it, the target cannot publish.",
		optional(publishRequestKeys), func(t *Target) **PublishRequest { return &t.Publish }),
	key("nodes", "Origins of the nodes of one cluster, as in https://a.example:8443: each serves the same streams as the subscribe url.",
		list(str), func(t *Target) *[]string { return &t.Nodes }),
	key("ready", "From when on a message is owed to a subscriber.", oneOf(ReadyHeaders, ReadyFirstByte, ReadyFirstEvent), func(t *Target) *ReadyWhen { return &t.Ready }).or(string(ReadyHeaders)),
	key("capabilities", "What the target can do. publish, heartbeat, greet, ping, auth, restart, drain and observe are implied by the keys that describe them.",
		list(capability), func(t *Target) *[]Capability { return &t.Capabilities }),
	key("heartbeat", "The longest silence between its signs of life.", positive, func(t *Target) *time.Duration { return &t.Heartbeat }),
	key("history", "How far back a subscriber can resume. Without it, without a limit.", optional(some(object(
		key("events", "Messages per stream.", whole[int](1, 1_000_000_000), func(h *HistoryLimit) *int { return &h.Events }),
		key("age", "Age of a message.", positive, func(h *HistoryLimit) *time.Duration { return &h.Age }),
	), "events or age")), func(t *Target) **HistoryLimit { return &t.History }),
	key("slow_policy", "What the target promises to do with a subscriber that does not keep up.", slowPolicy, func(t *Target) *SlowPolicy { return &t.SlowPolicy }),
	key("tls", "How its certificate is judged.", object(
		key("ca", "Path of a PEM file with the authority to trust, relative to this file.", pathName, func(t *TLS) *string { return &t.CA }),
		key("server_name", "Name to expect in the certificate.", hostName, func(t *TLS) *string { return &t.ServerName }),
		key("insecure", "Accept any certificate.", boolean, func(t *TLS) *bool { return &t.Insecure }),
	), func(t *Target) *TLS { return &t.TLS }),
	key("auth", "How tokens for {{.Token}} are made.", optional(some(object(
		key("jwt", "A JWT (HS256), made for each connection.", object(
			key("key", "The signing key, best from a ${VARIABLE}.", str, func(a *Auth) *string { return &a.Key }).need(),
			key("claims", "Claims beside exp; texts are templates as in subscribe.", anyMap, func(a *Auth) *map[string]any { return &a.Claims }),
		), func(a *Auth) *Auth { return a }),
		key("command", "A program that prints a token for the user in $STREAMGAUGE_USER that lives $STREAMGAUGE_TOKEN_SECONDS. A path with a slash is relative to this file; the same holds for the programs of admin.", program, func(a *Auth) *[]string { return &a.Command }),
		key("cookie", "Name of a cookie that can carry the token as well.", cookieName, func(a *Auth) *string { return &a.Cookie }),
	), "jwt or command")), func(t *Target) **Auth { return &t.Auth }),
	key("admin", "What may be done to the target from outside.", object(
		key("restart", "The program that restarts it.", program, func(a *Admin) *[]string { return &a.Restart }),
		key("drain", "The program that makes it shut down gracefully and come back.", program, func(a *Admin) *[]string { return &a.Drain }),
		key("revoke", "The program that withdraws the rights of the token in $STREAMGAUGE_TOKEN; its user is in $STREAMGAUGE_USER.", program, func(a *Admin) *[]string { return &a.Revoke }),
	), func(t *Target) *Admin { return &t.Admin }),
	key("observe", "How its memory is seen: in one of these ways. All but pid follow a restart.", object(
		key("pid_file", "A file of this machine that holds its process id, relative to this file.", pathName, func(o *Observe) *string { return &o.PIDFile }),
		key("command", "A program that prints its process id on this machine.", some(list(argument), "a program"), func(o *Observe) *[]string { return &o.Command }),
		key("port", "A TCP port of this machine on which its process listens.", whole[int](1, 65535), func(o *Observe) *int { return &o.Port }),
		key("pid", "Its process on this machine.", whole[int](1, 1<<30), func(o *Observe) *int { return &o.PID }),
		key("metrics", "URL of a Prometheus exposition with process_resident_memory_bytes.", str, func(o *Observe) *string { return &o.Metrics }),
	), func(t *Target) *Observe { return &t.Observe }),
	key("http", "Version of HTTP.", httpVersion, func(t *Target) *string { return &t.HTTP }).or("1.1"),
	key("gap", "How it says that it cannot continue from a position.", object(
		key("event", "Type of the event that says so.", event, func(t *Target) *string { return &t.GapEvent }).need(),
	), func(t *Target) *Target { return t }),
	key("order", "The order it promises: total (all subscribers of a stream agree) or per-publisher. Where it says nothing, total is expected.", oneOf("total", "per-publisher"), func(t *Target) *string { return &t.Order }),
	key("ping", "Type of its ping events.", event, func(t *Target) *string { return &t.Ping }),
	key("greeting", "Type of the event that it sends first on each connection; message when it has none of its own.", event, func(t *Target) *string { return &t.Greeting }),
)

// httpVersion is the one enumeration whose words look like numbers when they stand without quotes.
var httpVersion = func() shape[string] {
	of := oneOf("1.1", "2")
	of.schema = orVariable(schema{"enum": []any{"1.1", "2", 1.1, 2}})
	return of
}()

var publishRequestKeys = object(
	key("method", "HTTP method.", oneOf(http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodGet), func(p *PublishRequest) *string { return &p.Method }).or(http.MethodPost),
	key("url", "Address. Values are escaped.", str, func(p *PublishRequest) *string { return &p.URL }).need(),
	key("headers", "Headers. Content-Type follows from form, json or body. One that turns out empty is not sent.", headers, func(p *PublishRequest) *map[string]string { return &p.Headers }),
	key("form", "Fields of a form.", some(mapOf(value), "a field"), func(p *PublishRequest) *map[string]string { return &p.Form }),
	key("json", "A JSON value; its texts are templates.", anything, func(p *PublishRequest) *any { return &p.JSON }),
	key("body", "The body as it is sent.", str, func(p *PublishRequest) *string { return &p.Body }),
	key("accept", "Statuses that mean the target took the message.", list(whole[int](100, 599)), func(p *PublishRequest) *[]int { return &p.Accept }).or("[200, 201, 202, 204]"),
	key("payload", "What it carries: text (any, with line breaks and characters of up to four bytes), line (text without line breaks), json (a JSON object), ascii (letters, digits and signs that nothing escapes). Without it, text; json where a Content-Type header says so of a plain body, and ascii where {{.Data}} stands unescaped in something larger or in a header.",
		oneOf(PayloadText, PayloadLine, PayloadJSON, PayloadASCII), func(p *PublishRequest) *Payload { return &p.Payload }),
	key("largest", "The largest payload that it takes, for scenarios whose sizes vary. Without it, some 64KiB; 1KiB where the url carries it.", size, func(p *PublishRequest) *Bytes { return &p.Largest }),
	key("accept_body", "A regular expression (RE2) that the first 4 KiB of the answer match when the target took the message. Without it, the status says all.",
		str, func(p *PublishRequest) *string { return &p.AcceptBody }),
	key("reject_body", "A regular expression (RE2) that the first 4 KiB of the answer match when the target did not take it, whatever the status: for an error in a 200.",
		str, func(p *PublishRequest) *string { return &p.RejectBody }),
	key("timeout", "The longest wait for its answer.", positive, func(p *PublishRequest) *time.Duration { return &p.Timeout }).or("10s"),
)

var positionPlace = scalar("a place for the position", `^(header|query:[A-Za-z0-9._~-]+)$`, []string{"header", "query:lastEventId"},
	func(m []string) (string, error) { return m[0], nil })
