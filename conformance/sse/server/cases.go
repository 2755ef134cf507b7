package server

import "slices"

// Cases are all cases, area by area in the order of the catalogue.
var Cases = slices.Concat(
	on(delivery, formCases), on(okAnswer, httpsCases), on(openStream, hbsCases), on(delivery, resumeCases), on(delivery, delivCases), on(delivery, isoCases),
	on(delivery, authCases), on(delivery, slowCases), on(openStream, drainCases), on(delivery, limitCases), on(delivery, mercCases), on(anAnswer, proxyCases),
)

// on names what the cases of an area stand on, unless they do themselves.
func on(ground string, cases []Case) []Case {
	cases = slices.Clone(cases)
	for i := range cases {
		if cases[i].On == "" {
			cases[i].On = ground
		}
	}
	return cases
}
