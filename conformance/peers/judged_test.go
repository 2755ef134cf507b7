package peers

import "github.com/streamgauge/streamgauge/conformance"

var (
	warn = conformance.Warn
	info = conformance.Info
	skip = conformance.Skip
)

// judged is a server that others wrote, and what `streamgauge check` says of it but that it passes.
type judged struct {
	name   string
	host   string // its own loopback address
	about  string // what was judged, in a sentence
	begin  string // how to start it by hand
	preset string
	of     []string // what it is made of: Debian packages, modules, npm: and a package
	start  runner
	only   []string // requirements and areas; none for all that are asked of a broker
	// apart are requirements that need a server to themselves, for the sake of others or for their own.
	apart []string
	known map[string]deviation // by requirement
	// unasked is what is not judged, with the reason.
	unasked map[string]string
}

// servers are what is judged. Each deviation was seen in the raw bytes and in the peer's source as well: docs/peers.md.
var servers = []judged{
	{
		name: "r3labs", host: "127.0.9.55", preset: "r3labs", of: []string{"github.com/r3labs/sse/v2"},
		about: "a server with AutoStream, AutoReplay and SplitData (conformance/peers/servers/r3labs)",
		begin: "go run ./servers/r3labs -addr 127.0.0.1:8080",
		start: runProgram("r3labs", "r3labs", "R3LABS_URL"),
		known: map[string]deviation{
			"SSE-FORM-003":   {always(fail), `published "a-.*\\rb", received "a-`, "SplitData splits at line feeds alone (http.go); a carriage return ends a line for every client, and what follows it is read as a field. Without SplitData the same is true of line feeds."},
			"SSE-FORM-004":   {always(fail), `\\nevent: t-.*\\ndata: y-`, "The type is written as it is (http.go). Whoever may choose it can add fields and events."},
			"SSE-FORM-007":   {always(fail), "ended the streams of all its subscribers", "The handler takes an event without data for the end, and ends the response of each subscriber (http.go: \"If the data buffer is an empty string abort\")."},
			"SSE-FORM-016":   noRetry,
			"SSE-HTTPS-006":  {always(warn), "Cache-Control: no-cache", "no-cache lets a cache keep what it must not use unasked."},
			"SSE-HTTPS-007":  {always(warn), "Cache-Control: no-cache", "Only no-cache is sent."},
			"SSE-HTTPS-008":  noAccel,
			"SSE-HTTPS-010":  headIsStream,
			"SSE-HTTPS-018":  noConnectionLimit,
			"SSE-HBS-004":    ownHeartbeat,
			"SSE-RESUME-003": {always(fail), "sent again: 11", fromTheID.why + " (event_log.go: id >= Last-Event-ID)"},
			"SSE-RESUME-005": {always(fail), "came twice", fromTheID.why},
			"SSE-RESUME-009": {always(fail), "with the newest position came 11–12", fromTheID.why},
			"SSE-RESUME-010": {always(info), "without the header came 1–6, with an empty one 1–7", "A subscriber without a position gets the whole history: a position that is missing counts as 0."},
			"SSE-RESUME-012": noQuery,
			"SSE-RESUME-017": {always(fail), "first difference after 0 of them", fromTheID.why},
			"SSE-RESUME-023": {always(unknown), "messages kept coming", "An event without data ends the stream (see SSE-FORM-007), also when it is replayed: nobody who comes back gets past it."},
			"SSE-SLOW-001":   {always(fail), "until every other subscriber had a message", "A stream sends to the queue of each subscriber in turn, without a deadline: a full one stops all others (stream.go: run)."},
			"SSE-SLOW-003":   publishersWait, "SSE-SLOW-005": publishersWait,
			"SSE-SLOW-007": noDeadline,
		},
	},
	{
		name: "Pushpin", host: "127.0.9.52", preset: "pushpin", of: []string{"pushpin", "condure", "zurl"},
		about: "its default configuration, before an origin that holds streams by GRIP and writes the events (conformance/peers/servers/pushpin)",
		begin: "pushpin --route '* 127.0.0.1:8080' & go run ./servers/pushpin -addr 127.0.0.1:8080",
		start: runPushpin,
		unasked: map[string]string{
			"SSE-SLOW-007": "Its deadline is condure's --stream-timeout of 1,800 s, which Pushpin's configuration does not change, and no test waits for that.",
		},
		known: map[string]deviation{
			"SSE-FORM-009":  withoutIDs,
			"SSE-FORM-014":  withoutIDs,
			"SSE-FORM-015":  withoutIDs,
			"SSE-FORM-016":  noRetry,
			"SSE-HTTPS-008": noAccel,
			"SSE-HTTPS-010": {always(fail), `a body that begins "3\\r\\n:\\n\\n`, "The origin answers HEAD with the head of a stream. Pushpin holds that response as it does that of GET, and its keep-alives follow as a body."},
			"SSE-HTTPS-018": noConnectionLimit,
			"SSE-HTTPS-021": {always(fail), "a query with a broken escape: status 500|reset", "A head that does not fit into client_buffer_size (8 KiB) is answered with a reset, and a query with a broken escape with status 500 and \"Accept service unavailable.\", although the origin itself serves it."},
			"SSE-SLOW-005":  {always(fail), "of 2049 messages arrived", "What a subscriber does not take waits in a queue of 100 messages; whatever comes then is dropped, which only the debug log tells (httpsession.cpp: PUBLISH_QUEUE_MAX). The connection stays open, and goes on after some seconds."},
			"SSE-LIMIT-001": {always(fail), "status 400|connection reset|broken pipe", "The control port answers a message of more than push_in_http_max_body_size with 400 and \"Request body too large\", and may close the connection while that is still being written."},
			"SSE-LIMIT-005": {always(warn), "reset by peer", "A head that does not fit into client_buffer_size (8 KiB) is answered with a reset."},
			"SSE-LIMIT-008": {always(skip), "still open after 40s", "Half requests are closed later than a check waits for by default: with --hold 100s it is met."},
		},
	},
	{
		name: "go-sse", host: "127.0.9.53", preset: "go-sse", of: []string{"github.com/tmaxmax/go-sse"},
		about: "a server with Joe and a ValidReplayer, and ids of our own (conformance/peers/servers/gosse)",
		begin: "go run ./servers/gosse -addr 127.0.0.1:8080",
		start: runProgram("gosse", "go-sse", "GO_SSE_URL"),
		known: map[string]deviation{
			"SSE-FORM-006":   {always(fail), `published "x-.*\\n", received "x-`, "AppendData ends its last line where the data ends with a line break, and writes no empty line behind it: one break is lost."},
			"SSE-FORM-007":   {always(fail), "gave nothing", "Empty data is no data field: only the id is written, and a block without data is dispatched by no client."},
			"SSE-FORM-016":   noRetry,
			"SSE-HTTPS-006":  {always(warn), "no Cache-Control", "The library sends no more than Content-Type."},
			"SSE-HTTPS-007":  {always(warn), "no Cache-Control", "The library sends no more than Content-Type."},
			"SSE-HTTPS-008":  noAccel,
			"SSE-HTTPS-010":  headIsStream,
			"SSE-HTTPS-018":  noConnectionLimit,
			"SSE-HBS-004":    ownHeartbeat,
			"SSE-RESUME-005": {sometimes(pass, fail), "came twice", "The replayer keeps its events in a ring that doubles when it is full. Behind the event in the last place of a full ring it looks in the first (replay.go: findIDInQueue), so whoever resumes from that newest event, the 4096th for one, gets the whole history again."},
			"SSE-RESUME-007": unknownAsExact,
			"SSE-RESUME-012": noQuery,
			"SSE-SLOW-001":   {always(fail), "until every other subscriber had a message", joeWaits.why},
			"SSE-SLOW-002":   {always(fail), "until a publish was acknowledged", joeWaits.why + " A publish waits for that goroutine."},
			"SSE-SLOW-003":   publishersWait, "SSE-SLOW-005": publishersWait, "SSE-SLOW-007": publishersWait, "SSE-SLOW-008": publishersWait,
		},
	},
	{
		name: "nchan", host: "127.0.9.51", preset: "nchan", of: []string{"libnginx-mod-nchan", "nginx-light"},
		about: "the configuration that its preset asks for, with send_timeout 3s",
		begin: "nginx -p /tmp -c FILE # testdata/nchan.conf, filled in",
		start: runNchan,
		known: map[string]deviation{
			"SSE-FORM-003":   {always(fail), `published "a-.*\\rb", received "a-`, "Data are split at line feeds alone (eventsource.c); a carriage return ends a line for every client, and what follows it is read as a field."},
			"SSE-FORM-016":   noRetry,
			"SSE-HTTPS-006":  {always(warn), "no Cache-Control", "It is left to nginx's add_header."},
			"SSE-HTTPS-007":  {always(warn), "no Cache-Control", "It is left to nginx's add_header."},
			"SSE-HTTPS-008":  noAccel,
			"SSE-HTTPS-010":  {always(fail), "no head within", "HEAD is not answered at all, and the connection stays open."},
			"SSE-HTTPS-011":  {always(warn), "PATCH: no response", "A method that it does not know is not answered at all, and the connection stays open; DELETE is answered with 403."},
			"SSE-HTTPS-012":  {always(warn), `Accept "\*/\*": status 403`, "A location for nchan_subscriber eventsource serves nobody whose Accept does not name text/event-stream."},
			"SSE-HTTPS-014":  {always(fail), "no Vary", "The answer repeats the request's Origin, by default."},
			"SSE-HTTPS-015":  {always(fail), "Access-Control-Allow-Origin: https://evil.example, Access-Control-Allow-Credentials: true", "The answer repeats the request's Origin and allows credentials, by default: nchan_access_control_allow_origin and nchan_access_control_allow_credentials change that."},
			"SSE-HTTPS-016":  {always(fail), "Access-Control-Allow-Headers: If-None-Match", "The list of allowed header fields is a constant, without Authorization and Last-Event-ID."},
			"SSE-HTTPS-018":  noConnectionLimit,
			"SSE-RESUME-006": {sometimes(pass, warn), "published 2s after it did", "A position is a second and a number in it. With one that lies ahead in the current second, messages published later in that second do not come; those of the next one do."},
			"SSE-RESUME-007": unknownAsExact,
			"SSE-RESUME-008": {always(fail), "without a sign", "With a position that has left the history, the replay begins with the oldest message there is."},
			"SSE-SLOW-003":   {sometimes(pass, fail), "grew by", "What a subscriber does not take is kept in the worker's memory, without a limit: 128 MiB for four of them grew it by 120 MiB."},
			"SSE-SLOW-006":   {always(skip), "was not disconnected", "A subscriber that does not read is never disconnected."},
			"SSE-SLOW-007":   {always(warn), "the end of a connection that took nothing", "nginx's send_timeout, 3 s here, begins anew with each message and heartbeat, so it does not run out (nchan_output.c: ngx_add_timer)."},
		},
	},
	{
		name: "launchdarkly", host: "127.0.9.56", preset: "launchdarkly-eventsource", of: []string{"github.com/launchdarkly/eventsource"},
		about: "a server with a repository of our own (conformance/peers/servers/launchdarkly -own-repository)",
		begin: "go run ./servers/launchdarkly -addr 127.0.0.1:8080 -own-repository",
		start: runProgram("launchdarkly", "launchdarkly-eventsource", "LAUNCHDARKLY_EVENTSOURCE_URL", "-own-repository"),
		known: map[string]deviation{
			"SSE-FORM-003":   {always(fail), `published "a-.*\\rb", received "a-`, "Values are split at line feeds alone (encoder.go); a carriage return ends a line for every client, and what follows it is read as a field."},
			"SSE-FORM-004":   {always(fail), `\\rid: 7-`, "The type is split at line feeds alone (encoder.go). Whoever may choose it can add fields with a carriage return."},
			"SSE-FORM-016":   noRetry,
			"SSE-HTTPS-007":  {always(warn), "Cache-Control: no-cache, no-store, must-revalidate", "no-transform is not sent."},
			"SSE-HTTPS-008":  noAccel,
			"SSE-HTTPS-010":  headIsStream,
			"SSE-HTTPS-013":  {always(info), "nothing that was tried is an error", "A subscription without a stream is one to the stream without a name."},
			"SSE-HTTPS-018":  noConnectionLimit,
			"SSE-HBS-004":    ownHeartbeat,
			"SSE-RESUME-003": {sometimes(pass, fail), "came twice", keptTwice.why},
			"SSE-RESUME-005": {sometimes(pass, fail), "came twice", keptTwice.why},
			"SSE-RESUME-007": unknownAsExact,
			"SSE-RESUME-012": noQuery,
		},
	},
	{
		name: "better-sse", host: "127.0.9.57", preset: "better-sse", of: []string{"npm:better-sse"},
		about: "a server with the library's defaults and a channel for each stream (conformance/peers/servers/better-sse)",
		begin: "cd servers/better-sse && npm ci && node server.mjs --port 8080",
		start: runBetterSSE,
		known: map[string]deviation{
			"SSE-FORM-004":  {always(fail), `event:t-.*\\ndata: y-`, "The default sanitizer makes line feeds of all line breaks and takes those at the end away; those inside a type stay (sanitize.ts). Whoever may choose it can add fields and events."},
			"SSE-HTTPS-018": noConnectionLimit,
			"SSE-SLOW-003":  {always(fail), "grew by", "The result of response.write is not looked at: what a subscriber does not take is kept in the process, without a limit."},
			"SSE-SLOW-007":  noDeadline,
		},
	},
	{
		name: "go-sse with automatic ids", host: "127.0.9.54", preset: "go-sse", of: []string{"github.com/tmaxmax/go-sse"},
		about: "only resuming with a FiniteReplayer that makes the ids (conformance/peers/servers/gosse -automatic-ids), for each requirement on a server of its own: its history is one for all streams",
		begin: "go run ./servers/gosse -addr 127.0.0.1:8080 -automatic-ids",
		start: runProgram("gosse", "go-sse", "GO_SSE_URL", "-automatic-ids"),
		only:  []string{"SSE-RESUME-003", "SSE-RESUME-009"}, apart: []string{"SSE-RESUME-003", "SSE-RESUME-009"},
		known: map[string]deviation{
			"SSE-RESUME-003": {always(fail), "came twice|sent again", everythingAgain},
			"SSE-RESUME-009": {always(fail), "with the newest position came 1–12", everythingAgain},
		},
	},
	{
		name: "launchdarkly with SliceRepository", host: "127.0.9.58", preset: "launchdarkly-eventsource", of: []string{"github.com/launchdarkly/eventsource"},
		about: "only resuming with the library's own repository (conformance/peers/servers/launchdarkly), for each requirement on a server of its own: a subscriber that leaves in the middle of a replay can block publishing for good",
		begin: "go run ./servers/launchdarkly -addr 127.0.0.1:8080",
		start: runProgram("launchdarkly", "launchdarkly-eventsource", "LAUNCHDARKLY_EVENTSOURCE_URL"),
		only:  []string{"SSE-RESUME-009", "SSE-RESUME-017"}, apart: []string{"SSE-RESUME-009", "SSE-RESUME-017"},
		known: map[string]deviation{
			"SSE-RESUME-009": {always(fail), "with the newest position came 11–12", fromTheID.why + " (repository.go)"},
			"SSE-RESUME-017": {
				always(fail), "first difference after 0 of them|the target stopped answering",
				fromTheID.why + " (repository.go) When a subscriber leaves in the middle of a replay, the repository may stay locked, and no publish is answered any more: then that is what fails.",
			},
		},
	},
}

