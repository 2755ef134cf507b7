// Command pushpin is an origin behind Pushpin: it has Pushpin hold each subscription open, and hands it what is to be sent.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/peers/servers/internal/serve"
)

func main() {
	control := flag.String("control", "http://127.0.0.1:5561/publish/", "where Pushpin takes what is to be sent")
	silence := flag.Int("silence", 5, "seconds of silence after which Pushpin sends a comment")
	serve.Main(func() (*serve.Broker, error) {
		o := &origin{control: *control, silence: *silence}
		return &serve.Broker{Subscribe: o.subscribe, Publish: o.publish, Heartbeat: func() {}}, nil
	})
}

type origin struct {
	control string
	silence int // seconds
}

// subscribe answers at once. What keeps the client's connection open is Pushpin, by the GRIP fields of the head.
func (o *origin) subscribe(w http.ResponseWriter, r *http.Request) {
	streams := r.URL.Query()["stream"]
	if len(streams) == 0 {
		http.Error(w, "name a stream", http.StatusBadRequest)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store, no-transform")
	head.Set("Grip-Hold", "stream")
	for _, stream := range streams {
		head.Add("Grip-Channel", channel(stream))
	}
	head.Set("Grip-Keep-Alive", fmt.Sprintf(`:\n\n; format=cstring; timeout=%d`, o.silence))
	io.WriteString(w, ":ok\n\n") //nolint:errcheck // who has left needs no answer
}

// channel makes a name that survives a header field.
func channel(stream string) string { return url.QueryEscape(stream) }

func (o *origin) publish(stream, kind, data string) error {
	message := map[string]any{"items": []any{map[string]any{
		"channel": channel(stream),
		"formats": map[string]any{"http-stream": map[string]any{"content": event(kind, data)}},
	}}}
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	answer, err := http.Post(o.control, "application/json", bytes.NewReader(body)) //nolint:noctx // it takes as long as Pushpin does
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return serve.Refused{Status: answer.StatusCode}
	}
	return nil
}

var (
	lines = strings.NewReplacer("\r\n", "\ndata: ", "\r", "\ndata: ", "\n", "\ndata: ")
	word  = strings.NewReplacer("\r", "", "\n", "", "\x00", "")
)

// event is an event as it is sent.
func event(kind, data string) string {
	text := "data: " + lines.Replace(data) + "\n\n"
	if kind != "" {
		text = "event: " + word.Replace(kind) + "\n" + text
	}
	return text
}
