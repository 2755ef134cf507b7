package scenarios

import "time"

// Fault describes one thing the environment can do wrong, as the timeline names it. Its behaviour is in scenarios/fault.
type Fault struct {
	Name     string
	About    string
	OnTarget bool     // befalls the target; every other fault befalls the connections of a share of the subscribers
	Loses    bool     // connections end by it, so that subscribers reconnect
	Stays    bool     // it concerns the connections, too, that are made while it lasts
	Slows    bool     // its subscribers read slowly
	Needs    []string // keys it must have beside at and fault
	Takes    []string // keys it may have as well
	Effect   string   // what is seen on a subscriber that it takes effect on
	Without  string   // what it means that it takes none
}

// Faults are all faults that a timeline can name.
var Faults = []Fault{
	{Name: "close", About: "the connection is closed in good order (FIN)", Loses: true, Needs: []string{"share"},
		Effect: "its connection ended", Without: "nobody was connected"},
	{Name: "reset", About: "the connection is reset (RST)", Loses: true, Needs: []string{"share"},
		Effect: "its connection broke", Without: "nobody was connected"},
	{Name: "cut", About: "the connection is lost in the middle of an event", Loses: true, Needs: []string{"share"}, Takes: []string{"for"},
		Effect: "its connection broke in the middle of an event", Without: "no event was on its way to cut"},
	{Name: "stall", About: "the connection goes half-open: nothing arrives any more and nobody closes it", Loses: true, Needs: []string{"share", "for"},
		Effect: "something was kept from it, or it gave its connection up", Without: "nothing was sent meanwhile"},
	{Name: "slow", About: "the subscriber reads slowly at the socket", Stays: true, Slows: true, Needs: []string{"share", "for", "read"},
		Effect: "the target had to wait for it", Without: "what was owed to those who read slowly fits into the buffers of kernels"},
	{Name: "refuse", About: "new connections are refused; open ones stay", Stays: true, Needs: []string{"share", "for"},
		Effect: "it was refused", Without: "nobody tried to connect meanwhile"},
	{Name: "latency", About: "everything that arrives is held back for a while", Stays: true, Needs: []string{"share", "for", "delay"}, Takes: []string{"jitter"},
		Effect: "what arrived was held back", Without: "nothing arrived meanwhile"},
	{Name: "restart", About: "the target is stopped at once and started again", OnTarget: true, Loses: true, Takes: []string{"for", "command"},
		Effect: "its connection ended", Without: "no connection ended by it"},
	{Name: "drain", About: "the target is asked to shut down gracefully and comes back", OnTarget: true, Loses: true, Takes: []string{"for", "command"},
		Effect: "its connection ended", Without: "no connection ended by it"},
}

// FaultByName returns the fault that a timeline calls by this name.
func FaultByName(name string) (Fault, bool) {
	for _, f := range Faults {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}

// OnTarget says that the step befalls the target and not a share of the subscribers.
func (s Step) OnTarget() bool {
	f, _ := FaultByName(s.Fault)
	return f.OnTarget
}

// SlowFrom is when the slow share of the load begins to read slowly: after an undisturbed phase to compare with.
func (s *Scenario) SlowFrom() time.Duration {
	ramp := s.Load.Ramp.Over
	return ramp + (s.Duration-ramp)/4
}
