package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// notices are the ways in which an answer tells a client that it may have missed something: what it has and the answers to exact
// resumes, the usual ones, do not have. A comment is none, because applications never see it.
func (t *Trial) notices(f *follower, usual ...*follower) []string {
	var told []string
	p := f.taps[0]
	if p.Status() != http.StatusOK {
		return []string{fmt.Sprintf("status %d", p.Status())}
	}
	told = append(told, headerNotices(f, usual)...)
	known := map[string]bool{}
	for _, u := range usual {
		for _, e := range u.taps[0].Events() {
			if !t.ours(e) {
				known[e.Type+"\n"+e.Data] = true
			}
		}
	}
	for _, e := range p.Events() {
		if !t.ours(e) && e.Type != t.Subject.Ping && !known[e.Type+"\n"+e.Data] {
			told = append(told, "an event of type "+sse.Escape([]byte(e.Type)))
			break
		}
	}
	return told
}

// told says whether a replay of a course came with a sign that something is missing.
func (t *Trial) told(c *course, r *replay) bool { return len(t.notices(r.follower, t.usual(c)...)) > 0 }

// ours says whether we published an event.
func (t *Trial) ours(e Event) bool { return strings.Contains(e.Data, "streamgauge-"+t.suite.run+"-") }

// volatile are headers that differ from answer to answer whatever was asked.
var volatile = []string{"Date", "Age", "Expires", "Set-Cookie", "Content-Length", "Last-Modified", "Server-Timing", "Keep-Alive"}

// headerNotices are headers that are the same on all usual answers, or repeat the position on all of them, and do neither here.
func headerNotices(f *follower, usual []*follower) (told []string) {
	if len(usual) < 2 {
		return nil
	}
	names := map[string]bool{}
	for _, u := range append(slices.Clone(usual), f) {
		for name := range u.taps[0].Response.Header {
			names[name] = !slices.Contains(volatile, name) && !strings.Contains(strings.ToLower(name), "ratelimit")
		}
	}
	for name, counts := range names {
		if counts && stands(name, f, usual) {
			told = append(told, "header "+name+": "+sse.Escape([]byte(f.taps[0].Header(name))))
		}
	}
	slices.Sort(told)
	return told
}

func stands(name string, f *follower, usual []*follower) bool {
	constant, repeats := true, true
	for _, u := range usual {
		value := u.taps[0].Header(name)
		constant = constant && value == usual[0].taps[0].Header(name)
		repeats = repeats && value != "" && value == u.asked
	}
	value := f.taps[0].Header(name)
	return constant && value != usual[0].taps[0].Header(name) || repeats && value != f.asked
}
