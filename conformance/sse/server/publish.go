package server

import (
	"context"
	"io"
	"net/http"
	"time"
)

// PublishHTTP publishes by one HTTP request. accepts says which answers mean that the message was taken.
func PublishHTTP(ctx context.Context, client *http.Client, req *http.Request, accepts func(status int, body []byte) bool) Receipt {
	r := Receipt{Began: time.Now()}
	resp, err := client.Do(req.WithContext(ctx))
	r.Took = time.Since(r.Began)
	if err != nil {
		r.Err = err
		return r
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, receiptBytes)) // what can be read of it is for people
	_ = resp.Body.Close()
	r.Status, r.Header, r.Body = resp.StatusCode, resp.Header, string(body)
	if len(body) == receiptBytes {
		r.Body += "…" // cut, as are secrets at its end
	}
	switch {
	case accepts(resp.StatusCode, body):
		r.Acceptance = Acknowledged
	case resp.StatusCode >= 400 && resp.StatusCode < 500:
		r.Acceptance = Rejected
	}
	return r
}

// receiptBytes is how much of an answer is kept.
const receiptBytes = 4 << 10
