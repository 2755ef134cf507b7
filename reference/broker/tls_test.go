package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// certificate writes a self-signed certificate for 127.0.0.1 and returns its files and a pool that trusts it.
func certificate(t testing.TB) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, bytes []byte) (path string, text []byte) {
		path, text = filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path, text
	}
	cert, text := write("cert.pem", "CERTIFICATE", der)
	key, _ = write("key.pem", "PRIVATE KEY", pkcs8)
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return cert, key, pool
}

func newSecure(t testing.TB, config Config, h2 bool) (*Broker, *Server, *http.Client) {
	t.Helper()
	cert, key, pool := certificate(t)
	b := newBroker(t, config)
	s, err := Start(b, ServerConfig{TLSCert: cert, TLSKey: key})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: h2}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = s.Close()
	})
	return b, s, &http.Client{Transport: transport}
}

func TestTLSStreamsOverBothVersions(t *testing.T) {
	t.Parallel()
	for name, h2 := range map[string]bool{"HTTP/2.0": true, "HTTP/1.1": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, s, client := newSecure(t, Config{Heartbeat: 20 * time.Millisecond}, h2)
			if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
				t.Fatal(s.URL())
			}
			var all []*events
			for range 120 { // more than a browser opens, over one connection with HTTP/2
				all = append(all, openWith(t, client, s.URL()+"/events?stream=a"))
			}
			for i := range 50 {
				publish(t, b, "a", strconv.Itoa(i))
			}
			for _, e := range all {
				if e.response.Proto != name || e.response.Header.Get("Connection") != "" {
					t.Fatalf("%s with Connection %q", e.response.Proto, e.response.Header.Get("Connection"))
				}
				for i := range 50 {
					e.expect(strconv.Itoa(i))
				}
			}
			for comment := ""; comment == ""; {
				r, err := all[0].block()
				if err != nil {
					t.Fatal(err)
				}
				comment = r.Comment
			}
			all[1].close()
			eventually(t, "one left", func() bool { return b.Stats().Ended["gone"] == 1 })
			go func() { _ = s.Drain(t.Context()) }()
			if blocks, err := all[0].rest(); err.Error() != "EOF" || blocks[len(blocks)-1].Retry == "" {
				t.Errorf("drained with %+v, %v", blocks, err)
			}
		})
	}
}

func TestIdleStreamOutlivesItsWriteDeadline(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{true, false} {
		b, s, client := newSecure(t, Config{WriteTimeout: 20 * time.Millisecond, Heartbeat: 100 * time.Millisecond}, h2)
		e := openWith(t, client, s.URL()+"/events?stream=a")
		for beats := 0; beats < 3; {
			r, err := e.block()
			if err != nil {
				t.Fatal(err)
			}
			if r.Comment != "" {
				beats++
			}
		}
		publish(t, b, "a", "alive")
		e.expect("alive")
	}
}

func TestUnreadHTTP2StreamDelaysNoOtherAndIsEnded(t *testing.T) {
	t.Parallel()
	for _, policy := range []SlowPolicy{Disconnect, Drop} {
		config := slowConfig(policy)
		config.WriteTimeout = 100 * time.Millisecond
		b, s, client := newSecure(t, config, true)
		openWith(t, client, s.URL()+"/events?stream=a&stream=b") // never read
		e := openWith(t, client, s.URL()+"/events?stream=b")
		eventually(t, "ended", func() bool {
			flood(t, b, "a", 100)
			id := publish(t, b, "b", "x")[0]
			if got := e.next(); got.ID != id {
				t.Fatalf("got %+v, want %s", got, id)
			}
			return b.Stats().Ended["slow"]+b.Stats().Ended["stuck"]+b.Stats().Ended["gone"] == 1
		})
	}
}

func TestWrongCertificateIsNamed(t *testing.T) {
	t.Parallel()
	_, err := Start(newBroker(t, Config{}), ServerConfig{TLSCert: "missing.pem", TLSKey: "key.pem"})
	if err == nil || !strings.Contains(err.Error(), "missing.pem") {
		t.Errorf("Start: %v", err)
	}
}
