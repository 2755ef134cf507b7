//go:build !linux

package peers

import "syscall"

func dependent() *syscall.SysProcAttr { return nil }
