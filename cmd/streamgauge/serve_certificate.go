package main

import (
	"crypto/tls"
	"fmt"

	"github.com/streamgauge/streamgauge/conformance/limited"
)

// loadCertificate reads the files of --tls-cert and --tls-key, where they are given.
func (o *serveOptions) loadCertificate() error {
	cert, key := o.server.TLSCert, o.server.TLSKey
	if cert == "" {
		return nil
	}
	certificate, err := limited.ReadFile(cert, limited.Text)
	if err != nil {
		return fmt.Errorf("--tls-cert: %w", err)
	}
	private, err := limited.ReadFile(key, limited.Text)
	if err != nil {
		return fmt.Errorf("--tls-key: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, private)
	if err != nil {
		return fmt.Errorf("reading the TLS certificate %s and key %s: %w", cert, key, err)
	}
	o.server.TLSCert, o.server.TLSKey = "", ""
	o.server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return nil
}
