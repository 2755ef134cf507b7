// Package compare says what became of every promise and every measure from a baseline of runs to a new one. It is pure: results go in, a
// conformance.Comparison comes out.
//
// A verdict that got worse is a regression by itself. A measure is one only when three things agree: it is worse by more than is tolerated,
// by more than the harness's own timers were late, and by more than chance explains. Chance is found from whole seconds, not from
// single deliveries: a pause hits thousands of them, and resampling those one by one would find differences in everything.
package compare
