// Package history is the record of a run: one flat observation per fact, written as JSON lines.
//
// Every judge reads observations and nothing else, so a run can be judged while it goes on and again from its file, by the
// same code. It is the bottom of the import graph.
package history

import "time"

// Kind says what an observation is about.
type Kind uint8

// The kinds, with the fields each one uses beside At and Kind. Subscriber and Connection are set on all that concern a
// subscriber's connection.
const (
	_          Kind = iota
	Publish         // a publish began. Stream, Publisher, Number, Due, Size; At is when it was sent
	Ack             // a publish ended. Stream, Publisher, Number, Ack, Status, Text (the error)
	Dial            // a subscriber began to connect. Attempt counts from 1 since the last success, Text is the position asked for, Took how late the harness's own timers ran of late
	Open            // response headers of a good stream arrived. Status; Took since the dial; Size: connections of the subscriber that are open; Due: when its token expires; both 0 where not known
	Ready           // from now on a message is owed. Stream, Publisher, Number: the first number owed; one per followed stream and publisher
	First           // the first event of a connection arrived. Took since the dial
	Deliver         // a message arrived. Stream, Publisher, Number, Due, Sent, Size, Mark, Text (event type), Event (the id it carried itself, "" when none)
	Other           // an event that carries no message of ours. Text is its type, Event its own id, Data its first bytes
	Heartbeat       // a comment arrived, or other bytes that were no event
	Gap             // the target said that it cannot continue from the position. Text is what it said
	Refused         // an attempt to connect failed. Cause, Status, Text, Took
	Closed          // a connection ended. Cause, Text; Half: in the middle of an event
	Wait            // the client decided to wait before the next attempt. Attempt, Took is the delay, Low and High the policy's bounds
	Away            // a subscriber's subscription ended for good. Cause
	FaultBegin      // a fault began. Step, Text is its name; Subscriber −1: on the target
	FaultBite       // a fault was seen to take effect on a subscriber's connection. Step, Text
	FaultEnd        // a fault was lifted. Step, Text
	SlowBegin       // a subscriber began to read slowly. Size: bytes per second
	SlowEnd         // it reads normally again
	Phase           // the run entered a phase. Text: ramp, steady, settle, end
	Memory          // the target's resident memory. Size in bytes
	Death           // the target died or stopped answering; At is its last sign of life. Text: what was going on, Data: how it showed
	Anomaly         // a checker's anomaly. Text is its name, Data its sentence; not read by any judge
	Receipt         // a delivery beside an anomaly, for histories without deliveries: At is when it came. Stream, Publisher, Number; not read by any judge
	kinds           // how many there are
)

var kindNames = [kinds]string{
	Publish: "publish", Ack: "ack", Dial: "dial", Open: "open", Ready: "ready", First: "first", Deliver: "deliver", Other: "other",
	Heartbeat: "heartbeat", Gap: "gap", Refused: "refused", Closed: "closed", Wait: "wait", Away: "away",
	FaultBegin: "fault", FaultBite: "bite", FaultEnd: "lifted", SlowBegin: "slow", SlowEnd: "fast", Phase: "phase",
	Memory: "memory", Death: "death", Anomaly: "anomaly", Receipt: "receipt",
}

func (k Kind) String() string {
	if k > 0 && k < kinds {
		return kindNames[k]
	}
	return "unknown"
}

// Kinds are the names of all kinds.
func Kinds() []string { return kindNames[1:] }

// Acked is the outcome of a publish: acknowledged, rejected or indeterminate.
type Acked uint8

const (
	Acknowledged  Acked = iota + 1 // the target accepted it: owed
	Rejected                       // the target refused it, or it never left us: must not arrive
	Indeterminate                  // nobody knows: it may arrive once, or not
)

// Cause says why a connection ended or an attempt failed.
type Cause uint8

const (
	_              Cause = iota
	CauseEOF             // the target ended the stream
	CauseReset           // the target reset the connection
	CauseTruncated       // the stream ended in the middle of a chunk
	CauseIdle            // nothing arrived for the heartbeat timeout
	CauseStatus          // a status other than 200
	CauseType            // not text/event-stream
	CauseRefused         // connection refused
	CauseTimeout         // connecting or the response head took too long
	CauseDNS             // the name did not resolve
	CauseTLS             // the TLS handshake failed
	CauseMalformed       // not HTTP, or a broken chunk or header
	CauseTooLong         // an event or line beyond the limit
	CauseFault           // the harness's own fault did it
	CauseFarewell        // the target announced the end and the client came back as agreed
	CauseExpired         // the client renewed its token
	CauseHarness         // the harness lacked a resource (files, ports)
	CauseEnd             // the run ended
	CauseOther
	causes
)

var causeNames = [causes]string{
	CauseEOF: "eof", CauseReset: "reset", CauseTruncated: "truncated", CauseIdle: "idle", CauseStatus: "status", CauseType: "type",
	CauseRefused: "refused", CauseTimeout: "timeout", CauseDNS: "dns", CauseTLS: "tls", CauseMalformed: "malformed",
	CauseTooLong: "too-long", CauseFault: "fault", CauseFarewell: "farewell", CauseExpired: "expired",
	CauseHarness: "harness", CauseEnd: "end", CauseOther: "other",
}

func (c Cause) String() string {
	if c < causes {
		return causeNames[c]
	}
	return "unknown"
}

// Mark is what the wire said of a message beside its numbers.
type Mark uint8

const (
	Corrupted Mark = 1 << iota // its bytes are not the ones that were published
	Foreign                    // its numbers cannot be trusted: the token itself was damaged
	Malformed                  // its payload violates the schema that the scenario names for its type
	Compared                   // Corrupted, and Data says where it first differs, a line each: where, what was published there, what arrived
)

// Observation is one recorded fact. It is passed by pointer on the hot path and must not be kept by who receives it.
type Observation struct {
	At         time.Duration // since the run began, monotonic
	Kind       Kind
	Cause      Cause
	Acked      Acked
	Mark       Mark
	Half       bool
	Subscriber int32 // index in the plan; −1 where none
	Connection int32 // 1 is the subscriber's first
	Stream     int32 // index in the plan
	Publisher  int32 // index among the stream's publishers
	Attempt    int32
	Step       int32 // index in the timeline
	Status     int32 // HTTP status
	Number     uint64
	Size       int64
	Due        time.Duration // when the schedule wanted it sent
	Sent       time.Duration // when it was sent
	Took       time.Duration
	Low, High  time.Duration
	Text       string
	Event      string
	Data       string
}

// Observer receives observations. One subscriber's observations come in order from one goroutine at a time; those of
// different subscribers and publishers come concurrently.
type Observer interface {
	Observe(*Observation)
}
