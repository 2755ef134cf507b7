# Everything a contributor or CI runs. Only Go is needed; the linter and the
# test runner are built from the versions pinned in .ci/tools.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)

# The race detector needs a C compiler; without one `go env` answers 0.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
PEERS := conformance/peers
CLIENTS := TestClientsDepartOnlyAsIsKnown|TestAContractService

# Three hundred subjects at once: under the race detector they would be too slow to be judged, and their parts are tested under it one by one.
MATRIX := reference/matrix

# gotestsum where `make tools` has built it, plain `go test` otherwise.
gotest = $(if $(wildcard bin/gotestsum),"$(CURDIR)/bin/gotestsum" --format pkgname --format-hide-empty-pkg --,go test)

.PHONY: help
help: ## Print this list
	@echo "Usage: make TARGET"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/streamgauge
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/streamgauge ./cmd/streamgauge

.PHONY: demo
demo: build ## Run the six core scenarios against the embedded broker
	bin/streamgauge run

.PHONY: test
test: ## Run all tests of the main module, with the race detector where there is a C compiler
	$(gotest) $(RACE) -p 2 -timeout 8m $$(go list ./... | grep -v '/$(MATRIX)$$')
	$(gotest) -timeout 12m ./$(MATRIX)

.PHONY: matrix
matrix: build ## Run every mutant against what must catch it, and every correct subject against all that could accuse it
	bin/streamgauge mutants

.PHONY: peers
peers: ## Run the tests against servers and proxies that others wrote (needs the packages .ci/run installs)
	cd $(PEERS) && $(gotest) -timeout 10m -skip '$(CLIENTS)' ./...

.PHONY: clients
clients: ## Run the tests against clients that others wrote (needs chromium, Node.js and npm ci in conformance/peers/clients)
	cd $(PEERS) && $(gotest) -timeout 10m -run '$(CLIENTS)' ./...

# Each fuzz target after the other, for FUZZTIME. What was found interesting stays in Go's cache, what fails in testdata/fuzz.
FUZZTIME ?= 1m
.PHONY: fuzz
fuzz: ## Run each fuzz target for a minute (FUZZTIME=20s for less)
	@grep -rho --include '*_test.go' --exclude-dir peers '^func Fuzz[A-Za-z0-9]*' . | wc -l | xargs printf '%s targets, $(FUZZTIME) each\n'; \
	grep -ro --include '*_test.go' --exclude-dir peers '^func Fuzz[A-Za-z0-9]*' . | sort | while IFS=: read -r file target; do \
		go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x || exit 1; \
	done

# Nothing but the seed decides what is done to a run: endure says how to repeat one.
N ?= 200
SEED ?= 1
.PHONY: endure
endure: build ## Run core scenarios N times against right and wrong subjects while the machine misbehaves, and count wrong verdicts
	CGO_ENABLED=0 go build -o bin/endure ./scenarios/endure
	bin/endure -n $(N) -seed $(SEED) -out bin/endure.json

.PHONY: bench
bench: build ## Measure memory and CPU per subscriber as ratios, and how long the usual commands take
	CGO_ENABLED=0 go run ./scenarios/run/bench
	@served=$$(mktemp -d); bin/streamgauge serve --addr 127.0.0.1:0 --heartbeat 2s --target-file $$served/target.yaml >/dev/null 2>&1 & server=$$!; \
	trap "kill $$server; rm -r $$served" EXIT; \
	until [ -s $$served/target.yaml ]; do sleep 0.1; done; \
	for command in check "check $$served/target.yaml" check-client run; do \
		began=$$(date +%s); bin/streamgauge $$command --quiet >/dev/null 2>&1; code=$$?; \
		echo "streamgauge $${command/$$served/serve}: $$(($$(date +%s) - began)) s, exit $$code"; \
	done

.PHONY: lint
lint: bin/golangci-lint ## Check code, import rules, formatting and module files
	bin/golangci-lint run
	go mod tidy -diff
	@awake=$$(grep -rl --include '*_test.go' 'time\.Sleep(' . | xargs -r grep -L 'synctest\.Test(' || true); \
	if [ -n "$$awake" ]; then echo "tests that sleep in real time, not in testing/synctest's: $$awake"; exit 1; fi
	if [ -e $(PEERS)/go.mod ]; then cd $(PEERS) && "$(CURDIR)/bin/golangci-lint" run --config "$(CURDIR)/.golangci.yml"; fi

.PHONY: fmt
fmt: bin/golangci-lint ## Format the code
	bin/golangci-lint fmt

.PHONY: cover
cover: ## Write coverage.html and print the total
	go test -timeout 8m -coverpkg ./... -coverprofile coverage.out ./...
	go tool cover -html coverage.out -o coverage.html
	go tool cover -func coverage.out | tail -n 1

.PHONY: tools
tools: bin/golangci-lint bin/gotestsum ## Build the pinned linter and test runner into bin/

.PHONY: clean
clean: ## Remove everything that make has written
	rm -rf bin coverage.out coverage.html

bin/golangci-lint: .ci/tools/go.sum
	go build -C .ci/tools -buildvcs=false -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/gotestsum: .ci/tools/go.sum
	go build -C .ci/tools -buildvcs=false -o ../../$@ gotest.tools/gotestsum
