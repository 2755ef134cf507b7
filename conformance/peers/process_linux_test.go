package peers

import "syscall"

// dependent makes a child end with the process that runs the tests, however that ends.
func dependent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
