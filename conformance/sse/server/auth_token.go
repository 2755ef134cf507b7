package server

import (
	"maps"
	"strings"
	"time"
)

// wrongToken is a token that is to be refused.
type wrongToken struct{ name, text string }

// wrongTokens are made of the claims of a right one, each with one thing wrong.
func wrongTokens(t *Trial, claims map[string]any) []wrongToken {
	sign := func(key []byte, header, claims map[string]any) string {
		text, err := SignToken(key, header, claims)
		if err != nil {
			t.Unknown("%v", err)
		}
		return text
	}
	with := func(name string, value any) string {
		changed := map[string]any{}
		maps.Copy(changed, claims)
		changed[name] = value
		return sign(t.Subject.Key, HS256(), changed)
	}
	now := time.Now()
	right := sign(t.Subject.Key, HS256(), claims)
	unsigned := sign(t.Subject.Key, map[string]any{"alg": "none", "typ": "JWT"}, claims)
	wrong := []wrongToken{
		{"expired", with("exp", now.Add(-time.Hour).Unix())},
		{"not yet valid", with("nbf", now.Add(time.Hour).Unix())},
		{"malformed", "streamgauge-no-token"},
		{"cut short", right[:len(right)-8]},
		{"signed with another key", sign(append([]byte("not "), t.Subject.Key...), HS256(), claims)},
		{"not signed (alg=none)", unsigned[:strings.LastIndexByte(unsigned, '.')+1]},
	}
	for name, word := range map[string]string{"aud": "for another audience", "iss": "from another issuer"} {
		if _, checked := claims[name]; checked {
			wrong = append(wrong, wrongToken{word, with(name, "streamgauge.invalid")})
		}
	}
	return wrong
}
