package main

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance/subject/browser"
	"github.com/streamgauge/streamgauge/conformance/subject/contract"
	"github.com/streamgauge/streamgauge/scenarios"
)

// service is the client of a contract-test service.
func (f *clientFlags) service() (*clientSubject, error) {
	address, err := scenarios.ParseURL(f.contract)
	if err != nil {
		return nil, fmt.Errorf("--contract %s: want a URL such as http://127.0.0.1:8000: %w", f.contract, err)
	}
	if address.Path == "" {
		address.Path = "/"
	}
	return &clientSubject{
		foreign: true, kind: "client", url: address.Redacted(), words: []string{"--contract", address.Redacted()}, start: always(contract.Service(address)),
	}, nil
}

// chromium is the EventSource of the Chromium that is on PATH.
func (f *clientFlags) chromium() (*clientSubject, error) {
	path, err := browser.Find()
	if err != nil {
		return nil, fmt.Errorf("--browser: %w", err)
	}
	return &clientSubject{
		kind: "client", words: []string{"--browser"},
		start: always(browser.Chromium(path)),
	}, nil
}
