//go:build !linux

package main

func leftOn(string) int64 { return 0 }