const everythingAgain = "Resuming from the newest id of all replays the whole history (replay.go: findIDInQueue)."

var (
	noRetry           = deviation{always(info), "no retry value", "No retry value is sent, so clients wait for as long as they like."}
	noAccel           = deviation{always(info), "no X-Accel-Buffering", "X-Accel-Buffering is not sent: an nginx before it has to be configured."}
	noConnectionLimit = deviation{always(info), "no limit was met", "32 connections of one user were accepted."}
	withoutIDs        = deviation{always(info), "(no|neither) ids", "Ids are the origin's matter, and ours makes none."}
	noQuery           = deviation{always(warn), "none of the query parameters", "A position is taken from the header alone."}
	headIsStream      = deviation{always(fail), "status 200, and the response had not ended", "The handler does not look at the method: HEAD is answered with the head of a stream, and the response never ends."}
	ownHeartbeat      = deviation{always(warn), "100% of the heartbeats of 40 connections", "The library has no heartbeat of its own; one that the application publishes reaches all subscribers at the same moment."}
	unknownAsExact    = deviation{always(warn), "an unknown position was answered as an exact one is", "A position that nobody ever had is answered with live messages, and nothing says that some may be missing."}
	noDeadline        = deviation{always(warn), "the end of a connection that took nothing", "Writing has no deadline, and none is documented: who does not read keeps a connection for as long as the kernel does."}
	publishersWait    = deviation{always(unknown), "a publish was not acknowledged", "Publishers wait for the subscriber that does not read, so not enough can be published."}
)
