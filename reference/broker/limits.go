package broker

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits counts connections and messages per user.
type limits struct {
	total, perUser int // 0 for unlimited
	rate           rate.Limit
	burst          int

	mu          sync.Mutex
	connections map[string]int
	sum         int
	peakPerUser int
	publishers  map[string]*rate.Limiter
}

func newLimits(c Config) *limits {
	return &limits{
		total: c.MaxConnections, perUser: c.MaxConnectionsPerUser,
		rate: rate.Limit(c.PublishRate), burst: c.PublishBurst,
		connections: map[string]int{}, publishers: map[string]*rate.Limiter{},
	}
}

type admission int

const (
	admitted admission = iota
	tooMany
	tooManyOfUser
)

// enter takes a place for one connection, which leave gives back.
func (l *limits) enter(user string) admission {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total > 0 && l.sum >= l.total {
		return tooMany
	}
	if l.perUser > 0 && l.connections[user] >= l.perUser {
		return tooManyOfUser
	}
	l.sum++
	l.connections[user]++
	l.peakPerUser = max(l.peakPerUser, l.connections[user])
	return admitted
}

func (l *limits) leave(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sum--
	l.connections[user]--
	if l.connections[user] == 0 {
		delete(l.connections, user)
	}
}

// publish takes a token for one message and returns 0, or how long to wait for one.
func (l *limits) publish(user string) time.Duration {
	if l.rate <= 0 {
		return 0
	}
	reservation := l.limiter(user).Reserve()
	wait := reservation.Delay()
	if wait > 0 {
		reservation.Cancel()
	}
	return wait
}

// manyPublishers is when users who have not published lately are forgotten.
const manyPublishers = 1024

func (l *limits) limiter(user string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.publishers[user]; known != nil {
		return known
	}
	if len(l.publishers) >= manyPublishers {
		l.forgetIdle()
	}
	limiter := rate.NewLimiter(l.rate, l.burst)
	l.publishers[user] = limiter
	return limiter
}

// forgetIdle drops limiters that are full, for a new one would be no different.
func (l *limits) forgetIdle() {
	for user, limiter := range l.publishers {
		if limiter.Tokens() >= float64(l.burst) {
			delete(l.publishers, user)
		}
	}
}

func (l *limits) peakOfUser() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peakPerUser
}
