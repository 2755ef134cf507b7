package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/limited"
)

// Load reads a stored result: a file, or the directory that holds it. Fields it does not know are passed over, because later
// versions add some; another version of the format is an error, and broken JSON one with file, line and column.
func Load(dirOrFile string) (*conformance.Result, error) {
	path := dirOrFile
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot read the stored result: %w; give a folder that --out wrote, or its %s", dirOrFile, errors.Unwrap(err), ResultFile)
	}
	if info.IsDir() {
		path = filepath.Join(path, ResultFile)
	}
	text, err := limited.ReadFile(path, maxResult)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read stored result: %s holds no %s; was it written by --out?", dirOrFile, ResultFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read stored result: %w", err)
	}
	return parseResult(path, text)
}

// maxResult bounds a stored result, in bytes.
const maxResult = 64 << 20

func parseResult(path string, text []byte) (*conformance.Result, error) {
	if crowded(text) {
		return nil, fmt.Errorf("%s: holds more values than a result of its size has", path)
	}
	var head struct {
		Version *int              `json:"version"`
		Kind    *conformance.Kind `json:"kind"`
	}
	if err := decodeWhole(path, text, &head); err != nil {
		return nil, err
	}
	if head.Version == nil || head.Kind == nil {
		return nil, fmt.Errorf("%s: has no version or no kind, so it is no stored result", path)
	}
	if *head.Version != conformance.ResultVersion {
		return nil, fmt.Errorf("%s: version %d of the result format is not known to this build, which reads version %d",
			path, *head.Version, conformance.ResultVersion)
	}
	var r conformance.Result
	if err := decodeWhole(path, text, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// crowded says that a text has so many values that they would take many times its size: an object of three bytes may take some hundred. A
// stored result has none in less than a hundred bytes, and few others in less than twenty.
func crowded(text []byte) bool {
	const usual, perObject, perValue = 1 << 16, 64, 8
	return bytes.Count(text, []byte("{")) > usual+len(text)/perObject || bytes.Count(text, []byte(",")) > usual+len(text)/perValue
}

// decodeWhole decodes text, all of it, and says where it is broken.
func decodeWhole(path string, text []byte, into any) error {
	err := json.Unmarshal(text, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case len(bytes.TrimSpace(text)) == 0:
		return fmt.Errorf("%s: is empty: %w", path, io.ErrUnexpectedEOF)
	case errors.As(err, &syntax):
		return fmt.Errorf("%s:%s: %w", path, position(text, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("%s:%s: %s cannot be a JSON %s: %w", path, position(text, kind.Offset), kind.Field, kind.Value, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// position is line:column of the last of the first offset bytes, both from 1.
func position(text []byte, offset int64) string {
	read := text[:min(max(offset, 0), int64(len(text)))]
	line := 1 + bytes.Count(read, []byte("\n"))
	column := len(read) - (bytes.LastIndexByte(read, '\n') + 1)
	return fmt.Sprintf("%d:%d", line, max(column, 1))
}
