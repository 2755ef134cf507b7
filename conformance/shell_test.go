package conformance

import (
	"os/exec"
	"testing"
)

func TestAShellReadsTheWordThatIsShown(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	for shown, want := range map[string]string{
		"plain-word":                                    "plain-word",
		"Accept: text/event-stream":                     "Accept: text/event-stream",
		"it's $HOME":                                    "it's $HOME",
		"http://h/?a=1&access_token=***":                "http://h/?a=1&access_token=from-the-shell",
		"http://bob:***@h/":                             "http://bob:pw@h/",
		"X-API-Key: ${X_API_KEY}":                       "X-API-Key: the key",
		`a "quoted" $HOME \ ` + "`x` ${X_API_KEY} $(1)": `a "quoted" $HOME \ ` + "`x` the key $(1)",
		"": "",
	} {
		c := exec.CommandContext(t.Context(), sh, "-c", "printf %s "+ShellWord(shown))
		c.Env = []string{"ACCESS_TOKEN=from-the-shell", "PASSWORD=pw", "X_API_KEY=the key", "HOME=home"}
		if out, err := c.Output(); err != nil || string(out) != want {
			t.Errorf("%s as %s: got %s, %v, want %s", shown, ShellWord(shown), out, err, want)
		}
	}
}
