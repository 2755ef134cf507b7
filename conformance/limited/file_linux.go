package limited

import (
	"os"
	"syscall"
)

// withoutWaiting is for what becomes a named pipe between being looked at and being opened.
const withoutWaiting = syscall.O_NONBLOCK

// virtualFiles are the types of file systems that hold no files but what the kernel tells (statfs(2)).
var virtualFiles = map[uint32]bool{
	0x9fa0:     true, // proc
	0x62656572: true, // sysfs
	0x64626720: true, // debugfs
	0x74726163: true, // tracefs
	0x73636673: true, // securityfs
	0x6e736673: true, // nsfs
	0x27e0eb:   true, // cgroup
	0x63677270: true, // cgroup2
	0xcafe4a11: true, // bpf
	0x6165676c: true, // pstore
	0x1cd1:     true, // devpts
	0xf97cff8c: true, // selinuxfs
	0x62656570: true, // configfs
	0x65735543: true, // fusectl
	0xde5e81e4: true, // efivarfs
	0x42494e4d: true, // binfmt_misc
}

func virtual(file *os.File) bool {
	var about syscall.Statfs_t
	return syscall.Fstatfs(int(file.Fd()), &about) == nil && virtualFiles[uint32(about.Type)] //nolint:gosec // of 32 bits
}
