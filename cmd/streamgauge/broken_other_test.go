//go:build !unix

package main

func program() { main() }
