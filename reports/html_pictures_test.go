package reports

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// The pictures in the README are of results that were measured and stored; -update takes them anew.
func TestThePicturesAreSmallAndThere(t *testing.T) {
	t.Parallel()
	for name, height := range map[string]int{"run": 1330, "check": 1100} {
		path := filepath.Join("..", "docs", "images", name+".png")
		if *update {
			takePicture(t, name, height, path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.DecodeConfig(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(text) >= 200_000 || picture.Width < 700 {
			t.Errorf("%s has %d bytes and is %d wide", path, len(text), picture.Width)
		}
	}
}

func takePicture(t *testing.T, name string, height int, path string) {
	t.Helper()
	r, err := Load(filepath.Join("testdata", "pictures", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	l := look(t)
	defer l.done()
	for _, scale := range []float64{1, 0.9, 0.8} {
		if err := l.Look(l.ctx, 960, height, scale, "light"); err != nil {
			t.Fatal(err)
		}
		l.open(htmlPageOf(t, r))
		run[bool](l, settled)
		taken, err := l.Screenshot(l.ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, taken, 0o644); err != nil {
			t.Fatal(err)
		}
		if len(taken) < 200_000 {
			return
		}
	}
}
