package reports

import (
	"errors"
	"strings"
	"testing"
)

func TestFormatsAreFoundByName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"table", "json", "junit", "markdown", "html"} {
		if f, err := FormatNamed(name); err != nil || f.Name != name || f.Render == nil || f.Extension == "" || f.About == "" {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	if _, err := FormatNamed("pdf"); err == nil || !strings.Contains(err.Error(), "table, json, junit, markdown, html") {
		t.Errorf("got %v", err)
	}
}

var errFull = errors.New("no room")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAWriterThatFailsIsNoticed(t *testing.T) {
	t.Parallel()
	for _, f := range Formats {
		if err := f.Render(full{}, failed(), Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}
