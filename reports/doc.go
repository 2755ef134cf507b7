// Package reports turns a conformance.Result into bytes: a terminal table, JSON, JUnit and Markdown. It also reads a stored
// result and writes the directory of a run. It judges nothing and cannot reach the network.
package reports
