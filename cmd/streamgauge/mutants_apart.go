package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/reference/matrix"
)

// judgeApart judges some columns of a row in a process of its own: this very program with --row.
func (f mutantFlags) judgeApart(ctx context.Context, row *matrix.Row, columns []string) (judged matrix.Judged, err error) {
	program, err := os.Executable()
	if err != nil {
		return judged, fmt.Errorf("judging %s in a process of its own: %w", row.ID(), err)
	}
	asked := []string{"--row", row.ID(), "--columns", strings.Join(columns, ",")}
	c := exec.CommandContext(ctx, program, append(f.repeat()[1:], asked...)...)
	c.Args[0] = "streamgauge"
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	endsWithUs(c)
	runtime.LockOSThread() // Linux ends a child when the thread that began it ends
	defer runtime.UnlockOSThread()
	if err := c.Run(); err != nil {
		return judged, fmt.Errorf("judging %s in a process of its own: %w: %s", row.ID(), err, cmp.Or(lastLine(said.String()), "it said nothing"))
	}
	if err := json.Unmarshal(out.Bytes(), &judged); err != nil {
		return judged, fmt.Errorf("judging %s in a process of its own: %w", row.ID(), err)
	}
	return judged, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// judgeRow judges one of the rows for the process that asked for it.
func (f mutantFlags) judgeRow(ctx context.Context, w io.Writer, rows []matrix.Row) error {
	i := slices.IndexFunc(rows, func(r matrix.Row) bool { return r.ID() == f.row })
	if i < 0 {
		return inputError(fmt.Errorf("--row %s: there is none of that name, see --list", f.row))
	}
	judged, err := rows[i].Judge(ctx, f.columns)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(judged)
}
