package fault

import "context"

var drainFault = Fault{
	Name:     "drain",
	About:    "The target is drained: it tells its subscribers to leave.",
	OnTarget: func(ctx context.Context, target Target, _ Params) error { return target.Drain(ctx) },
}
