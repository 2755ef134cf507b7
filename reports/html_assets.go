package reports

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"strings"
)

//go:embed html/*.tmpl
var htmlFiles embed.FS

// The page's styles and scripts. Those under uplot are uPlot 1.6.32 as its package has them, see its LICENSE.
var (
	//go:embed html/page.css
	pageStyle string
	//go:embed html/page.js
	pageScript string
	//go:embed html/charts.js
	chartsScript string
	//go:embed html/charts_run.js
	chartsOfRuns string
	//go:embed html/charts_other.js
	otherCharts string
	//go:embed html/live.js
	liveScript string
	//go:embed html/uplot/uPlot.min.css
	uplotStyle string
	//go:embed html/uplot/uPlot.iife.min.js
	uplotScript string
	//go:embed html/uplot/LICENSE
	uplotLicence string
)

// frame gives the page its styles, its scripts, and a policy that allows exactly those and no request.
func (p *htmlPage) frame(charts bool) {
	style, scripts := pageStyle, []string{pageScript}
	if charts {
		style = uplotStyle + pageStyle
		scripts = []string{uplotScript, pageScript, chartsScript, chartsOfRuns, otherCharts}
	}
	connect := "'none'"
	if p.Events != "" {
		scripts = append(scripts, liveScript)
		connect = "'self'"
	}
	hashes := make([]string, len(scripts))
	for i, s := range scripts {
		hashes[i] = hashSource(s)
		p.Scripts = append(p.Scripts, template.HTML("<script>"+s+"</script>")) //nolint:gosec // it is ours
	}
	p.Style = template.HTML("<style>" + style + "</style>") //nolint:gosec // it is ours
	p.Policy = strings.Join([]string{
		"default-src 'none'", "script-src " + strings.Join(hashes, " "), "style-src " + hashSource(style), "connect-src " + connect,
		"base-uri 'none'", "form-action 'none'",
	}, "; ")
	if !charts {
		p.Licence = ""
	}
}

// hashSource allows one inline script or style by its text.
func hashSource(text string) string {
	digest := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'"
}

var htmlTemplates = template.Must(template.New("").Funcs(htmlFuncs).ParseFS(htmlFiles, "html/*.tmpl"))
