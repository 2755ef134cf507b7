package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"github.com/streamgauge/streamgauge/conformance"
)

// HTML writes a report to open in a browser: one file that needs no other and no network, in light and dark, for screens and paper.
// Its charts are drawn by the page's own script; all text is there without it.
func HTML(w io.Writer, r *conformance.Result, opts Options) error {
	return writePage(w, newHTMLReport(r, opts), "")
}

// HTMLLive writes the page of a run that goes on. It follows the event stream at the address events, which must have the page's own
// origin: each event's data is an HTMLUpdate, and one of type "end" is the last.
func HTMLLive(w io.Writer, r *conformance.Result, opts Options, events string) error {
	return writePage(w, newHTMLLive(r, opts), events)
}

// HTMLUpdate is what the page of HTMLLive needs to show r: one line of JSON.
func HTMLUpdate(r *conformance.Result, opts Options) ([]byte, error) {
	return newHTMLLive(r, opts).update()
}

// HTMLEnd is the last HTMLUpdate of a run that has ended.
func HTMLEnd(r *conformance.Result, opts Options) ([]byte, error) {
	return newHTMLReport(r, opts).update()
}

func (h *htmlReport) update() ([]byte, error) {
	var content bytes.Buffer
	if err := htmlTemplates.ExecuteTemplate(&content, "content", h); err != nil {
		return nil, fmt.Errorf("render HTML: %w", err)
	}
	return json.Marshal(struct {
		Title  string    `json:"title"`
		HTML   string    `json:"html"`
		Charts chartData `json:"charts"`
	}{h.Title(), content.String(), h.Charts})
}

// htmlPage is the frame of a page: what stays when its content is replaced.
type htmlPage struct {
	*htmlReport

	Policy  string // Content-Security-Policy
	Style   template.HTML
	Scripts []template.HTML
	Licence string
	Events  string // where updates come from, "" for nowhere
}

func writePage(w io.Writer, h *htmlReport, events string) error {
	p := htmlPage{htmlReport: h, Events: events, Licence: uplotLicence}
	charts := h.Live || !h.Charts.empty()
	p.frame(charts)
	var page bytes.Buffer
	if err := htmlTemplates.ExecuteTemplate(&page, "page", p); err != nil {
		return fmt.Errorf("render HTML: %w", err)
	}
	_, err := w.Write(page.Bytes())
	return err
}
