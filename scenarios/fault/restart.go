package fault

import "context"

var restartFault = Fault{
	Name:     "restart",
	About:    "The target is restarted.",
	OnTarget: func(ctx context.Context, target Target, _ Params) error { return target.Restart(ctx) },
}
