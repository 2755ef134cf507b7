// Command launchdarkly is the adapter of the client of launchdarkly/eventsource.
package main

import (
	"context"
	"log"
	"os"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

func main() {
	if err := subject.Serve(context.Background(), os.Stdin, os.Stdout, adapter{}); err != nil {
		log.Fatal(err)
	}
}
