package mutant

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverAuthMutants breaks who may follow and publish what. A broker without a token key has nothing to break here.
var serverAuthMutants = []Mutant{
	{
		Name: "refuses-with-200", ID: "MS-39",
		Bug:    "Who brings no token gets a stream with an error event, and comes back for ever.",
		SeenIn: "plausible: the error is sent by the code that writes streams",
		Kills:  []string{"SSE-AUTH-001"},
		May:    anonymousIsAnswered,
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Header.Get("Authorization") != "" {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = w.Write([]byte("event: error\ndata: unauthorized\n\n")) // a client that left is not told
			})
		},
	},
	{
		Name:   "refuses-without-challenge",
		Bug:    "A 401 does not say how to authenticate.",
		SeenIn: "plausible: a framework's default 401",
		Kills:  []string{"SSE-AUTH-001"},
		May:    []May{{"SSE-AUTH-002", "a challenge that is missing does not say invalid_token"}},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Del("WWW-Authenticate") })
		},
	},
	{
		Name:      "lets-anybody-in",
		Bug:       "Whatever stands where a token should be opens every stream.",
		SeenIn:    "plausible: the presence of a header is tested",
		Kills:     []string{"SSE-AUTH-014"},
		Withholds: []string{"key"},
		May:       because("a token that is made up says nothing", "SSE-AUTH", "SSE-ISO-002", "SSE-RESUME-013"),
		Broker: func(c *broker.Config) {
			key, issuer, audience := c.TokenKey, c.TokenIssuer, c.TokenAudience
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if _, read := readToken(r.Header.Get("Authorization"), key); !read && r.Header.Get("Authorization") != "" {
					r = bearing(r, key, issuer, audience, broker.Claims{Subscribe: []string{"*"}})
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name:   "publishes-for-anybody",
		Bug:    "Who publishes is not asked for a token.",
		SeenIn: "plausible: an internal endpoint that became reachable",
		Kills:  []string{"SSE-AUTH-015"},
		May:    because("publishing is for everybody", "SSE-AUTH-008"),
		Broker: func(c *broker.Config) {
			key, issuer, audience := c.TokenKey, c.TokenIssuer, c.TokenAudience
			c.Tamper = onPublishes(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(w, bearing(r, key, issuer, audience, broker.Claims{Publish: []string{"*"}}))
			})
		},
	},
	{
		Name:   "takes-unsigned-tokens",
		Bug:    "A token whose header says alg=none needs no signature.",
		SeenIn: "CVE-2015-9235 and many libraries since",
		Kills:  []string{"SSE-AUTH-002"},
		May:    reasonsShow,
		Broker: resigning(func(_ *http.Request, t *token) bool { return t.alg == "none" }),
	},
	{
		Name:   "takes-any-signature",
		Bug:    "Tokens are read and never verified.",
		SeenIn: "plausible: decode instead of verify",
		Kills:  []string{"SSE-AUTH-002"},
		May:    reasonsShow,
		Broker: resigning(func(*http.Request, *token) bool { return true }),
	},
	{
		Name:   "takes-expired-tokens",
		Bug:    "The expiry of a token is not looked at.",
		SeenIn: "plausible: a validator whose time checks are off",
		Kills:  []string{"SSE-AUTH-002", "SSE-AUTH-010"},
		May:    reasonsShow,
		Broker: resigning(func(_ *http.Request, t *token) bool { return t.prolong() }),
	},
	{
		Name:   "takes-tokens-for-others",
		Bug:    "The audience of a token is not looked at: one made for another service opens streams.",
		SeenIn: "plausible: one key for several services",
		Kills:  []string{"SSE-AUTH-002"},
		May:    reasonsShow,
		Broker: func(c *broker.Config) {
			audience := c.TokenAudience
			resigning(func(_ *http.Request, t *token) bool {
				other := len(t.claims.Audience) > 0 && t.claims.Audience[0] != audience
				t.claims.Audience = jwt.ClaimStrings{audience}
				return other
			})(c)
		},
	},
	{
		Name:   "follows-any-stream",
		Bug:    "A valid token opens every stream.",
		SeenIn: "plausible: authentication taken for authorization",
		Kills:  []string{"SSE-AUTH-003"},
		May: append(because("it opens them to who comes back and to other tenants as well", "SSE-RESUME-013", "SSE-ISO-002"),
			May{"SSE-AUTH-008", "a publisher's token opens streams as well"}),
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Authorize: func(string, bool) bool { return true }}
		},
	},
	{
		Name: "checks-tokens-at-connect-only", ID: "MS-37",
		Bug:    "A stream outlives its token.",
		SeenIn: "Wave-RF/WaveHouse#239; kubestellar/console#6029; pubky/pubky-homeserver#492",
		Kills:  []string{"SSE-AUTH-004"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Expires: func(time.Time) time.Time { return time.Time{} }}
		},
	},
	{
		Name: "forgets-revocations", ID: "MS-37",
		Bug:    "Rights that were withdrawn count for whoever comes next, and not for open streams.",
		SeenIn: "kubestellar/console#6029; opendefender/OpenRisk#345",
		Kills:  []string{"SSE-AUTH-005"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Revoke: func(*broker.Subscriber) bool { return false }}
		},
	},
	{
		Name: "takes-tokens-from-the-query", ID: "MS-38",
		Bug:    "A token in the query, where logs keep it, is as good as one in the header.",
		SeenIn: "carlfugate/hackwise#71; RFC 9700",
		Kills:  []string{"SSE-AUTH-006"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if text := r.URL.Query().Get("access_token"); text != "" && r.Header.Get("Authorization") == "" {
					r = r.Clone(r.Context())
					r.Header.Set("Authorization", "Bearer "+text)
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name:   "repeats-wrong-tokens",
		Bug:    "A refusal repeats the token that it refuses, and so does what logs the refusal.",
		SeenIn: "plausible: the error of a JWT library handed through",
		Kills:  []string{"SSE-AUTH-007"},
		May:    reasonsShow,
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&explainer{ResponseWriter: w, text: "for " + r.Header.Get("Authorization") + "\n"}, r)
			})
		},
	},
	{
		Name:   "subscribers-may-publish",
		Bug:    "A token with any right on a stream may publish to it.",
		SeenIn: "plausible: one scope for both directions",
		Kills:  []string{"SSE-AUTH-008"},
		Broker: resigning(func(r *http.Request, t *token) bool {
			t.claims.Publish = append(t.claims.Publish, t.claims.Subscribe...)
			return t.signed && r.URL.Path == "/publish"
		}),
	},
	{
		Name:   "trusts-who-comes-back",
		Bug:    "An expired token is good enough for who comes back with a position.",
		SeenIn: "plausible: the session of the old connection vouches",
		Kills:  []string{"SSE-AUTH-010"},
		Broker: resigning(func(r *http.Request, t *token) bool {
			return r.Header.Get("Last-Event-ID") != "" && t.signed && t.prolong()
		}),
	},
	{
		Name:   "holds-refused-connections",
		Bug:    "A refusal never ends, so each costs a connection.",
		SeenIn: "plausible: a stream's response is opened before the token is checked",
		Kills:  []string{"SSE-AUTH-012"},
		May: []May{
			{"SSE-AUTH-007", "there is no end of a refusal to look at"},
			{"SSE-AUTH-013", "there is no end of a refusal to look at"},
		},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				end := &explainer{ResponseWriter: w}
				next.ServeHTTP(end, r)
				if end.refused {
					_ = http.NewResponseController(w).Flush() // it is refused either way
					<-r.Context().Done()
				}
			})
		},
	},
	{
		Name:   "tells-which-streams-exist",
		Bug:    "A stream that one may not follow is refused with 403 when it exists and with 404 when it does not.",
		SeenIn: "plausible: looked up before it is authorized",
		Kills:  []string{"SSE-AUTH-013"},
		Broker: func(c *broker.Config) {
			var known sync.Map
			c.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					stream := r.URL.Query().Get("stream")
					if r.URL.Path == "/publish" {
						known.Store(stream, true)
					} else if _, exists := known.Load(stream); !exists {
						w = &otherStatus{ResponseWriter: w, from: http.StatusForbidden, to: http.StatusNotFound}
					}
					next.ServeHTTP(w, r)
				})
			}}
		},
	},
}

