package conformance

import "slices"

// Area is a part of the catalogue.
type Area struct {
	Name  string // FORM of SSE-FORM-003
	About string // what its requirements are about, in a few words
}

// Areas are all areas, in the order of the catalogue.
var Areas = []Area{
	{"PARSE", "reading the stream"},
	{"API", "what a client's application sees"},
	{"HTTPC", "HTTP, the client's side"},
	{"RECON", "coming back"},
	{"HBC", "noticing silence"},
	{"FORM", "form of the stream"},
	{"HTTPS", "HTTP, the server's side"},
	{"HBS", "heartbeats"},
	{"RESUME", "resuming after a break"},
	{"DELIV", "delivery"},
	{"ISO", "isolation of streams"},
	{"AUTH", "tokens and rights"},
	{"SLOW", "slow consumers"},
	{"DRAIN", "shutting down"},
	{"LIMIT", "limits"},
	{"MERC", "Mercure protocol"},
	{"PROXY", "gateways and proxies"},
	{"SLO", "quantities"},
}

// AreaAbout says what an area is about, "" when there is no such area.
func AreaAbout(name string) string {
	i := slices.IndexFunc(Areas, func(a Area) bool { return a.Name == name })
	if i < 0 {
		return ""
	}
	return Areas[i].About
}
