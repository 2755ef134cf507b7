package broker

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var testKey = []byte("a key of the tests, long enough for HS256")

func token(t testing.TB, key []byte, claims Claims) string {
	t.Helper()
	text, err := SignToken(key, claims)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

func in(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(time.Now().Add(d)) }

func all() Claims {
	return Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: "u1", Issuer: "us", Audience: jwt.ClaimStrings{"gauge"}, ExpiresAt: in(time.Hour),
		},
		Subscribe: []string{"*"}, Publish: []string{"*"},
	}
}

func TestWrongTokensAreRefusedAlike(t *testing.T) {
	t.Parallel()
	_, url := newURL(t, Config{TokenKey: testKey, TokenIssuer: "us", TokenAudience: "gauge"})
	with := func(change func(*Claims)) string {
		claims := all()
		change(&claims)
		return token(t, testKey, claims)
	}
	good := with(func(*Claims) {})
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, all()).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	hs512, err := jwt.NewWithClaims(jwt.SigningMethodHS512, all()).SignedString(testKey)
	if err != nil {
		t.Fatal(err)
	}
	header := func(name string, value any) string {
		t.Helper()
		made := jwt.NewWithClaims(jwt.SigningMethodHS256, all())
		made.Header[name] = value
		text, err := made.SignedString(testKey)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	raw := func(header, claims string) string {
		t.Helper()
		signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
		signature, err := jwt.SigningMethodHS256.Sign(signed, testKey)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	const hs256, rights = `{"alg":"HS256"}`, `"iss":"us","aud":"gauge","subscribe":["*"]`
	var first string
	for name, authorization := range map[string]string{
		"expired":           with(func(c *Claims) { c.ExpiresAt = in(-time.Second) }),
		"not yet valid":     with(func(c *Claims) { c.NotBefore = in(time.Minute) }),
		"issued in future":  with(func(c *Claims) { c.IssuedAt = in(time.Minute) }),
		"wrong issuer":      with(func(c *Claims) { c.Issuer = "them" }),
		"wrong audience":    with(func(c *Claims) { c.Audience = jwt.ClaimStrings{"other"} }),
		"wrong key":         token(t, []byte("another"), all()),
		"algorithm none":    "Bearer " + none,
		"another algorithm": "Bearer " + hs512,
		"malformed":         "Bearer x.y.z",
		"cut off":           good[:len(good)-2],
		"lax base64":        good[:len(good)-1] + string(good[len(good)-1]+1), // the same bytes, and two bits too many

		"unknown extension":     header("crit", []string{"https://example.invalid/never"}),
		"extension of RFC 7797": header("crit", []string{"b64"}),
		"no extension":          header("crit", []string{}),
		"extension null":        header("crit", nil),
		"payload not encoded":   header("b64", false),
		"payload by a word":     header("b64", "true"),
		"header twice":          raw(`{"alg":"HS256","alg":"none"}`, `{`+rights+`}`),
		"crit twice":            raw(`{"alg":"HS256","crit":["x"],"crit":null}`, `{`+rights+`}`),
		"expired twice":         raw(hs256, `{"exp":32503680000,"exp":1,`+rights+`}`),
		"expired by a text":     raw(hs256, `{"exp":"32503680000",`+rights+`}`),
		"issuer by another key": raw(hs256, `{"ISS":"us","aud":"gauge","subscribe":["*"]}`),
		"claims in a list":      raw(hs256, `[{`+rights+`}]`),
	} {
		r, body := do(t, "GET", url+"/events?stream=a", "", "Authorization", authorization)
		if r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
			t.Errorf("%s: %s, WWW-Authenticate %q", name, r.Status, r.Header.Get("WWW-Authenticate"))
		}
		if first == "" {
			first = body
		}
		if body != first || strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
			t.Errorf("%s: answered %q as %s, others %q", name, body, r.Header.Get("Content-Type"), first)
		}
	}
	get(t, url+"/events?stream=a", "Authorization", good)
	for name, authorization := range map[string]string{
		"another type":           header("typ", "at+jwt"),
		"what nobody must know":  header("kid", "1"),
		"payload encoded":        header("b64", true),
		"claims of another case": raw(hs256, `{"EXP":1,"Nbf":32503680000,`+rights+`}`),
	} {
		if r, _ := do(t, "HEAD", url+"/events?stream=a", "", "Authorization", authorization); r.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, want that it is taken", name, r.Status)
		}
	}
}

