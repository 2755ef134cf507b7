package reports

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func posInf() float64 { return math.Inf(1) }

func TestEveryFormatLooksAsAgreed(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		for _, f := range Formats {
			t.Run(s.name+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				var got bytes.Buffer
				if err := f.Render(&got, s.result, Options{Width: 100}); err != nil {
					t.Fatal(err)
				}
				text := got.Bytes()
				if f.Name == "html" {
					text = withoutAssets(text)
				}
				golden(t, s.name+f.Extension, text)
			})
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got), -update writes it:\n%s", path, diff)
	}
}

// withoutAssets is a page without its styles and scripts, which are files of their own, and without the policy, which is made of them.
func withoutAssets(page []byte) []byte {
	return assets.ReplaceAll(page, []byte("$1…$2"))
}

var assets = regexp.MustCompile(`(?s)(<style>|<script>|<meta http-equiv="Content-Security-Policy" content=")[^<].*?(</style>|</script>|">)`)
