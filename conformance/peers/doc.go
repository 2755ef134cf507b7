// Package peers runs Streamgauge's core scenarios and its check against servers and proxies that others wrote. All of it is in its tests;
// the small servers made with Go libraries are the programs under servers. It is a module of its own, so that the libraries it
// tries never reach a user of Streamgauge.
package peers
