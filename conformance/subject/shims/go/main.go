// Command go is the adapter of a client written in Go, as a program: here go-sse's. For another client, write in the place of
// builtin.GoSSE a type like it, with the methods Hello and Open.
//
//	go build -o adapter ./conformance/subject/shims/go
//	streamgauge check-client --self-test -- ./adapter
//	streamgauge check-client -- ./adapter
package main

import (
	"context"
	"log"
	"os"

	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/builtin"
)

func main() {
	if err := subject.Serve(context.Background(), os.Stdin, os.Stdout, builtin.GoSSE{}); err != nil {
		log.Fatal(err)
	}
}
