package broker

import (
	"errors"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func newHandler(b *Broker) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", b.serveEvents)
	mux.HandleFunc("POST /publish", b.servePublish)
	mux.HandleFunc("GET /healthz", b.serveHealth)
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.metrics.registry, promhttp.HandlerOpts{}))
	return b.config.Tamper.handler(&cors{origins: b.config.CORSOrigins, next: mux})
}

func (b *Broker) serveHealth(w http.ResponseWriter, r *http.Request) {
	if b.drainingFor(r) {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// drainingFor reports whether the broker, or the server that the request came through, drains.
func (b *Broker) drainingFor(r *http.Request) bool {
	server := serverOf(r)
	return b.gate.draining() || server != nil && server.gate.draining()
}

// refusal is an answer instead of a stream or an acknowledgement.
type refusal struct {
	status     int
	message    string
	retryAfter time.Duration // 0 for none
	challenge  string        // WWW-Authenticate
}

func badRequest(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, message: message}
}

// drainRetry is how long a client refused by a draining broker is told to wait.
const drainRetry = 2 * time.Second

func unavailable() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, message: "draining", retryAfter: drainRetry}
}

func forbidden() *refusal {
	return &refusal{
		status: http.StatusForbidden, message: "the bearer token does not grant this",
		challenge: `Bearer error="insufficient_scope"`,
	}
}

func unauthorized(err error) *refusal {
	challenge := "Bearer"
	if errors.Is(err, errBadToken) {
		challenge = `Bearer error="invalid_token"`
	}
	return &refusal{status: http.StatusUnauthorized, message: err.Error(), challenge: challenge}
}

// refuse answers and counts a refusal. The message never repeats what the client sent.
func (b *Broker) refuse(w http.ResponseWriter, r *http.Request, why *refusal, count *prometheus.CounterVec) {
	count.WithLabelValues(strconv.Itoa(why.status)).Inc()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if why.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(why.retryAfter.Seconds()))))
	}
	if why.challenge != "" {
		h.Set("WWW-Authenticate", why.challenge)
	}
	b.config.Tamper.header(r, h)
	http.Error(w, why.message, why.status)
}

// parameters parses the query strictly; http.Request.FormValue would drop what is malformed.
func parameters(r *http.Request) (url.Values, *refusal) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("the query is malformed")
	}
	return values, nil
}

// user names the user of a request for the limits.
func (b *Broker) user(r *http.Request, claims *Claims) string {
	switch {
	case b.config.User != nil:
		return b.config.User(r)
	case claims != nil:
		return claims.Subject
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
