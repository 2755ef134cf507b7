package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profile writes profiles of the process into dir, where one is named: of its processor time until stop is called, and of its
// memory as it was when its garbage was last collected.
func profile(dir, role string) (stop func() error, err error) {
	if dir == "" {
		return func() error { return nil }, nil
	}
	name := filepath.Join(dir, fmt.Sprintf("%s-%d", role, os.Getpid()))
	processor, err := os.Create(name + ".cpu")
	if err != nil {
		return nil, err
	}
	memory, err := os.Create(name + ".heap")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(processor); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return pprof.WriteHeapProfile(memory)
	}, nil
}
