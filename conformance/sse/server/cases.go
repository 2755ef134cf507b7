package server

import "slices"

// Cases are all cases, area by area in the order of the catalogue.
var Cases = slices.Concat(formCases, httpsCases, hbsCases, resumeCases, delivCases, isoCases, authCases, slowCases, drainCases, limitCases, mercCases, proxyCases)
