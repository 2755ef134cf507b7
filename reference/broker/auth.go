package broker

import (
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
	options := []jwt.ParserOption{jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuedAt()}
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
	_, err := t.parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return t.key, nil })
	if err != nil || t.isRevoked(&claims) {
		return nil, errBadToken
	}
	return &claims, nil
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
