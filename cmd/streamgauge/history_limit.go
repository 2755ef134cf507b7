package main

import "github.com/spf13/pflag"

// usualHistory is how long a history gets in bytes where nothing else is asked for.
const usualHistory = 1 << 30

func (f *runFlags) addHistoryLimit(flags *pflag.FlagSet) {
	flags.Var(&f.most, "history-limit", "how large history.jsonl gets, as in 4GiB; beyond it observations are left out, and the result says so (default 1GiB, and at most half of what the disk has left)")
}

// historyMost is how large the history in a folder may get. The reports must find room on the disk behind it.
func (f *runFlags) historyMost(folder string) int64 {
	if f.most.bytes > 0 {
		return int64(f.most.bytes)
	}
	if left := leftOn(folder); left > 0 {
		return min(usualHistory, left/2)
	}
	return usualHistory
}