func TestMissingTokenIsChallenged(t *testing.T) {
	t.Parallel()
	_, url := newURL(t, Config{TokenKey: testKey})
	good := strings.TrimPrefix(token(t, testKey, all()), "Bearer ")
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+good))
	for _, query := range []string{"", "&access_token=" + good, "&token=" + good, "&authorization=" + good} {
		r, _ := do(t, "GET", url+"/events?stream=a"+query, "", "Authorization", basic)
		if r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%q: %s, WWW-Authenticate %q", query, r.Status, r.Header.Get("WWW-Authenticate"))
		}
	}
	if r, _ := do(t, "POST", url+"/publish?stream=a", "x"); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("publish: %s", r.Status)
	}
}

func TestRightsAreExactAndSeparate(t *testing.T) {
	t.Parallel()
	_, url := newURL(t, Config{TokenKey: testKey})
	claims := all()
	claims.Subscribe, claims.Publish = []string{"a", "room-*"}, []string{"b"}
	authorization := token(t, testKey, claims)
	for target, want := range map[string]int{
		"GET /events?stream=a": 200, "GET /events?stream=room-*": 200,
		"GET /events?stream=room-1": 403, "GET /events?stream=A": 403, "GET /events?stream=b": 403,
		"GET /events?stream=a&stream=b": 403,
		"POST /publish?stream=b":        200, "POST /publish?stream=a": 403,
	} {
		method, path, _ := strings.Cut(target, " ")
		if method == "GET" {
			method = "HEAD"
		}
		if r, _ := do(t, method, url+path, "", "Authorization", authorization); r.StatusCode != want {
			t.Errorf("%s: %s, want %d", target, r.Status, want)
		}
	}
}

func TestReplayIsAuthorized(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{TokenKey: testKey})
	publish(t, b, "secret", "s")
	publish(t, b, "a", "1")
	claims := all()
	claims.Subscribe = []string{"a"}
	authorization := token(t, testKey, claims)
	r, _ := do(t, "GET", url+"/events?stream=secret", "", "Authorization", authorization, "Last-Event-ID", "earliest")
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("replay of a stream without right: %s", r.Status)
	}
	e := get(t, url+"/events?stream=a", "Authorization", authorization, "Last-Event-ID", "earliest")
	e.expect("1")
	publish(t, b, "secret", "s")
	publish(t, b, "a", "2")
	e.expect("2")
}

func TestExpiryEndsTheStream(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{TokenKey: testKey})
	claims := all()
	claims.ExpiresAt = in(2 * time.Second) // exp counts whole seconds
	e := get(t, url+"/events?stream=a", "Authorization", token(t, testKey, claims))
	publish(t, b, "a", "1")
	e.expect("1")
	blocks, err := e.rest()
	if late := time.Since(claims.ExpiresAt.Time); late > 4*time.Second || late < -time.Second {
		t.Errorf("ended %v after exp", late)
	}
	if len(blocks) != 1 || blocks[0].Comment != "the token expired" || blocks[0].Retry == "" || err.Error() != "EOF" {
		t.Errorf("ended with %+v, %v", blocks, err)
	}
	eventually(t, "counted", func() bool { return b.Stats().Ended["expired"] == 1 })
}

func TestRevokeEndsStreamsAndRefusesOlderTokens(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{TokenKey: testKey})
	claims := all()
	claims.IssuedAt = in(-time.Minute)
	old := token(t, testKey, claims)
	e := get(t, url+"/events?stream=a", "Authorization", old)
	other := all()
	other.Subject = "u2"
	bystander := get(t, url+"/events?stream=a", "Authorization", token(t, testKey, other))
	b.Revoke("u1")
	publish(t, b, "a", "1")
	bystander.expect("1")
	if blocks, err := e.rest(); len(blocks) > 1 || err.Error() != "EOF" { // the opening block
		t.Errorf("revoked stream went on with %+v, %v", blocks, err)
	}
	if r, _ := do(t, "HEAD", url+"/events?stream=a", "", "Authorization", old); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("revoked token: %s", r.Status)
	}
	b.tokens.mu.Lock()
	b.tokens.revoked["u1"] = time.Now().Add(-2 * time.Second)
	b.tokens.mu.Unlock()
	claims.IssuedAt = in(0)
	get(t, url+"/events?stream=a", "Authorization", token(t, testKey, claims))
}