var anonymousIsAnswered = []May{
	{"SSE-HTTPS-013", "it is an error that comes as a stream"},
	{"SSE-HTTPS-016", "a preflight request brings no token"},
	{"SSE-AUTH-006", "who brings no token is answered with 200"},
	{"SSE-AUTH-009", "who brings no token is answered with 200"},
	{"SSE-AUTH-012", "a stream is no refusal"},
}

var reasonsShow = []May{{"SSE-AUTH-013", "wrong tokens are answered differently"}}

// token is what a request claims.
type token struct {
	alg    string
	signed bool // by the right key
	claims broker.Claims
}

// prolong lets the token live for another hour, and says whether it had expired.
func (t *token) prolong() bool {
	expired := t.claims.ExpiresAt != nil && t.claims.ExpiresAt.Before(time.Now())
	if expired {
		t.claims.ExpiresAt = jwt.NewNumericDate(time.Now().Add(time.Hour))
	}
	return expired && t.signed
}

// resigning makes the tokens right that change says true of, with the claims that it leaves.
func resigning(change func(r *http.Request, t *token) bool) func(*broker.Config) {
	return func(c *broker.Config) {
		key := c.TokenKey
		c.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				t, ok := readToken(r.Header.Get("Authorization"), key)
				if ok && change(r, t) {
					if text, err := broker.SignToken(key, t.claims); err == nil {
						r = r.Clone(r.Context())
						r.Header.Set("Authorization", "Bearer "+text)
					}
				}
				next.ServeHTTP(w, r)
			})
		}}
	}
}

