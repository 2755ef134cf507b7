//go:build unix

package sse

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The subscribers' benchmark compares this package with the least that a Go program can do: a goroutine
// that reads a net.Conn into 512 bytes and counts blank lines. Every side is a process of its own, the
// test binary again, so that its memory and CPU are its own. Ratios are what matters; times vary with the machine.
//
//	go test -run '^$' -bench Subscribers -benchtime 1x ./conformance/sse
//	SSE_BENCH="conns=10000 rate=10 seconds=10" go test ...
const (
	benchRole   = "SSE_BENCH_ROLE"
	benchParams = "SSE_BENCH"
)

type benchSetup struct {
	conns, rate, seconds int
	addr                 string
}

func benchSetupFrom(params string) benchSetup {
	b := benchSetup{conns: 1000, rate: 10, seconds: 3}
	for _, f := range strings.Fields(params) {
		key, value, _ := strings.Cut(f, "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "conns":
			b.conns = n
		case "rate":
			b.rate = n
		case "seconds":
			b.seconds = n
		case "addr":
			b.addr = value
		}
	}
	return b
}

// benchFigures is what a subscribing process reports.
type benchFigures struct {
	Events      int64
	CPUPerEvent float64 // µs
	KiBPerConn  float64 // resident
	StackPer    float64 // KiB
	HeapPer     float64 // KiB
	Connects    float64 // per second
}

func BenchmarkSubscribers(b *testing.B) {
	setup := benchSetupFrom(os.Getenv(benchParams))
	for b.Loop() {
		floor := runSubscribers(b, "minimal", setup)
		report(b, "minimal", floor, floor)
		for _, role := range []string{"stream", "wrapped", "idle-timeout"} {
			report(b, role, runSubscribers(b, role, setup), floor)
		}
	}
}

func report(b *testing.B, role string, f, floor benchFigures) {
	b.Helper()
	b.Logf("%-13s %8d events  %6.2f µs CPU/event (x%.2f)  %5.2f KiB/conn (x%.2f; stacks %.2f, heap %.2f)  %6.0f connects/s", role, f.Events,
		f.CPUPerEvent, f.CPUPerEvent/floor.CPUPerEvent, f.KiBPerConn, f.KiBPerConn/floor.KiBPerConn, f.StackPer, f.HeapPer, f.Connects)
	b.ReportMetric(f.CPUPerEvent/floor.CPUPerEvent, role+"-cpu-x")
	b.ReportMetric(f.KiBPerConn, role+"-KiB/conn")
}

// runSubscribers starts a broadcaster and a process with the given role, and returns the latter's figures.
func runSubscribers(b *testing.B, role string, setup benchSetup) benchFigures {
	b.Helper()
	server := benchProcess("broadcast", setup)
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	in, err := server.StdinPipe() // closing it ends the broadcaster
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_ = server.Wait()
	}()
	if setup.addr, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	setup.addr = strings.TrimSpace(setup.addr)
	result, err := benchProcess(role, setup).Output()
	if err != nil {
		b.Fatal(err)
	}
	var f benchFigures
	if err := json.Unmarshal(result, &f); err != nil {
		b.Fatalf("%s: %v", result, err)
	}
	return f
}

func benchProcess(role string, s benchSetup) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	params := fmt.Sprintf("conns=%d rate=%d seconds=%d addr=%s", s.conns, s.rate, s.seconds, s.addr)
	cmd.Env = append(os.Environ(), benchRole+"="+role, benchParams+"="+params)
	cmd.Stderr = os.Stderr
	return cmd
}

// playBenchRole runs this process's part in the benchmark, if it has one.
func playBenchRole() bool {
	setup := benchSetupFrom(os.Getenv(benchParams))
	var subscribe func(addr string, events *atomic.Int64) (run func())
	switch os.Getenv(benchRole) {
	case "":
		return false
	case "broadcast":
		broadcast(setup)
		return true
	case "minimal":
		subscribe = subscribeMinimal
	case "stream":
		subscribe = subscriber(nil, Options{})
	case "wrapped":
		subscribe = subscriber(dialOpaque, Options{})
	case "idle-timeout":
		subscribe = subscriber(nil, Options{IdleTimeout: time.Minute})
	}
	figures := measure(setup, subscribe)
	if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
		panic(err)
	}
	return true
}

// broadcast sends an event of 256 bytes to every connection, at the given rate.
func broadcast(setup benchSetup) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, untilCloseHead)
				mu.Lock()
				defer mu.Unlock()
				conns = append(conns, conn)
			}()
		}
	}()
	event := []byte("id: 12345\ndata: " + strings.Repeat("x", 256-18) + "\n\n")
	tick := time.NewTicker(time.Second / time.Duration(setup.rate))
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(gone)
	}()
	for {
		select {
		case <-tick.C:
		case <-gone:
			return
		}
		mu.Lock()
		now := conns
		mu.Unlock()
		if len(now) < setup.conns {
			continue
		}
		for _, conn := range now {
			_, _ = conn.Write(event)
		}
	}
}

func subscribeMinimal(addr string, events *atomic.Int64) func() {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
	return func() {
		buf := make([]byte, 512)
		for {
			n, err := conn.Read(buf)
			events.Add(int64(bytes.Count(buf[:n], []byte("\n\n"))))
			if err != nil {
				return
			}
		}
	}
}

type countEvents struct{ events *atomic.Int64 }

func (c countEvents) Event(Event) error { c.events.Add(1); return nil }
func (countEvents) Comment([]byte)      {}
func (countEvents) Retry(time.Duration) {}

func subscriber(dial DialFunc, opts Options) func(string, *atomic.Int64) func() {
	return func(addr string, events *atomic.Int64) func() {
		req := &Request{URL: &url.URL{Scheme: "http", Host: addr, Path: "/"}}
		return func() {
			stream, err := Open(context.Background(), dial, req, opts)
			if err != nil {
				panic(err)
			}
			var d Decoder
			_ = stream.Pump(&d, countEvents{events})
		}
	}
}

func measure(setup benchSetup, subscribe func(string, *atomic.Int64) func()) benchFigures {
	debug.FreeOSMemory()
	before := residentKiB()
	var events atomic.Int64
	began := time.Now()
	limit := make(chan struct{}, 64) // dials at a time
	for range setup.conns {
		limit <- struct{}{}
		go func() {
			run := subscribe(setup.addr, &events)
			<-limit
			run()
		}()
	}
	for events.Load() == 0 {
		<-time.After(time.Millisecond)
	}
	connects := float64(setup.conns) / time.Since(began).Seconds()
	<-time.After(time.Second)
	debug.FreeOSMemory()
	rss := residentKiB() - before
	cpu, seen := cpuTime(), events.Load()
	<-time.After(time.Duration(setup.seconds) * time.Second)
	cpu, seen = cpuTime()-cpu, events.Load()-seen
	stack, heap := stackAndHeapKiB()
	return benchFigures{
		Events: seen, CPUPerEvent: float64(cpu.Nanoseconds()) / 1000 / float64(seen), Connects: connects,
		KiBPerConn: rss / float64(setup.conns), StackPer: stack / float64(setup.conns), HeapPer: heap / float64(setup.conns),
	}
}

func residentKiB() float64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(statm))[1], 64)
	return pages * float64(os.Getpagesize()) / 1024
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func stackAndHeapKiB() (stack, heap float64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.StackInuse) / 1024, float64(m.HeapInuse) / 1024
}
