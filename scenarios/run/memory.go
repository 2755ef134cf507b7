package run

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// memoryEvery is how often the target's memory is looked at.
const memoryEvery = 500 * time.Millisecond

// observeMemory records the target's resident memory where it can be seen.
func (e *engine) observeMemory(ctx context.Context) {
	if e.subject.memory == nil {
		return
	}
	told := false
	for next := time.Duration(0); e.clock.sleep(next, ctx.Done()); next = e.clock.now() + memoryEvery {
		size, err := e.subject.memory(ctx)
		if err != nil { // it may be on its way back
			if !told && ctx.Err() == nil {
				e.log("the target's memory could not be read: " + err.Error())
				told = true
			}
			continue
		}
		e.observe(&history.Observation{At: e.clock.now(), Kind: history.Memory, Subscriber: -1, Size: int64(size)})
	}
}

// memoryOfProcess reads the resident set of a process of this machine.
func memoryOfProcess(p *process) func(context.Context) (uint64, error) {
	return func(ctx context.Context) (uint64, error) {
		pid, err := p.find(ctx)
		if err != nil {
			return 0, err
		}
		if size := residentMemoryOf(strconv.Itoa(pid)); size > 0 {
			return size, nil
		}
		return 0, fmt.Errorf("process %d: no resident memory to be read", pid)
	}
}

const residentMetric = "process_resident_memory_bytes"

// memoryOfMetrics reads the resident set from a Prometheus text exposition.
func memoryOfMetrics(client *http.Client, url string) func(context.Context) (uint64, error) {
	return func(ctx context.Context) (uint64, error) {
		bytes, err := scrape(ctx, client, url, residentMetric)
		return uint64(bytes), err
	}
}

// scrape reads one number, not below zero, from a Prometheus text exposition.
func scrape(ctx context.Context, client *http.Client, url, metric string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	return valueOf(io.LimitReader(resp.Body, 4<<20), metric)
}

func valueOf(exposition io.Reader, metric string) (float64, error) {
	lines := bufio.NewScanner(exposition)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), metric+" ")
		if !ok {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || value < 0 {
			return 0, fmt.Errorf("%s is %q, want a number from 0", metric, text)
		}
		return value, nil
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("the metrics hold no %s", metric)
}
