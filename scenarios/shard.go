package scenarios

import "slices"

// Shard returns the i-th of n parts of the plan, 0 ≤ i < n. The parts are disjoint and together exactly the plan: each has a
// range of the subscribers and of the publishers, a timeline step concerns the part's own subscribers, and what happens to the
// target itself happens in part 0. Subscribers keep their index in the whole plan.
func (p *Plan) Shard(i, n int) *Plan {
	shard := *p
	shard.Subscribers = part(p.Subscribers, i, n)
	shard.Publishers = part(p.Publishers, i, n)
	shard.Timeline = nil
	low, high := int32(i*len(p.Subscribers)/n), int32((i+1)*len(p.Subscribers)/n)
	for _, step := range p.Timeline {
		if step.OnTarget() {
			if i == 0 {
				shard.Timeline = append(shard.Timeline, step)
			}
			continue
		}
		from, _ := slices.BinarySearch(step.Subscribers, low)
		to, _ := slices.BinarySearch(step.Subscribers, high)
		step.Subscribers = step.Subscribers[from:to:to]
		if from < to {
			shard.Timeline = append(shard.Timeline, step)
		}
	}
	return &shard
}

func part[T any](all []T, i, n int) []T {
	from, to := i*len(all)/n, (i+1)*len(all)/n
	return all[from:to:to]
}
