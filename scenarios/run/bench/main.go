// Bench measures what a subscriber costs the harness and what a connection costs the reference broker, beside the least that Go
// code can do: a reader and a server of a few lines on bare connections. It starts each of them in a process of its own, takes
// their processor time and resident memory from the kernel, runs them in turn several times on the same machine and prints the
// medians, the ratios and the bars. A bar that is missed is printed, and is no error.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"
)

// setup is what all processes of one measurement agree on.
type setup struct {
	Subscribers int
	Streams     int
	Payload     int // bytes
	Window      time.Duration
	Profile     string // directory

	URL      string        // of the server, for those who connect to one
	Rate     float64       // harness: events per second and subscriber
	Duration time.Duration // harness: of the run
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	if err := bench(); err != nil {
		log.Fatal(err)
	}
}

func bench() error {
	s := setup{}
	flag.IntVar(&s.Subscribers, "subscribers", 10_000, "connections")
	flag.IntVar(&s.Streams, "streams", 10, "streams, of which each subscriber follows one")
	flag.IntVar(&s.Payload, "payload", 256, "bytes of a message")
	flag.DurationVar(&s.Window, "window", 4*time.Second, "how long processor time is measured")
	flag.StringVar(&s.Profile, "profile", "", "write profiles of all processes into this `directory`")
	repeat := flag.Int("repeat", 3, "how often everything is measured")
	role := flag.String("role", "", "be one of the processes: for the benchmark itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *role != "" {
		if err := serveRole(ctx, *role, flag.Arg(0)); err != nil {
			return fmt.Errorf("%s: %w", *role, err)
		}
		return nil
	}
	figures, err := measureAll(ctx, s, *repeat)
	if err != nil {
		return err
	}
	writeReport(os.Stdout, s, figures)
	return nil
}
