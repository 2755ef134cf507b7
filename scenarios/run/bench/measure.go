package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"time"
)

// rates at which processor time is measured, in events per second and connection.
var rates = []float64{1, 10}

// cost is what one process was seen to need.
type cost struct {
	connects float64             // per second
	idle     float64             // resident bytes per connection on which nothing happens
	busy     float64             // the same after the measurement at the highest rate
	growth   float64             // bytes in use per event that the measurement at the highest rate left
	event    map[float64]float64 // processor seconds per event, by rate
}

// costs are those of one repetition.
type costs struct {
	server, reader         cost // the minimal ones, with each other
	broker, readerOfBroker cost // the reference broker with the minimal reader
	harness, beside        cost // the harness with the reference broker, and a minimal reader with another one at the same time
	runs                   []verdict
}

// readerBeside is the minimal reader that a harness is compared with at a rate.
func (c *costs) readerBeside(rate float64) *cost {
	if rate > sideBySide {
		return &c.readerOfBroker
	}
	return &c.beside
}

// measureAll takes all measurements in turn and over again, so that a machine that is busy with something else is so for all.
func measureAll(ctx context.Context, s setup, repeat int) ([]costs, error) {
	var all []costs
	for i := range repeat {
		log.Printf("repetition %d of %d: the minimal reader with the minimal server and with the broker, the harness with the broker", i+1, repeat)
		var c costs
		var err error
		if c.server, c.reader, err = measureReader(ctx, s, "minimal-server"); err != nil {
			return nil, err
		}
		if c.broker, c.readerOfBroker, err = measureReader(ctx, s, "broker"); err != nil {
			return nil, err
		}
		if err := measureHarness(ctx, s, &c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// measureReader connects the minimal reader to a server and measures both, first idle and then at each rate.
func measureReader(ctx context.Context, s setup, serverName string) (server, reader cost, err error) {
	serving, err := begin(ctx, serverName, s)
	if err != nil {
		return server, reader, err
	}
	defer serving.stop()
	s.URL = serving.bare.URL
	reading, err := begin(ctx, "minimal-reader", s)
	if err != nil {
		return server, reader, err
	}
	defer reading.stop()
	if reader.connects, err = reading.connect(ctx, s.Subscribers); err != nil {
		return server, reader, err
	}
	both := subjects{{serving, &server}, {reading, &reader}}
	if err := both.measureIdle(ctx, s); err != nil {
		return server, reader, err
	}
	for _, rate := range rates {
		stop, err := publish(ctx, s, serving, rate)
		if err == nil {
			err = both.measureEvents(ctx, s, rate)
		}
		if stop(); err != nil {
			return server, reader, err
		}
	}
	return server, reader, nil
}

// publish makes a server send events until stop is called: the broker over HTTP, the minimal server by itself.
func publish(ctx context.Context, s setup, server *process, rate float64) (stop func(), err error) {
	if server.name == "broker" {
		ctx, stop = context.WithCancel(ctx)
		go publishTo(ctx, s, s.URL, rate)
		return stop, nil
	}
	_, err = server.ask(fmt.Sprintf("rate %g", rate))
	return func() { _, _ = server.ask("rate 0") }, err // a server that does not answer fails the next measurement
}

const (
	calm     = time.Second // how long processes are left alone before they are looked at
	idleRate = 0.001
	// A run lasts longer than its measurement: it connects first.
	idleRun = 6 * time.Second
	overRun = 12 * time.Second
)

// measureHarness measures the harness on the reference broker: in a run without messages, and in one for each rate.
func measureHarness(ctx context.Context, s setup, c *costs) error {
	_, err := measureRun(ctx, s, idleRate, idleRun, func(running *process) (err error) {
		if c.harness.connects, err = running.connect(ctx, s.Subscribers); err != nil {
			return err
		}
		return subjects{{running, &c.harness}}.measureIdle(ctx, s)
	})
	for _, rate := range rates {
		if err != nil {
			return err
		}
		var v verdict
		v, err = measureRun(ctx, s, rate, s.Window+overRun, func(running *process) error {
			if _, err := running.connect(ctx, s.Subscribers); err != nil {
				return err
			}
			if rate > sideBySide {
				return subjects{{running, &c.harness}}.measureEvents(ctx, s, rate)
			}
			return measureBeside(ctx, s, running, rate, c)
		})
		c.runs = append(c.runs, v)
	}
	return err
}

// sideBySide is the highest rate at which two readers with their brokers leave two processors room to breathe. What an event costs at
// such a rate is mostly memory that has gone cold, which depends on what else the machine does: the harness and the minimal reader are
// measured in the same seconds.
const sideBySide = 1

// measureBeside measures the harness while a minimal reader does the same on a broker of its own.
func measureBeside(ctx context.Context, s setup, running *process, rate float64, c *costs) error {
	serving, err := begin(ctx, "broker", s)
	if err != nil {
		return err
	}
	defer serving.stop()
	s.URL = serving.bare.URL
	reading, err := begin(ctx, "minimal-reader", s)
	if err != nil {
		return err
	}
	defer reading.stop()
	if _, err := reading.connect(ctx, s.Subscribers); err != nil {
		return err
	}
	stop, err := publish(ctx, s, serving, rate)
	defer stop()
	if err != nil {
		return err
	}
	return subjects{{running, &c.harness}, {reading, &c.beside}}.measureEvents(ctx, s, rate)
}

// measureRun starts a broker and a harness, takes the measurement and waits for the harness's verdict.
func measureRun(ctx context.Context, s setup, rate float64, duration time.Duration, measure func(*process) error) (v verdict, err error) {
	serving, err := begin(ctx, "broker", s)
	if err != nil {
		return v, err
	}
	defer serving.stop()
	s.URL, s.Rate, s.Duration = serving.bare.URL, rate, duration
	running, err := begin(ctx, "harness", s)
	if err != nil {
		return v, err
	}
	defer running.stop()
	if err := measure(running); err != nil {
		return v, err
	}
	end, err := running.ask("end")
	return end.Verdict, err
}

// subjects are processes that are measured at the same time, and where their costs are noted.
type subjects []struct {
	process *process
	cost    *cost
}

func (all subjects) measureIdle(ctx context.Context, s setup) error {
	if err := pause(ctx, calm); err != nil {
		return err
	}
	now, err := all.ask("collect")
	if err != nil {
		return err
	}
	for i, m := range all {
		m.cost.idle = m.process.residentPer(s.Subscribers, now[i])
	}
	return nil
}

func (p *process) residentPer(connections int, now sample) float64 {
	return float64(now.Resident-p.bare.Resident) / float64(connections)
}

// measureEvents measures over the window. Garbage is collected before and after it.
func (all subjects) measureEvents(ctx context.Context, s setup, rate float64) error {
	var states [4][]sample
	for i, step := range []struct {
		wait    time.Duration
		command string
	}{{calm, "collect"}, {calm, "sample"}, {s.Window, "sample"}, {0, "collect"}} {
		if err := pause(ctx, step.wait); err != nil {
			return err
		}
		var err error
		if states[i], err = all.ask(step.command); err != nil {
			return err
		}
	}
	for i, m := range all {
		before, first, last, after := states[0][i], states[1][i], states[2][i], states[3][i]
		events := float64(last.Events - first.Events)
		if wanted := rate * float64(s.Subscribers) * s.Window.Seconds(); events < wanted/2 {
			return fmt.Errorf("%s: %.0f of %.0f events in %v: this machine is too busy to measure anything", m.process.name, events, wanted, s.Window)
		}
		if m.cost.event == nil {
			m.cost.event = map[float64]float64{}
		}
		m.cost.event[rate] = (last.CPU - first.CPU).Seconds() / events
		if rate == slices.Max(rates) {
			m.cost.busy = m.process.residentPer(s.Subscribers, after)
			m.cost.growth = float64(after.InUse-before.InUse) / float64(after.Events-before.Events)
		}
	}
	return nil
}

func (all subjects) ask(command string) ([]sample, error) {
	var samples []sample
	for _, m := range all {
		s, err := m.process.ask(command)
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
	}
	return samples, nil
}
