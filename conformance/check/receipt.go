package check

import (
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// receipt is when a message arrived, and on which connection.
type receipt struct {
	number     uint64
	at         time.Duration
	connection int32
}

// latest is the receipt of the highest number so far; zero when nothing of the subscription has come.
func (f *fold) latest() receipt {
	if f.at == 0 {
		return receipt{}
	}
	return receipt{f.next.Load() - 1, f.at, f.on}
}

// pass tells the sink of an anomaly, between the receipts beside it: a history that leaves deliveries out has them from here.
func (j *Judge) pass(o *history.Observation, before, after receipt) {
	j.passReceipt(o, before)
	j.sink.Observe(o)
	j.passReceipt(o, after)
}

func (j *Judge) passReceipt(beside *history.Observation, r receipt) {
	if r.number == 0 {
		return
	}
	j.sink.Observe(&history.Observation{
		At: r.at, Kind: history.Receipt, Subscriber: beside.Subscriber, Connection: r.connection,
		Stream: beside.Stream, Publisher: beside.Publisher, Number: r.number,
	})
}
