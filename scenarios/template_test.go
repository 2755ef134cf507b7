package scenarios

import (
	"strings"
	"testing"
)

// TestAFieldOfAnotherTemplateIsNoTypingMistake holds for what a newcomer expects where it is not.
func TestAFieldOfAnotherTemplateIsNoTypingMistake(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`subscribe: {url: "http://h/"}, publish: {url: "http://h/{{.Subscriber}}", body: "{{.Data}}"}`:        "all subscribers of {{.Stream}}",
		`subscribe: {url: "http://h/"}, publish: {url: "http://h/", json: {to: ["{{.Streams}}"]}}`:            "one stream: {{.Stream}}",
		`subscribe: {url: "http://h/{{.Data}}"}`:                                                              "stands in publish alone",
		`subscribe: {url: "http://h/{{.Number}}"}`:                                                            "a subscription has {{.Stream}}, {{.Streams}}, {{.Subscriber}}, {{.Token}}",
		`subscribe: {url: "http://h/{{.Subscribr}}"}`:                                                         "did you mean {{.Subscriber}}?",
		`subscribe: {url: "http://h/"}, publish: {url: "http://h/", form: {a: "{{.Numbr}}", b: "{{.Data}}"}}`: "did you mean {{.Number}}?",
	} {
		_, err := ParseTarget([]byte("{name: t, "+text+"}"), Source{Name: "t.yaml"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
