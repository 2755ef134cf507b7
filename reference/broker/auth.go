package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are what a token grants. Streams are compared exactly; "*" stands for all of them.
type Claims struct {
	jwt.RegisteredClaims

	Subscribe []string `json:"subscribe,omitempty"`
	Publish   []string `json:"publish,omitempty"`
}

// UnmarshalJSON reads claims by their exact names (RFC 7519, 10.1.1); encoding/json would take any case of them.
func (c *Claims) UnmarshalJSON(text []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, value := range all {
		if slices.Contains([]string{"exp", "nbf", "iat"}, name) && value[0] == '"' {
			return fmt.Errorf("%s is a text", name) // that is a number to the parser of numbers
		}
		if name != strings.ToLower(name) { // the names of all claims that are read here are of small letters
			delete(all, name)
		}
	}
	exact, err := json.Marshal(all)
	if err != nil {
		return err
	}
	type claims Claims
	return json.Unmarshal(exact, (*claims)(c))
}

// SignToken makes a token that a broker with the same key accepts.
func SignToken(key []byte, claims Claims) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("signing a token for %q: %w", claims.Subject, err)
	}
	return token, nil
}

// tokens checks bearer tokens. They are read from the Authorization header alone: a query string ends up in logs.
type tokens struct {
	key    []byte
	parser *jwt.Parser

	mu      sync.Mutex
	revoked map[string]time.Time // by subject
}

func newTokens(c Config) *tokens {
	options := []jwt.ParserOption{jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuedAt(), jwt.WithStrictDecoding()}
	if c.TokenIssuer != "" {
		options = append(options, jwt.WithIssuer(c.TokenIssuer))
	}
	if c.TokenAudience != "" {
		options = append(options, jwt.WithAudience(c.TokenAudience))
	}
	return &tokens{key: c.TokenKey, parser: jwt.NewParser(options...), revoked: map[string]time.Time{}}
}

// errNoToken and errBadToken are all that a client learns about its token.
var (
	errNoToken  = errors.New("a bearer token is required")
	errBadToken = errors.New("the bearer token is not valid")
)

// check returns the claims of a request, nil when the broker is open.
func (t *tokens) check(r *http.Request) (*Claims, error) {
	if len(t.key) == 0 {
		return nil, nil
	}
	text, ok := bearer(r.Header.Get("Authorization"))
	if !ok {
		return nil, errNoToken
	}
	var claims Claims
	_, err := t.parser.ParseWithClaims(text, &claims, t.keyFor)
	if err != nil || t.isRevoked(&claims) {
		return nil, errBadToken
	}
	return &claims, nil
}

// keyFor is the key, for a token whose header asks for nothing that is not understood here: no extension is (RFC 7515, 4.1.11), and a payload that
// is not encoded is no JWT's (RFC 7797, 7).
func (t *tokens) keyFor(token *jwt.Token) (any, error) {
	if _, extended := token.Header["crit"]; extended {
		return nil, errors.New("crit names extensions")
	}
	if encoded, given := token.Header["b64"]; given && encoded != true {
		return nil, errors.New("the payload is not encoded")
	}
	return t.key, nil
}

func bearer(header string) (token string, ok bool) {
	scheme, token, ok := strings.Cut(header, " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "bearer")
}

func (t *tokens) revoke(subject string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revoked[subject] = time.Now()
}

// isRevoked compares whole seconds, the unit of iat: a token issued in the second of the revocation counts as older.
func (t *tokens) isRevoked(c *Claims) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, ok := t.revoked[c.Subject]
	return ok && (c.IssuedAt == nil || c.IssuedAt.Unix() <= at.Unix())
}

// maySubscribe and mayPublish hold for nil claims, those of an open broker.
func (c *Claims) maySubscribe(stream string) bool { return c == nil || grants(c.Subscribe, stream) }

func (c *Claims) mayPublish(stream string) bool { return c == nil || grants(c.Publish, stream) }

func grants(streams []string, stream string) bool {
	return slices.Contains(streams, stream) || slices.Contains(streams, "*")
}

func (c *Claims) subject() string {
	if c == nil {
		return ""
	}
	return c.Subject
}

// expires returns the zero time for a token that does not.
func (c *Claims) expires() time.Time {
	if c == nil || c.ExpiresAt == nil {
		return time.Time{}
	}
	return c.ExpiresAt.Time
}
