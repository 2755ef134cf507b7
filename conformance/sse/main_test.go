package sse

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if playBenchRole() {
		return
	}
	goleak.VerifyTestMain(m)
}
