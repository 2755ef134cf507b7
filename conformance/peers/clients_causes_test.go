package peers

// onFetchOfNode is what the fetch of Node.js does to clients that are made with it.
var onFetchOfNode = map[string]deviation{
	"SSE-HTTPC-021": chunkExtension,
	"SSE-HTTPC-024": interimResponse,
	"SSE-RECON-016": {always(fail), `request 2: "caf\\xe9"`, "fetch takes header fields as Latin-1: é is sent as the byte E9. An id with a character above U+00FF makes every further attempt throw, so the client never comes back."},
	"SSE-RECON-022": {always(warn), `after the id "\\x01": 1 request`, "fetch refuses control characters in header fields: after such an id every further attempt throws, and the client never comes back."},
}

var (
	chunkExtension       = deviation{always(warn), "chunk extensions without a value", "The HTTP parser of Node.js 20 refuses a chunk extension without a value, \"a;b\", which RFC 9112 allows: the stream is a network error."}
	interimResponse      = deviation{always(fail), "100 Continue", "The fetch of Node.js takes a 100 that it did not ask for as a bad response. A 103 is skipped."}
	timerOverflows       = deviation{always(fail), "2147483648|2\\^31|times within", "The time goes to setTimeout as it is, which takes what is above 2^31-1 ms for 1 ms: one field of a server makes it come back tens to hundreds of times a second."}
	waitsBehindCR        = deviation{always(warn), "event 1 was not reported", "A CR at the end of what has arrived waits for the next byte, in case that is an LF (eventsource-parser: processLines)."}
	typeBegins           = deviation{always(fail), "text/event-streamx", "The content type need only begin with text/event-stream."}
	typeHasCase          = deviation{always(fail), "TEXT/EVENT-STREAM", "The content type is compared with regard to case."}
	retryIsParsed        = deviation{always(fail), "retry:1000x", "retry is read by parseInt, which takes the digits in front of anything else, and numbers with a sign."}
	asksTheOriginal      = deviation{always(info), "the original URL again", "After a loss the original URL is asked, and redirects again."}
	asksTheTarget        = deviation{always(info), "where the redirect led", "After a loss the redirect's target is asked."}
	constantDelay        = deviation{always(warn), "constant ones are tolerated", "The delay is constant, which HTML allows."}
	constantDeclared     = deviation{always(warn), "constant, as its policy declares", "The delay is constant."}
	noJitter             = deviation{always(warn), "declares no jitter", "All clients come back at the same moment: there is no jitter."}
	nothingToReset       = deviation{always(info), "nothing to set back", "The delay does not grow."}
	noRetryAfter         = deviation{always(warn), "503 with Retry-After", "Retry-After is not looked at."}
	staysWithRefusals    = deviation{sometimes(pass, warn), "the connection", "What it does not take for a stream it does not cancel either: the connection stays until the body ends, an idle time is over or the garbage collector comes."}
	waitsForEver         = deviation{always(warn), "it still waits after", "Nobody ends an attempt that is not answered: fetch waits for five minutes, net/http for ever. A timeout in the options of the HTTP client does."}
	bytesAsTheyAre       = deviation{always(warn), "the bytes as they were", "Bytes that are no UTF-8 are handed on as they are."}
	controlCharacters    = deviation{always(warn), `after the id "\\x01": 1 request`, "net/http refuses control characters in header fields: after such an id every further attempt fails, and the client never comes back."}
	sameHost             = deviation{always(warn), "another port of the same host", "net/http keeps Authorization and Cookie when a redirect leads to another port of the host. CheckRedirect in the HTTP client can drop them."}
	keepsBOM             = deviation{always(fail), "bom", "A BOM at the beginning is not dropped, so the first line of such a stream is a field that nobody knows."}
	millisecondsOverflow = deviation{always(fail), `9223372036854775808|2\^63|times within`, "A value of retry that is too large is read as the largest there is, which overflows in milliseconds: hundreds of requests a second."}
	retryAtBlankLine     = deviation{sometimes(fail, unknown), "", "retry counts with the blank line behind its block only; HTML sets the time when it reads the field."}
	noTypeChecked        = deviation{always(warn), "content type text/plain", "The content type is not looked at, so it is no cause of anything."}
	noTypeLooked         = deviation{always(fail), `type "application/json"|7 deviations`, "The content type is not looked at."}
	constantByDefault    = deviation{always(warn), "constant, as its policy declares", "The delay is constant. Options make it grow, and vary."}
	noJitterByDefault    = deviation{always(warn), "declares no jitter", "All clients come back at the same moment. An option adds jitter."}
	mixedLineEnds        = deviation{always(fail), "message", "Each line is looked for from the beginning of what has arrived, and a CR that is passed again makes an LF behind the line vanish (eventsource.js: startingPos, discardTrailingNewline): where CR and LF are mixed, blank lines are lost, and events run into one another."}
	mixedNowAndThen      = deviation{sometimes(fail, unknown), "", "Lines that end in CR or CRLF, followed by ones that end in LF, run into one another, and how far depends on the pieces in which they arrive: see SSE-PARSE-012."}
	cutBOM               = deviation{sometimes(pass, fail), "no event|-bom", "A BOM is looked for in the first piece of the stream alone, so one that arrives in two is not found (eventsource.js: hasBom)."}
	relativeRedirect     = deviation{always(fail), "Invalid URL", "A relative Location goes to http.request as it is, which throws where nobody catches it: such a redirect ends the process (eventsource.js: connect). Of the redirects only 301 and 307 are followed."}
	emptyBlocks          = deviation{always(warn), "so it dispatches blocks without data", "A block without data is reported as an event without data, which HTML forbids browsers alone. Heartbeats are among them where comments are blocks to the client."}
)

const (
	ownIDAlone         = "lastEventId is the id of the event's own block, and empty when it has none (index.js: _onEvent), where HTML keeps the last one."
	noContentIsAnError = "A 204 has no body, reading it throws, and what throws is tried again (eventsource.js: FetchTransport)."
	statusIsIgnored    = "The status is not looked at, but for 204 (client.ts: onFetchResponse): a body is read as a stream whatever it is."
	emptyLines         = "A data field is joined to those before it only if they are not empty (parse.ts: message.data ?), so lines of empty data are lost."
	staysAway          = "When a stream ends cleanly, the subscription returns nil, and the client does not come back (client.go: readLoop). An application has to subscribe again, with a LastEventID of its own; only a connection that breaks is repeated."
	idAtOnce           = "An id counts as soon as its line is read (parse.ts: onId), not with the blank line behind its block: an event that is cut off is lost for ever."
)
