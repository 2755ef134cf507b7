package reports

import "strings"

// htmlStorms are simulated reconnection storms.
type htmlStorms struct {
	Setting            string
	Recovery, Attempts htmlGrid
}

// Storms is nil when nothing was simulated.
func (h *htmlReport) Storms() *htmlStorms {
	if len(h.R.Storms) == 0 {
		return nil
	}
	of := func(g grid) htmlGrid {
		for i, name := range g.header {
			g.header[i] = strings.ReplaceAll(name, "\n", " ")
		}
		return htmlGridOf(g.header, g.right, g.rows)
	}
	return &htmlStorms{stormSetting(&h.R.Storms[0]), of(recoveryGrid(h.R.Storms)), of(attemptGrid(h.R.Storms))}
}
