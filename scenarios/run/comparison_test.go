package run

import (
	"bytes"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/secret"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/scenarios"
)

const talkative = `
name: talkative
load: {streams: 2, subscribers: 1, publish: {rate: 1/s, payload: %PAYLOAD%, types: {order: 1, shipped: 1}}}
duration: 10s
expect: {delivery: [intact]}
`

// talk is an engine that has a plan and nothing else.
func talk(t *testing.T, payload string) *engine {
	t.Helper()
	text := strings.ReplaceAll(talkative, "%PAYLOAD%", payload)
	s, err := scenarios.ParseScenario([]byte(text), scenarios.Source{})
	if err != nil {
		t.Fatal(err)
	}
	plan := scenarios.NewPlan(s, nil, 7)
	return &engine{target: new(scenarios.Target), plan: plan, contents: plan.Contents()}
}

// look is what a subscriber notes of the bytes that arrive for a message, as an event of a type.
func (e *engine) look(t *testing.T, kind string, arrived []byte) history.Observation {
	t.Helper()
	m, state := token.Scan(arrived, e.plan.Run)
	if state == token.None || state == token.OtherRun {
		t.Fatalf("no token of ours in %q", arrived)
	}
	var o history.Observation
	e.examine(&o, m, &sse.Event{Type: []byte(kind), Data: arrived}, state)
	return o
}

func (e *engine) published200() [][]byte {
	list := make([][]byte, 0, 200)
	for n := range uint64(200) {
		list = append(list, e.payload(nil, 1, 0, scenarios.Message{Number: n + 1, Due: time.Second, Type: "order"}, time.Second+time.Millisecond))
	}
	return list
}

func quotedJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAPayloadIsIntactInWhateverHoldsIt: what a target wraps it in, escapes it as, or writes anew is its own business.
func TestAPayloadIsIntactInWhateverHoldsIt(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"token", "json"} {
		e := talk(t, payload)
		for _, published := range e.published200() {
			line := token.Joined(published)
			twice := quotedJSON(t, map[string]any{"n": 1, "data": string(published)})
			for name, arrived := range map[string][]byte{
				"as it is": line, "in JSON": twice, "in JSON in JSON": quotedJSON(t, []string{string(twice)}),
				"in JSON within text": []byte(`42["message",` + string(twice) + `]`), "in text": []byte("message: " + string(line) + " (end)"),
				"in HTML": []byte("<p>" + html.EscapeString(string(line)) + "</p>"), "in a query": []byte("a=1&data=" + url.QueryEscape(string(line))),
			} {
				if o := e.look(t, "", arrived); o.Mark != 0 {
					t.Fatalf("%s, %s: %q: %s", payload, name, arrived, o.Data)
				}
			}
			if payload == "json" {
				var value map[string]any
				if err := json.Unmarshal(published, &value); err != nil {
					t.Fatal(err)
				}
				if o := e.look(t, "another", quotedJSON(t, value)); o.Mark != 0 {
					t.Fatalf("written anew: %s", o.Data)
				}
				if o := e.look(t, "", quotedJSON(t, map[string]any{"event": value})); o.Mark != 0 {
					t.Fatalf("as a value of JSON: %s", o.Data)
				}
			}
		}
	}
}

// TestEveryKindOfDamageIsSeenAndSaid: each changes some of two hundred messages, and is seen in each that it changes, also within JSON.
func TestEveryKindOfDamageIsSeenAndSaid(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"cut": func(b []byte) []byte { return b[:min(len(b), 700)] },
		"Latin-1": func(b []byte) []byte {
			made := make([]byte, 0, len(b))
			for _, r := range string(b) {
				made = append(made, byte(r))
			}
			return made
		},
		"no emoji": func(b []byte) []byte {
			return []byte(strings.Map(func(r rune) rune {
				if r > 0xffff {
					return '?'
				}
				return r
			}, string(b)))
		},
		"a character cut in two": func(b []byte) []byte {
			if len(b) < 300 || utf8.RuneStart(b[300]) {
				return b
			}
			return append(bytes.ToValidUTF8(bytes.Clone(b[:300]), []byte("\ufffd")), bytes.ToValidUTF8(b[300:], []byte("\ufffd"))...)
		},
		"trimmed":       bytes.TrimSpace,
		"one line":      func(b []byte) []byte { line, _, _ := bytes.Cut(b, []byte("\n")); return line },
		"joined lines":  func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), nil) },
		"decoded twice": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("%20"), []byte(" ")) },
		"escaped":       func(b []byte) []byte { return []byte(html.EscapeString(string(b))) },
		"a space added": func(b []byte) []byte { return append(bytes.Clone(b), ' ') },
		"doubled":       func(b []byte) []byte { return append(bytes.Clone(b), b...) },
	} {
		e, changed := talk(t, "token"), 0
		for _, published := range e.published200() {
			line := token.Joined(published)
			arrived := damage(bytes.Clone(line))
			if bytes.Equal(arrived, line) || token.Header(arrived) == nil {
				continue
			}
			changed++
			o := e.look(t, "", arrived)
			lines := strings.Split(o.Data, "\n")
			if o.Mark != history.Corrupted|history.Compared || len(lines) != 3 || !strings.Contains(lines[0], "of "+strconv.Itoa(len(line))) {
				t.Fatalf("%s: mark %d, %q, for %d bytes %q", name, o.Mark, o.Data, len(line), arrived)
			}
			inside := append(append([]byte(`{"d":`), quotedJSON(t, string(arrived))...), '}')
			if o := e.look(t, "", inside); o.Mark&history.Corrupted == 0 && !bytes.Contains(token.Joined(arrived), line) {
				t.Fatalf("%s: %q passes within JSON", name, arrived)
			}
		}
		if changed == 0 {
			t.Errorf("%s changes none of the messages", name)
		}
	}
}

func asItIs(pieces []string) []string { return pieces }

func TestWhereItDiffersIsSaid(t *testing.T) {
	t.Parallel()
	c := comparison{published: []byte("a cup of caf\u00e9 for two")}
	if c.carried([]byte("a cup of caf\xe9 for two")) {
		t.Fatal("Latin-1 passes")
	}
	const want = "the first difference is at byte 12 of 22\n" +
		`"a cup of caf" then "\u00e9 for two", the end (c3 a9 20 66 6f 72 20 74)` + "\n" +
		`"a cup of caf" then "\xe9 for two", the end (e9 20 66 6f 72 20 74 77)`
	if got := c.difference(asItIs); got != want {
		t.Errorf("said is\n%s\nwant\n%s", got, want)
	}
	c = comparison{published: []byte(strings.Repeat("x", 5000))}
	if c.carried([]byte(strings.Repeat("x", 4096))) || !strings.HasPrefix(c.difference(asItIs), "it ends after 4096 of 5000 bytes\n") {
		t.Errorf("said is\n%s", c.difference(asItIs))
	}
	text := []byte("the message with a-token-of-many-characters-which-is-secret within")
	hider := secret.New(nil)
	hider.Add("a-token-of-many-characters-which-is-secret")
	for at := range text {
		if said := around(text, at, hider.HidePieces); strings.Contains(said, "token") || strings.Contains(said, "characters") || strings.Contains(said, "which") {
			t.Errorf("at byte %d half a secret is shown: %s", at, said)
		}
	}
}
