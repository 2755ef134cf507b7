package broker

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeConn is a connection in virtual time. It takes everything, or nothing.
type fakeConn struct {
	stuck bool

	mu     sync.Mutex
	writes []write
	closed chan struct{}
}

type write struct {
	at   time.Time
	text string
}

func (c *fakeConn) try(p []byte) (int, error) {
	if c.stuck {
		return 0, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes = append(c.writes, write{time.Now(), string(p)})
	return len(p), nil
}

func (c *fakeConn) write([]byte, time.Duration) error {
	<-c.closed
	return net.ErrClosed
}

func (c *fakeConn) start(pump func())             { go pump() }
func (c *fakeConn) chunked() bool                 { return false }
func (c *fakeConn) ending(farewell []byte) []byte { return append([]byte{}, farewell...) }
func (c *fakeConn) close(bool)                    { close(c.closed) }

func (c *fakeConn) written() []write {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

func subscribeFake(t testing.TB, b *Broker, c *fakeConn, sub subscription) {
	t.Helper()
	joinFake(t, b, c, sub)()
}

// joinFake places a subscriber and returns what begins its stream.
func joinFake(t testing.TB, b *Broker, c *fakeConn, sub subscription) (begin func()) {
	t.Helper()
	c.closed = make(chan struct{})
	sub.streams = []string{"a"}
	if why := b.admit(sub.user); why != nil {
		t.Fatal(why.message)
	}
	s, opening, _, why := b.join(&sub)
	if why != nil {
		t.Fatal(why.message)
	}
	return func() { s.begin(c, opening) }
}

func newFake(t testing.TB, config Config, c *fakeConn) *Broker {
	t.Helper()
	b, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	subscribeFake(t, b, c, subscription{})
	return b
}

func TestSilenceNeverLastsLongerThanTheHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &fakeConn{}
		b := newFake(t, Config{Heartbeat: 15 * time.Second}, c)
		time.Sleep(time.Hour)
		all := c.written()
		for i, w := range all[1:] {
			if silence := w.at.Sub(all[i].at); silence > 15*time.Second || silence < 11*time.Second || w.text != ": hb\n\n" {
				t.Errorf("%q after %v", w.text, silence)
			}
		}
		if len(all) < 240 {
			t.Errorf("%d writes in an hour", len(all))
		}
		b.Close()
	})
}

func TestNoHeartbeatWhileEventsFlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &fakeConn{}
		b := newFake(t, Config{Heartbeat: 15 * time.Second}, c)
		for range 100 {
			time.Sleep(10 * time.Second)
			publish(t, b, "a", "x")
			synctest.Wait()
		}
		for _, w := range c.written() {
			if strings.HasPrefix(w.text, ":") {
				t.Fatalf("%q at %v", w.text, w.at)
			}
		}
		b.Close()
	})
}

func TestHeartbeatsOfManyAreSpread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all := make([]fakeConn, 1000)
		b := newFake(t, Config{Heartbeat: 15 * time.Second}, &all[0])
		for i := range all[1:] {
			subscribeFake(t, b, &all[i+1], subscription{})
		}
		time.Sleep(15 * time.Second)
		inBucket := map[int64]int{}
		for i := range all {
			inBucket[all[i].written()[1].at.UnixMilli()/10]++
		}
		for bucket, n := range inBucket {
			if n > len(all)/20 {
				t.Errorf("%d heartbeats within the 10 ms at %d", n, bucket)
			}
		}
		b.Close()
	})
}

func TestBlockEndsExactlyAtItsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &fakeConn{stuck: true}
		b := newFake(t, Config{SlowPolicy: Block, Queue: 10, BlockTimeout: 5 * time.Second}, c)
		time.Sleep(time.Minute)
		publish(t, b, "a", strings.Split("0123456789", "")...)
		time.Sleep(time.Minute)
		if b.Stats().Connections != 1 {
			t.Fatal("ended within its queue")
		}
		publish(t, b, "a", "one too many")
		time.Sleep(5*time.Second - 1)
		if b.Stats().Connections != 1 {
			t.Fatal("ended before the timeout")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if b.Stats().Ended["slow"] != 1 {
			t.Fatal("not ended at the timeout")
		}
	})
}

