package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// requests are a target's compiled templates.
type requests struct {
	subscribe *requestTemplate
	publish   *requestTemplate // nil: cannot publish
	claims    any              // nil: none
	accept    *regexp.Regexp   // nil: any body of an answer
	reject    *regexp.Regexp   // nil: none
}

// requestTemplate is one request before its variables are known.
type requestTemplate struct {
	method  string
	url     *templated
	headers map[string]*templated
	kind    string // content type, "" for none
	form    map[string]*templated
	json    any // a tree with *templated for its strings
	body    *templated
}

// keyError is what is wrong with the value at a key.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.err.Error() }

func (e *keyError) Unwrap() error { return e.err }

// compiler compiles a target's templates and collects what is wrong with them.
type compiler struct{ problems []keyError }

func compileRequests(t *Target) (*requests, []keyError) {
	var c compiler
	made := &requests{subscribe: &requestTemplate{
		method: http.MethodGet, url: c.text("subscribe.url", t.Subscribe.URL, subscribeFields, inURL),
		headers: c.texts("subscribe.headers", t.Subscribe.Headers, subscribeFields),
	}}
	if t.Publish != nil {
		made.publish = c.publication(*t.Publish)
		made.accept, made.reject = c.expression("publish.accept_body", t.Publish.AcceptBody), c.expression("publish.reject_body", t.Publish.RejectBody)
	}
	if t.Auth != nil && t.Auth.Claims != nil {
		made.claims = c.tree("auth.jwt.claims", t.Auth.Claims, subscribeFields)
	}
	return made, c.problems
}

func (c *compiler) publication(p PublishRequest) *requestTemplate {
	r := &requestTemplate{
		method: p.Method, url: c.text("publish.url", p.URL, publishFields, inURL),
		headers: c.texts("publish.headers", p.Headers, publishFields),
	}
	switch {
	case p.Form != nil:
		r.kind, r.form = "application/x-www-form-urlencoded", c.texts("publish.form", p.Form, publishFields)
	case p.JSON != nil:
		r.kind, r.json = "application/json", c.tree("publish.json", p.JSON, publishFields)
	default:
		r.kind, r.body = "text/plain; charset=utf-8", c.text("publish.body", p.Body, publishFields, verbatim)
	}
	if r.method == "" {
		r.method = http.MethodPost
	}
	return r
}

// expression is nil for none.
func (c *compiler) expression(key, source string) *regexp.Regexp {
	if source == "" {
		return nil
	}
	compiled, err := regexp.Compile(source)
	if err != nil {
		c.problems = append(c.problems, keyError{key, errors.New(reasonOf(err))})
	}
	return compiled
}

// reasonOf is an error of package regexp without its prefix.
func reasonOf(err error) string { return strings.TrimPrefix(err.Error(), "error parsing regexp: ") }

func (c *compiler) text(key, source string, fields []string, esc escape) *templated {
	t, err := compile(source, fields, esc)
	if err != nil {
		c.problems = append(c.problems, keyError{key, err})
		return &templated{}
	}
	return t
}

func (c *compiler) texts(key string, sources map[string]string, fields []string) map[string]*templated {
	compiled := make(map[string]*templated, len(sources))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		compiled[name] = c.text(key+"."+name, sources[name], fields, verbatim)
	}
	return compiled
}

// tree copies a JSON value with its strings compiled. Keys stay as they are.
func (c *compiler) tree(key string, value any, fields []string) any {
	switch v := value.(type) {
	case string:
		return c.text(key, v, fields, verbatim)
	case map[string]any:
		copied := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			copied[name] = c.tree(key+"."+name, v[name], fields)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i := range v {
			copied[i] = c.tree(fmt.Sprintf("%s.%d", key, i), v[i], fields)
		}
		return copied
	}
	return value
}

func (r *requestTemplate) uses(field string) bool {
	if r.url.uses(field) {
		return true
	}
	for _, t := range r.headers {
		if t.uses(field) {
			return true
		}
	}
	return false
}

