package run

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// WiringError says that nothing arrives of what is published as the target file says: the file is wrong, or the target.
type WiringError struct {
	Lines []string
	Mute  string // how the target broke its own declaration meanwhile, which is no fault of the file; "": it did not
}

func (e *WiringError) Error() string { return strings.Join(e.Lines, "\n") }

// account tells what was sent, what came back and what was seen.
func (w *wiring) account() *WiringError {
	posts := w.posted()
	lines := []string{"nothing was judged: what is published as the target file says does not arrive where it says. The file is wrong, or the target does not deliver"}
	if status := refused(posts); status > 0 {
		lines[0] = fmt.Sprintf("nothing was judged: the target takes no message: it answered all %d with status %d. %s", len(posts), status, whose(status))
	}
	if len(posts) > 0 {
		lines = append(lines, w.sent(posts)...)
	}
	lines = append(lines, w.heard()...)
	for _, cause := range w.causes(posts) {
		lines = append(lines, "  cause     "+cause)
	}
	return &WiringError{Lines: lines}
}

// refused is the status that all publishes were refused with, 0 if there is none.
func refused(posts []posted) (status int) {
	for i, p := range posts {
		if p.accepted || p.status == 0 || i > 0 && p.status != status {
			return 0
		}
		status = p.status
	}
	return status
}

// whose fault it is that a status refuses.
func whose(status int) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "See auth and publish in the target file"
	case status >= 500:
		return "See its log: it could not do what publish in the target file asks for"
	case status >= 400:
		return "See publish in the target file: method, url, headers and body"
	}
	return "See publish in the target file: url, or accept if that is how it says yes"
}

func (w *wiring) sent(posts []posted) []string {
	p := posts[0]
	body := "no body"
	if len(p.request.Body) > 0 {
		body = fmt.Sprintf("%s, %s: %s", p.request.Header.Get("Content-Type"), conformance.Plural(len(p.request.Body), "byte"), sse.Escape([]byte(excerpt(p.request.Body))))
	}
	lines := []string{fmt.Sprintf("  sent      %s %s, %s", p.request.Method, p.request.URL, body)}
	accepted := 0
	for _, p := range posts {
		if p.accepted {
			accepted++
		}
	}
	var answer string
	switch {
	case p.status == 0 && p.err != nil:
		answer = "nothing: " + p.err.Error()
	case len(p.answer) == 0:
		answer = fmt.Sprintf("status %d without a body", p.status)
	default:
		answer = fmt.Sprintf("status %d, %s: %s", p.status, conformance.Plural(len(p.answer), "byte"), sse.Escape([]byte(excerpt(p.answer))))
	}
	return append(lines, fmt.Sprintf("  answered  %s, after %s", answer, p.took.Round(time.Millisecond)),
		fmt.Sprintf("            of %d such messages %d were taken, by what publish.accept says", len(posts), accepted))
}

// heard is what came over the stream.
func (w *wiring) heard() []string {
	l := w.first
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := []string{fmt.Sprintf("  stream    GET %s", l.asked.URL)}
	open := "stayed open"
	if l.ends > 0 {
		open = fmt.Sprintf("ended %s, the last time with: %s", conformance.Plural(l.ends, "time"), endOf(l.end))
	}
	lines = append(lines, fmt.Sprintf("            it %s; over it came %s, with events: %d, comments: %d", open, conformance.Plural(l.bytes, "byte"), l.count, l.comments))
	for i, e := range l.events {
		if i == shownEvents {
			lines = append(lines, "            …")
			break
		}
		lines = append(lines, fmt.Sprintf("            after %s: event %q, data %s", e.at.Sub(l.opened).Round(time.Millisecond), cmp.Or(e.kind, "message"), sse.Escape([]byte(e.data))))
	}
	return lines
}

const shownEvents = 3

func endOf(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return "the end of the response"
	}
	return err.Error()
}

// causes are those that were tried, and found.
func (w *wiring) causes(posts []posted) (found []string) {
	l := w.first
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(posts) > 0 && !w.carried() {
		found = append(found, "the request holds nothing of the message: write {{.Data}} where it belongs, in publish.body, json, form or url")
	}
	if l.encoded {
		found = append(found, "the messages arrive in base64, in which they are not recognised")
	}
	for _, p := range posts {
		if p.accepted && tellsOfError(p.answer) {
			found = append(found, "the answer has an accepted status, and its body tells of an error: declare publish.reject_body, and mend what it says")
			break
		}
	}
	if len(l.events) > 0 && l.count == 1 && l.events[0].at.Sub(l.opened) < wiringSchedule[1] && tellsOfError([]byte(l.events[0].data)) {
		found = append(found, "the only event answers the connection, and tells of an error")
	}
	return append(found, w.tried...)
}

// tellsOfError says that a JSON object has an error in it, or denies success.
func tellsOfError(body []byte) bool {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return false
	}
	for _, key := range []string{"error", "errors", "disconnect"} {
		switch v := object[key].(type) {
		case nil:
		case bool:
			if v {
				return true
			}
		case string:
			if v != "" {
				return true
			}
		case []any:
			if len(v) > 0 {
				return true
			}
		default:
			return true
		}
	}
	for _, key := range []string{"ok", "success"} {
		if done, told := object[key].(bool); told && !done {
			return true
		}
	}
	return false
}
