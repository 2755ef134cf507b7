package reports

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// seedResults adds stored results.
func seedResults(f *testing.F, add func(text []byte)) {
	f.Helper()
	files, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no stored results", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(text) <= 16<<10 {
			add(text)
		}
	}
}

// FuzzLoad: a stored result, whatever was edited in it, is refused or shown in every format, in text that prints; and what is stored of it
// is read back as the same.
func FuzzLoad(f *testing.F) {
	seedResults(f, func(text []byte) { f.Add(text, uint64(len(text))) })
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		r, err := parseResult("result.json", text)
		if err != nil {
			return
		}
		random := rand.New(rand.NewPCG(seed, 11))
		opts := Options{Width: random.IntN(200), ASCII: seed&1 != 0, Full: seed&2 != 0, Strict: seed&4 != 0}
		written := map[string]string{}
		for _, format := range Formats {
			written[format.Name] = render(t, format, r, opts)
			requirePrintable(t, format.Name, written[format.Name])
		}
		requireXML(t, written["junit"])
		again, err := parseResult("again.json", []byte(written["json"]))
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if twice := render(t, Formats[1], again, opts); twice != written["json"] {
			t.Fatalf("stored as\n%s\nread and stored again as\n%s", written["json"], twice)
		}
		if update, err := HTMLUpdate(r, opts); err != nil || !json.Valid(update) {
			t.Fatalf("the live page's update is %q, %v", update, err)
		}
	})
}

func requirePrintable(t *testing.T, format, text string) {
	t.Helper()
	for i, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%s holds a raw %q behind %q", format, r, text[max(0, i-100):i])
		}
	}
}

func requireXML(t *testing.T, text string) {
	t.Helper()
	for dec := xml.NewDecoder(strings.NewReader(text)); ; {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("JUnit: %v in\n%s", err, text)
		}
	}
}