func (r *requestTemplate) render(vars any) (Request, error) {
	made := Request{Method: r.method, Header: make(http.Header, len(r.headers)+1)}
	rendered, err := r.url.render(vars)
	if err != nil {
		return Request{}, &keyError{"url", fmt.Errorf("rendering the url: %w", err)}
	}
	if made.URL, err = cleanURL(rendered); err != nil {
		return Request{}, &keyError{"url", err}
	}
	if r.kind != "" {
		made.Header.Set("Content-Type", r.kind)
	}
	for name, t := range r.headers {
		value, err := t.render(vars)
		if err != nil {
			return Request{}, &keyError{"headers." + name, fmt.Errorf("rendering header %s: %w", name, err)}
		}
		if strings.ContainsFunc(value, neverInHeaders) {
			return Request{}, &keyError{"headers." + name, fmt.Errorf("header %s would contain a line break or another control character", name)}
		}
		if value != "" {
			made.Header.Set(name, value)
		}
	}
	made.Body, err = r.renderBody(vars)
	return made, err
}

// neverInHeaders says of a character that no header field's value has (RFC 9110, 5.5).
func neverInHeaders(c rune) bool { return c < ' ' && c != '\t' || c == '\x7f' }

func (r *requestTemplate) renderBody(vars any) ([]byte, error) {
	switch {
	case r.form != nil:
		form := make(url.Values, len(r.form))
		for name, t := range r.form {
			value, err := t.render(vars)
			if err != nil {
				return nil, fmt.Errorf("rendering form field %s: %w", name, err)
			}
			form.Set(name, value)
		}
		return []byte(form.Encode()), nil
	case r.json != nil:
		value, err := renderTree(r.json, vars)
		if err != nil {
			return nil, fmt.Errorf("rendering the json: %w", err)
		}
		return json.Marshal(value)
	case r.body != nil:
		body, err := r.body.render(vars)
		if err != nil {
			return nil, fmt.Errorf("rendering the body: %w", err)
		}
		return []byte(body), nil
	}
	return nil, nil
}

func renderTree(tree, vars any) (any, error) {
	switch v := tree.(type) {
	case *templated:
		return v.render(vars)
	case map[string]any:
		made := make(map[string]any, len(v))
		for name, child := range v {
			value, err := renderTree(child, vars)
			if err != nil {
				return nil, err
			}
			made[name] = value
		}
		return made, nil
	case []any:
		made := make([]any, len(v))
		for i, child := range v {
			value, err := renderTree(child, vars)
			if err != nil {
				return nil, err
			}
			made[i] = value
		}
		return made, nil
	}
	return tree, nil
}

// cleanURL checks an address and escapes what a template left in it that may not stand in a request line, such as the quotes
// of JSON in a query. Its errors do not quote the address, which may carry a secret.
func cleanURL(raw string) (string, error) {
	u, err := url.Parse(escapeIllegal(raw))
	switch {
	case err != nil:
		return "", fmt.Errorf("the url cannot be read: %w", parseReason(err))
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("the url does not begin with http:// or https://")
	case u.Host == "" || u.Hostname() == "":
		return "", errors.New("the url names no host")
	case u.Fragment != "":
		return "", errors.New("the url has a #fragment, which is never sent")
	case len(u.Hostname()) > maxHost:
		return "", fmt.Errorf("the url has a host name that is longer than %d characters", maxHost)
	case !isPort(u.Port()):
		return "", errors.New("the url has a port that is not from 1 to 65535")
	}
	return u.String(), nil
}

// ParseURL reads an address that a request can be sent to, and escapes what may not stand in one. Its errors do not quote the address.
func ParseURL(text string) (*url.URL, error) {
	clean, err := cleanURL(text)
	if err != nil {
		return nil, err
	}
	return url.Parse(clean)
}

// maxHost is the length of the longest host name that DNS has (RFC 1035, 2.3.4).
const maxHost = 253

// isPort says of the digits of a port, which may be left out, that something can listen there.
func isPort(digits string) bool {
	n, err := strconv.ParseUint(digits, 10, 16)
	return digits == "" || err == nil && n > 0
}

// parseReason unwraps an error of url.Parse, whose outer text repeats the whole address.
func parseReason(err error) error {
	var outer *url.Error
	if !errors.As(err, &outer) {
		return err
	}
	var escape url.EscapeError
	if errors.As(outer.Err, &escape) {
		return errors.New("a % that does not begin an escape such as %20")
	}
	var host url.InvalidHostError
	if errors.As(outer.Err, &host) {
		return errors.New("a character that no host name has")
	}
	return errors.New("not a url such as http://localhost:8080/events")
}

func escapeIllegal(raw string) string {
	const illegal = "\"<>\\^`{|} "
	if !strings.ContainsAny(raw, illegal) {
		return raw
	}
	var b strings.Builder
	for i := range len(raw) {
		if c := raw[i]; strings.IndexByte(illegal, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