// bearing is a request with a right token for somebody.
func bearing(r *http.Request, key []byte, issuer, audience string, claims broker.Claims) *http.Request {
	claims.Issuer, claims.Audience, claims.Subject = issuer, jwt.ClaimStrings{audience}, "nobody"
	claims.ExpiresAt = jwt.NewNumericDate(time.Now().Add(time.Hour))
	text, err := broker.SignToken(key, claims)
	if err != nil {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+text)
	return r
}

// readToken reads what a token says, whoever signed it.
func readToken(header string, key []byte) (*token, bool) {
	parts := strings.Split(strings.TrimPrefix(header, "Bearer "), ".")
	if len(parts) != 3 || len(key) == 0 {
		return nil, false
	}
	var head struct {
		Alg string `json:"alg"`
	}
	t := &token{}
	for i, into := range []any{&head, &t.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return nil, false
		}
	}
	t.alg = head.Alg
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	t.signed = err == nil && t.alg == jwt.SigningMethodHS256.Alg() &&
		jwt.SigningMethodHS256.Verify(parts[0]+"."+parts[1], signature, key) == nil
	return t, true
}

// explainer adds a text to refusals.
type explainer struct {
	http.ResponseWriter

	text    string
	refused bool
}

func (e *explainer) Unwrap() http.ResponseWriter { return e.ResponseWriter }

func (e *explainer) WriteHeader(status int) {
	e.refused = status >= http.StatusBadRequest
	if e.refused {
		e.Header().Del("Content-Length")
	}
	e.ResponseWriter.WriteHeader(status)
}

func (e *explainer) Write(p []byte) (int, error) {
	n, err := e.ResponseWriter.Write(p)
	if e.refused && err == nil {
		_, err = fmt.Fprint(e.ResponseWriter, e.text)
	}
	return n, err
}

// otherStatus answers with another status.
type otherStatus struct {
	http.ResponseWriter

	from, to int
}

func (s *otherStatus) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *otherStatus) WriteHeader(status int) {
	if status == s.from {
		status = s.to
	}
	s.ResponseWriter.WriteHeader(status)
}
