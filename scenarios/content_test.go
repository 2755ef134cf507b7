package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

const varied = `
name: a
load: {subscribers: %d, publish: {rate: 1/s%s}}
duration: 10s
expect: {delivery: [intact]}
`

// contentsOf are the contents of a scenario's messages on a target whose publish request is given in YAML; "" for the embedded broker.
func contentsOf(t *testing.T, subscribers int, publish, request string) *Contents {
	t.Helper()
	s, err := ParseScenario(fmt.Appendf(nil, varied, subscribers, publish), Source{})
	if err != nil {
		t.Fatal(err)
	}
	if request == "" {
		return NewPlan(s, nil, 1).Contents()
	}
	return NewPlan(s, targetWith(t, request), 1).Contents()
}

func targetWith(t *testing.T, request string) *Target {
	t.Helper()
	target, err := ParseTarget([]byte("name: a\nsubscribe: {url: http://a}\npublish: "+request), Source{})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestPayloadsVary(t *testing.T) {
	t.Parallel()
	c := contentsOf(t, 50, "", "")
	const n = 20_000
	sum, small, text := 0, 0, strings.Builder{}
	shortest, longest := mostVaried, 0
	for number := range uint64(n) {
		made := c.Content(0, 0, number, "")
		all := append(bytes.Clone(made.Before), made.After...)
		if !utf8.Valid(all) || bytes.IndexByte(all, 0) >= 0 || bytes.ContainsAny(made.Before, "\r\n") || bytes.HasSuffix(all, []byte("\n")) || bytes.HasSuffix(all, []byte("\r")) {
			t.Fatalf("message %d is %q and %q", number, made.Before, made.After)
		}
		again := c.Content(0, 0, number, "")
		if !bytes.Equal(again.After, made.After) || !bytes.Equal(again.Before, made.Before) {
			t.Fatalf("message %d is another one when asked again", number)
		}
		sum += len(all) + MinPayload
		shortest, longest = min(shortest, len(all)), max(longest, len(all))
		if len(all) < 1<<10 {
			small++
			text.Write(all)
		}
	}
	if mean := sum / n; mean < meanVaried*9/10 || mean > meanVaried*11/10 {
		t.Errorf("payloads have %d bytes in the mean, said are %d", mean, meanVaried)
	}
	if shortest > 2 || longest < 64<<10 || longest > mostVaried || small < n*3/4 {
		t.Errorf("texts of %d to %d bytes, %d of %d below 1 KiB", shortest, longest, small, n)
	}
	for _, piece := range []string{"é", "€", "😀", "\u2028", "\r\n", "\r\r", "\n\n", `"`, `\`, "\ndata: x", "\n\nid: 3\n", `{"a":[1,2.50,null,true]`} {
		if !strings.Contains(text.String(), piece) {
			t.Errorf("no text has %q", piece)
		}
	}
	if reached := contentsOf(t, 4000, "", "").Largest(); reached > 8<<10 {
		t.Errorf("4,000 subscribers get messages of up to %d bytes", reached)
	}
}

func TestASizeThatIsGivenIsKept(t *testing.T) {
	t.Parallel()
	for _, publish := range []string{", size: 160B", ", size: 256B", ", size: 8KiB, payload: json", ", size: 320B, payload: json"} {
		c := contentsOf(t, 50, publish, "")
		for number := range uint64(500) {
			made := c.Content(0, 0, number, "")
			if len(made.Before)+len(made.After)+MinPayload > made.Size+tokenSlack || made.Size != c.Largest() {
				t.Fatalf("%s: %d and %d bytes around the token of a payload of %d", publish, len(made.Before), len(made.After), made.Size)
			}
		}
	}
}

// tokenSlack is what is between the longest token and what a payload has to have room for.
const tokenSlack = MinPayload - 136

func TestPayloadsAreWhatTheTargetCarries(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]struct {
		kind    Payload
		largest int
	}{
		`{url: http://a, body: "{{.Data}}"}`:                                                            {PayloadText, mostVaried},
		`{url: http://a, form: {data: "{{.Data}}", topic: "{{.Stream}}"}}`:                              {PayloadText, mostVaried},
		`{url: http://a, json: {data: ["{{.Data}}"], type: "{{.Type}}"}}`:                               {PayloadText, mostVaried},
		`{url: http://a, body: '{"data": {{.Data | json}}, "n": {{.Number}}}'}`:                         {PayloadText, mostVaried},
		`{url: http://a, body: '{"data": {{json .Data}}}', headers: {Content-Type: application/json}}`:  {PayloadText, mostVaried},
		`{url: http://a, body: '{"data": "{{.Data}}"}'}`:                                                {PayloadASCII, mostVaried},
		`{url: http://a, body: '{{if .Type}}{{.Data}}{{end}}'}`:                                         {PayloadASCII, mostVaried},
		`{url: http://a, json: {data: "{\"inner\":\"{{.Data}}\"}"}}`:                                    {PayloadASCII, mostVaried},
		`{url: http://a, body: x, headers: {X-Data: "{{.Data}}"}}`:                                      {PayloadASCII, mostVaried},
		`{url: "http://a?data={{.Data}}", method: GET}`:                                                 {PayloadText, mostInURL},
		`{url: http://a, body: "{{.Data}}", headers: {content-type: application/json}}`:                 {PayloadJSON, mostVaried},
		`{url: http://a, body: "{{.Data}}", payload: line}`:                                             {PayloadLine, mostVaried},
		`{url: http://a, body: "{{.Data}}", payload: json, largest: 4KiB}`:                              {PayloadJSON, 4096},
		`{url: http://a, body: "{{.Data}}", headers: {Content-Type: application/json}, payload: ascii}`: {PayloadASCII, mostVaried},
	} {
		if kind, largest := targetWith(t, request).carries(); kind != want.kind || largest != want.largest {
			t.Errorf("%s carries %s of up to %d bytes, want %v", request, kind, largest, want)
		}
		c := contentsOf(t, 1, "", request)
		for number := range uint64(300) {
			made := c.Content(0, 0, number, "")
			checkCarried(t, want.kind, append(append(bytes.Clone(made.Before), "TOKEN"...), made.After...))
		}
	}
}

func checkCarried(t *testing.T, kind Payload, payload []byte) {
	t.Helper()
	switch kind {
	case PayloadLine:
		if bytes.ContainsAny(payload, "\r\n\u0085\u2028") {
			t.Fatalf("more than a line: %q", payload)
		}
	case PayloadASCII:
		if string(payload) != "TOKEN" {
			t.Fatalf("more than the token: %q", payload)
		}
	case PayloadJSON:
		var object struct{ Type, Stream, Token string }
		if err := json.Unmarshal(payload, &object); err != nil || object.Stream == "" {
			t.Fatalf("%q is %+v: %v", payload, object, err)
		}
	}
}

func TestAPayloadThatTheRequestCannotCarryIsRefused(t *testing.T) {
	t.Parallel()
	for request, key := range map[string]string{
		`{url: http://a, body: '{"data": "{{.Data}}"}', payload: text}`: "publish.payload",
		`{url: http://a, body: "{{.Data}}", payload: xml}`:              "publish.payload",
		`{url: http://a, body: "{{.Data}}", largest: 100B}`:             "publish.largest",
	} {
		_, err := ParseTarget([]byte("name: a\nsubscribe: {url: http://a}\npublish: "+request), Source{})
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s: %v, want a problem with %s", request, err, key)
		}
	}
}
