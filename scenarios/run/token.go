package run

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streamgauge/streamgauge/conformance/limited"
	"github.com/streamgauge/streamgauge/conformance/offspring"
	"github.com/streamgauge/streamgauge/scenarios"
)

// defaultTokenLife is how long a token lives when the scenario does not say.
const defaultTokenLife = time.Hour

// minter makes a bearer token for a subscriber, or for the publishers when Subscriber is −1.
type minter func(ctx context.Context, who scenarios.SubscribeVars, life time.Duration) (string, error)

// newMinter makes tokens as a target file asks: a JWT signed with its key, or what its command prints.
func newMinter(t *scenarios.Target) minter {
	return func(ctx context.Context, who scenarios.SubscribeVars, life time.Duration) (string, error) {
		if life <= 0 {
			life = defaultTokenLife
		}
		user := userName(who)
		if len(t.Auth.Command) > 0 {
			token, err := commandToken(ctx, t.Auth.Command, user, life)
			t.Hide(token)
			return token, err
		}
		claims, err := TokenClaims(t, who, life)
		if err != nil {
			return "", err
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims)).SignedString([]byte(t.Auth.Key))
		t.Hide(token)
		return token, err
	}
}

// TokenClaims are those of a JWT (RFC 7519) as a target file asks for it. Its claims win over the ones that are implied.
func TokenClaims(t *scenarios.Target, who scenarios.SubscribeVars, life time.Duration) (map[string]any, error) {
	claims, err := t.Claims(who)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	all := map[string]any{"sub": userName(who), "iat": now.Unix(), "exp": expiry(now.Add(life))}
	maps.Copy(all, claims)
	return all, nil
}

// userName is whom a token is made for.
func userName(who scenarios.SubscribeVars) string {
	if who.Subscriber < 0 {
		return "streamgauge-publisher"
	}
	return "streamgauge-" + strconv.Itoa(who.Subscriber)
}

// expiry is a NumericDate with a fraction (RFC 7519 §2): whole seconds would shorten a short life by up to one.
func expiry(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// commandToken runs the target's command; the user and the life in seconds are in its environment. What it printed is a secret as well when it
// fails then.
func commandToken(ctx context.Context, command []string, user string, life time.Duration) (string, error) {
	out, err := tokenCommand(ctx, command, "STREAMGAUGE_USER="+user, fmt.Sprintf("STREAMGAUGE_TOKEN_SECONDS=%d", int(life.Seconds())))
	token := strings.TrimSpace(string(out))
	if err != nil {
		return token, fmt.Errorf("auth.command %s: %w", command[0], err)
	}
	if token == "" {
		return "", fmt.Errorf("auth.command %s printed no token", command[0])
	}
	return token, nil
}

// revokeToken runs the target's command; the token and its user are in its environment.
func revokeToken(ctx context.Context, command []string, user, token string) error {
	if _, err := tokenCommand(ctx, command, "STREAMGAUGE_USER="+user, "STREAMGAUGE_TOKEN="+token); err != nil {
		return fmt.Errorf("admin.revoke %s: %w", command[0], err)
	}
	return nil
}

// mostPrinted bounds what a command of a target file prints: a token, or what is wrong.
const mostPrinted = 64 << 10

// tokenCommand runs a command of a target file with some variables and returns what it prints. Its error ends with what it complains of.
func tokenCommand(ctx context.Context, command []string, variables ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	family := offspring.Mark(c)
	c.Cancel = func() error { family.Kill(); return nil }
	c.WaitDelay = time.Second
	c.Env = append(c.Environ(), variables...)
	printed, complaint := limited.Output{Most: mostPrinted}, limited.Output{Most: mostPrinted}
	c.Stdout, c.Stderr = &printed, &complaint
	err := c.Run()
	if err == nil {
		family.EndJobs()
	} else if c.Process != nil {
		family.Kill()
	}
	if said := bytes.TrimSpace(complaint.Bytes()); err != nil && len(said) > 0 {
		err = fmt.Errorf("%w: %s", err, excerpt(said))
	}
	return printed.Bytes(), err
}
