package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/scenarios"
)

// ProcessorTime asks how much processor time a target has used since it began.
type ProcessorTime func(context.Context) (time.Duration, error)

// ObserveProcessor is how a target's processor time can be seen: of the process that its file names, or from its metrics. It is nil where
// the file names neither. Its error is that of a certificate that cannot be read.
func ObserveProcessor(t *scenarios.Target) (ProcessorTime, error) {
	switch {
	case t.Observe.Process():
		p := processOf(t.Observe)
		return func(ctx context.Context) (time.Duration, error) {
			pid, err := p.find(ctx)
			if err != nil {
				return 0, err
			}
			return processorTimeOf(pid)
		}, nil
	case t.Observe.Metrics != "":
		config, err := clientTLS(t.TLS)
		if err != nil {
			return nil, err
		}
		client := metricsClient(config)
		return func(ctx context.Context) (time.Duration, error) {
			s, err := scrape(ctx, client, t.Observe.Metrics, "process_cpu_seconds_total")
			return time.Duration(s * float64(time.Second)), err
		}, nil
	}
	return nil, nil
}

// tick is the unit of times in /proc: Linux reports hundredths of a second to programs, whatever its own timer does.
const tick = time.Second / 100

// processorTimeOf reads from /proc what a process of this machine has used in user and kernel mode.
func processorTimeOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("process %d: reading its processor time: %w", pid, err)
	}
	// The name, in parentheses, may hold spaces and parentheses; user and system time are fields 14 and 15, counted from 1.
	_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("process %d: its stat has %d fields behind the name", pid, len(fields))
	}
	user, userErr := strconv.ParseInt(fields[11], 10, 64)
	system, systemErr := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(userErr, systemErr); err != nil {
		return 0, fmt.Errorf("process %d: reading its processor time: %w", pid, err)
	}
	return time.Duration(user+system) * tick, nil
}