func TestDisconnectEndsWithTheFirstEventBeyondTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newFake(t, Config{Queue: 10}, &fakeConn{stuck: true})
		publish(t, b, "a", strings.Split("0123456789", "")...)
		synctest.Wait()
		if b.Stats().Connections != 1 {
			t.Fatal("ended within its queue")
		}
		publish(t, b, "a", "one too many")
		synctest.Wait()
		if b.Stats().Ended["slow"] != 1 {
			t.Fatal("not ended beyond its queue")
		}
	})
}

func TestStreamEndsWhenItsTokenDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		taking, stuck := &fakeConn{}, &fakeConn{stuck: true}
		b := newFake(t, Config{TokenKey: testKey}, &fakeConn{})
		claims := &Claims{}
		claims.ExpiresAt = in(time.Minute)
		subscribeFake(t, b, taking, subscription{claims: claims})
		subscribeFake(t, b, stuck, subscription{claims: claims})
		time.Sleep(time.Minute - 1)
		if b.Stats().Connections != 3 {
			t.Fatal("ended before exp")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		publish(t, b, "a", "too late")
		synctest.Wait()
		last := taking.written()[len(taking.written())-1].text
		if b.Stats().Connections != 2 || !strings.HasPrefix(last, ": the token expired\nretry: ") {
			t.Errorf("at exp %d are connected, the last write is %q", b.Stats().Connections, last)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if b.Stats().Ended["expired"] != 2 {
			t.Errorf("one that does not read is kept: %v", b.Stats().Ended)
		}
		b.Close()
	})
}

func TestSessionsEndSpreadAndWithoutLoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all := make([]fakeConn, 200)
		config := Config{Heartbeat: -1, SessionMaxAge: 100 * time.Second, Farewell: Signal{Type: "closed", Data: "bye"}}
		b := newFake(t, config, &all[0])
		for i := range all[1:] {
			subscribeFake(t, b, &all[i+1], subscription{})
		}
		start := time.Now()
		for range 100 {
			time.Sleep(time.Second)
			publish(t, b, "a", "x")
		}
		synctest.Wait()
		seconds := map[int]int{}
		for i := range all {
			writes := all[i].written()
			last := writes[len(writes)-1]
			age := last.at.Sub(start)
			if age < 90*time.Second || age > 100*time.Second || !strings.HasSuffix(last.text, "event: closed\ndata: bye\n\n") {
				t.Fatalf("ended after %v with %q", age, last.text)
			}
			var text bytes.Buffer
			for _, w := range writes {
				text.WriteString(w.text)
			}
			if n := strings.Count(text.String(), "data: x\n"); n < int(age.Seconds())-1 {
				t.Errorf("%d events in %v", n, age)
			}
			seconds[int(age.Seconds())]++
		}
		if len(seconds) < 8 {
			t.Errorf("sessions end at %v", seconds)
		}
		b.Close()
	})
}

// TestOvertakenBeforeItsFirstWriteIsToldAndGoesOn is a subscriber whose place left the history before its stream began.
func TestOvertakenBeforeItsFirstWriteIsToldAndGoesOn(t *testing.T) {
	t.Parallel()
	b, c := newBroker(t, Config{HistoryEvents: 1, Queue: 1}), &fakeConn{}
	begin := joinFake(t, b, c, subscription{})
	ids := publish(t, b, "a", "1", "2", "3", "4", "5")
	begin()
	text := ""
	for _, w := range c.written() {
		text += w.text
	}
	data := `{"stream":"a","reason":"evicted","missed":3,"oldest":"` + ids[3] + `"}`
	if !strings.Contains(text, "event: gap\ndata: "+data+"\n\nid: "+ids[3]+"\n") || b.Stats().Connections != 1 {
		t.Errorf("%d connected, written %q", b.Stats().Connections, text)
	}
}
