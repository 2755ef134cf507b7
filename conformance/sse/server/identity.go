package server

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// mint makes a token, and keeps for whom: a connection that bears it is that client's.
func (s *suite) mint(ctx context.Context, g Grant) (string, error) {
	if g.User == "" {
		g.User = s.name("u")
	}
	token, err := s.subject.Mint(ctx, g)
	if err == nil {
		s.owners.Store(token, g.User)
	}
	return token, err
}

// clientOf is whom a token was made for, else a new client.
func (s *suite) clientOf(token string) string {
	if owner, known := s.owners.Load(token); known {
		return owner.(string)
	}
	return s.name("u")
}

// hasBeen says whether a client has subscribed before, and that it has now.
func (s *suite) hasBeen(client string) bool {
	_, before := s.clients.LoadOrStore(client, true)
	return before
}

// mustTellRights ends the case when a token is as good as any other.
func (t *Trial) mustTellRights(tell bool) {
	if !tell {
		t.Skip("the tokens say nothing of rights: auth.jwt.claims that name what a token allows would")
	}
}

// stranger subscribes with a token that does not allow what the owner's does: the token of another stream, or else of another client at the
// owner's address.
func (t *Trial) stranger(own string, owner string, streams ...string) Option {
	if t.Subject.Rights.Streams {
		return Bearing(minted(t, Grant{Subscribe: []string{own}}))
	}
	token := minted(t, Grant{Subscribe: streams})
	return func(o *opening) { o.Token, o.Client, o.strange = token, owner, true }
}

// oneClient makes connections those of one client.
func (t *Trial) oneClient(streams ...string) Option {
	client := t.suite.name("u")
	token := ""
	if t.Subject.Mint != nil {
		token = minted(t, Grant{User: client, Subscribe: streams})
	}
	return func(o *opening) { o.Client, o.Token = client, token }
}

// carry changes the credentials of a request; "" leaves them out.
func carry(credentials []Credential, header http.Header, address *url.URL, change func(value string) string) {
	for _, c := range credentials {
		switch c.In {
		case "header":
			value := change(header.Get(c.Name))
			if header.Del(c.Name); value != "" {
				header.Set(c.Name, value)
			}
		case "query":
			query := address.Query()
			value := change(query.Get(c.Name))
			if query.Del(c.Name); value != "" {
				query.Set(c.Name, value)
			}
			address.RawQuery = query.Encode()
		case "userinfo":
			name := address.User.Username()
			if address.User = nil; change(name) != "" {
				address.User = url.UserPassword(name, wrongWord)
			}
		}
	}
}

// noCredential leaves a credential out.
func noCredential(string) string { return "" }

const wrongWord = "streamgauge-wrong"

// wrongCredential is what has the form of a credential and is none: that of a scheme, of a cookie, or any other.
func wrongCredential(value string) string {
	scheme, _, schemed := strings.Cut(value, " ")
	switch {
	case schemed && strings.EqualFold(scheme, "Basic"):
		return scheme + " " + base64.StdEncoding.EncodeToString([]byte("streamgauge:"+wrongWord))
	case schemed && !strings.Contains(scheme, "="):
		return scheme + " " + wrongWord
	case strings.Contains(strings.TrimRight(value, "="), "="): // not just the end of base64
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			name, _, _ := strings.Cut(pair, "=")
			pairs[i] = name + "=" + wrongWord
		}
		return strings.Join(pairs, ";")
	}
	return wrongWord
}
