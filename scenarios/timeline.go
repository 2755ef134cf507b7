package scenarios

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
}

// Faults are all faults that a timeline can name.
var Faults = []Fault{
	{Name: "close", About: "the connection is closed in good order (FIN)", Loses: true, Needs: []string{"share"}},
	{Name: "reset", About: "the connection is reset (RST)", Loses: true, Needs: []string{"share"}},
	{Name: "cut", About: "the connection is lost in the middle of an event", Loses: true, Needs: []string{"share"}, Takes: []string{"for"}},
	{Name: "stall", About: "the connection goes half-open: nothing arrives any more and nobody closes it", Loses: true, Needs: []string{"share", "for"}},
	{Name: "slow", About: "the subscriber reads slowly at the socket", Stays: true, Slows: true, Needs: []string{"share", "for", "read"}},
	{Name: "refuse", About: "new connections are refused; open ones stay", Stays: true, Needs: []string{"share", "for"}},
	{Name: "latency", About: "everything that arrives is held back for a while", Stays: true, Needs: []string{"share", "for", "delay"}, Takes: []string{"jitter"}},
	{Name: "restart", About: "the target is stopped at once and started again", OnTarget: true, Loses: true, Takes: []string{"for", "command"}},
	{Name: "drain", About: "the target is asked to shut down gracefully and comes back", OnTarget: true, Loses: true, Takes: []string{"for", "command"}},
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
