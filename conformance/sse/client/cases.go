package client

import "slices"

// Cases are all that judge a client.
var Cases = slices.Concat(parseCases, apiCases, httpcCases, reconCases, hbcCases)
