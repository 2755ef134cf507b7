// Package stats is the arithmetic of judging numbers: quantiles of what was measured in pieces, the bootstrap, Student's t. It is pure and
// imports nothing of ours; whoever draws random numbers passes the generator in.
package stats
