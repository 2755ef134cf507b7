package scenarios

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

const (
	longest    = 30 * 24 * time.Hour
	fastest    = 10_000_000 // messages per second
	largest    = 1 << 40    // bytes
	decimal    = `[0-9]+(?:\.[0-9]+)?`
	percentage = `(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?)%`
	sizeUnits  = `(B|kB|KB|KiB|MB|MiB|GB|GiB)`
)

var (
	duration = durationFrom(0)
	positive = durationFrom(1)

	rate = scalar("a rate", `^(`+decimal+`)/(s|m|h)$`, []string{"100/s", "6/m"}, parseRate)
	size = scalar("a size", `^(`+decimal+`)`+sizeUnits+`$`, []string{"256B", "1KiB", "2MB"}, parseSize)
	read = scalar("a reading rate", `^(`+decimal+`)`+sizeUnits+`/s$`, []string{"1KiB/s"}, parseRead)
	peak = scalar("a share per second", `^(`+percentage+`)/s$`, []string{"25%/s"}, func(m []string) (Share, error) { return parseShare(m[1]) })

	factor = scalar("a factor", `^(`+decimal+`)x$`, []string{"1.5x"}, parseFactor)
	shares = scalar("a share", `^(`+percentage+`)$`, []string{"30%"}, func(m []string) (Share, error) { return parseShare(m[1]) })
)

// scalar reads a text that matches an expression. The schema has the same expression. An error of parse completes the sentence
// "is x, which …".
func scalar[T any](what, expr string, examples []string, parse func(match []string) (T, error)) shape[T] {
	re := regexp.MustCompile(expr)
	hint := "write " + what + " such as " + strings.Join(examples, " or ")
	described := orVariable(schema{"type": "string", "pattern": expr, "examples": examples})
	return shape[T]{schema: described, read: func(r *reader, key string, n *yaml.Node, into *T) {
		match := re.FindStringSubmatch(n.Value)
		if match != nil && n.Tag != "!!str" && r.written[n] == "" {
			r.report(n, key, "is "+r.show(n)+", which YAML takes for a number or a boolean", "put it in quotes")
			return
		}
		if n.Kind != yaml.ScalarNode || match == nil {
			r.report(n, key, "is "+r.show(n)+", which is not "+what, r.unitHint(n, hint, examples[0]))
			return
		}
		value, err := parse(match)
		if err != nil {
			r.report(n, key, fmt.Sprintf("is %s, which %v", r.show(n), err), "")
			return
		}
		*into = value
	}}
}

// quoted says that a value is a text and not a number or a boolean. One that comes from a variable can be both.
func (r *reader) quoted(n *yaml.Node) bool { return n.Tag == "!!str" && r.written[n] == "" }

// orVariable lets a schema also accept a text with a ${VARIABLE}, whose value only the parser knows.
func orVariable(s schema) schema {
	return schema{"anyOf": []any{s, schema{"type": "string", "pattern": `\$\{`}}}
}

var (
	plain = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?$`)
	unit  = regexp.MustCompile(`[^0-9.]+$`)
)

// unitHint tells a user who left out the unit what the value would look like with one.
func (r *reader) unitHint(n *yaml.Node, hint, example string) string {
	if _, fromVariable := r.written[n]; fromVariable || !plain.MatchString(n.Value) {
		return hint
	}
	return "a unit is missing: " + n.Value + unit.FindString(example) + "?"
}

func durationFrom(least time.Duration) shape[time.Duration] {
	examples := []string{"10s", "1m30s", "250ms"}
	return scalar("a duration", `^(?:`+decimal+`(?:ns|us|µs|ms|s|m|h))+$`, examples, func(m []string) (time.Duration, error) {
		d, err := time.ParseDuration(m[0])
		switch {
		case err != nil || d > longest:
			return 0, fmt.Errorf("is more than %d days", longest/24/time.Hour)
		case d < least:
			return 0, errors.New("is not above zero")
		}
		return d, nil
	})
}

func parseRate(m []string) (float64, error) {
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[m[2]]
	value, err := strconv.ParseFloat(m[1], 64)
	if err != nil || value/per > fastest {
		return 0, fmt.Errorf("is more than %d/s", int(fastest))
	}
	return value / per, nil
}

var byteUnits = map[string]float64{"B": 1, "kB": 1e3, "KB": 1e3, "KiB": 1 << 10, "MB": 1e6, "MiB": 1 << 20, "GB": 1e9, "GiB": 1 << 30}

var sizeText = regexp.MustCompile(`^(` + decimal + `)` + sizeUnits + `$`)

// ParseBytes reads a size as scenario files have it.
func ParseBytes(text string) (Bytes, error) {
	match := sizeText.FindStringSubmatch(text)
	if match == nil {
		return 0, errors.New("is not a size: write a size such as 256MiB or 2GiB")
	}
	return parseSize(match)
}

func parseSize(m []string) (Bytes, error) {
	value, err := strconv.ParseFloat(m[1], 64)
	value *= byteUnits[m[2]]
	switch {
	case err != nil || value > largest:
		return 0, errors.New("is more than 1024GiB")
	case value != math.Trunc(value):
		return 0, errors.New("is not a whole number of bytes")
	}
	return Bytes(value), nil
}

func parseRead(m []string) (Bytes, error) {
	b, err := parseSize(m)
	if err == nil && b == 0 {
		return 0, errors.New("is not above zero; use the fault stall for no reading at all")
	}
	return b, err
}

func parseShare(percent string) (Share, error) {
	value, err := strconv.ParseFloat(strings.TrimSuffix(percent, "%"), 64)
	if err != nil || value == 0 {
		return 0, errors.New("is not above zero")
	}
	return Share(value / 100), nil
}

func parseFactor(m []string) (float64, error) {
	value, err := strconv.ParseFloat(m[1], 64)
	if err != nil || value < 1 || value > 1e6 {
		return 0, errors.New("is not between 1x and 1000000x")
	}
	return value, nil
}

// share is a part of a whole: 30% or 0.3.
var share = func() shape[Share] {
	of := shares
	of.schema = orVariable(schema{"anyOf": []any{
		schema{"type": "string", "pattern": `^` + percentage + `$`, "examples": []string{"30%"}},
		schema{"type": "number", "exclusiveMinimum": 0, "maximum": 1},
	}})
	of.read = func(r *reader, key string, n *yaml.Node, into *Share) {
		value, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || r.quoted(n) || err != nil {
			shares.read(r, key, n, into)
			return
		}
		if !(value > 0 && value <= 1) { // also false for NaN
			hint := "write 30% or 0.3 for three tenths"
			if value > 1 && value <= 100 {
				hint = fmt.Sprintf("%g%%?", value)
			}
			r.report(n, key, "is "+r.show(n)+", which is not above 0 and at most 1", r.safeHint(n, hint))
			return
		}
		*into = Share(value)
	}
	return of
}()

// shareOrNone is a share that may be nothing: 0% or 0.
var shareOrNone = func() shape[Share] {
	of := share
	of.schema = schema{"anyOf": append([]any{schema{"enum": []any{"0%", 0}}}, share.schema["anyOf"].([]any)...)}
	of.read = func(r *reader, key string, n *yaml.Node, into *Share) {
		if n.Kind == yaml.ScalarNode && (n.Value == "0%" || n.Value == "0") {
			*into = 0
			return
		}
		share.read(r, key, n, into)
	}
	return of
}()

// safeHint drops a hint that would show the value of a variable.
func (r *reader) safeHint(n *yaml.Node, hint string) string {
	if _, fromVariable := r.written[n]; fromVariable {
		return ""
	}
	return hint
}

var digits = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// whole is a whole number from least to most.
func whole[T ~int | ~int64](least, most int) shape[T] {
	s := orVariable(schema{"type": "integer", "minimum": least, "maximum": most})
	return shape[T]{schema: s, read: func(r *reader, key string, n *yaml.Node, into *T) {
		if n.Kind != yaml.ScalarNode || r.quoted(n) || !digits.MatchString(n.Value) {
			hint := fmt.Sprintf("write a number from %d to %d, in plain digits", least, most)
			r.report(n, key, "is "+r.show(n)+", which is not a whole number", hint)
			return
		}
		value, err := strconv.Atoi(n.Value)
		if err != nil || value < least || value > most {
			r.report(n, key, fmt.Sprintf("is %s, which is not from %d to %d", r.show(n), least, most), "")
			return
		}
		*into = T(value)
	}}
}

// fraction is a decimal number from least to most.
func fraction(least, most float64) shape[float64] {
	s := orVariable(schema{"type": "number", "minimum": least, "maximum": most})
	return shape[float64]{schema: s, read: func(r *reader, key string, n *yaml.Node, into *float64) {
		value, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || r.quoted(n) || err != nil || !(value >= least && value <= most) {
			r.report(n, key, fmt.Sprintf("is %s, which is not a number from %v to %v", r.show(n), least, most), "")
			return
		}
		*into = value
	}}
}

var boolean = shape[bool]{
	schema: orVariable(schema{"type": "boolean"}),
	read: func(r *reader, key string, n *yaml.Node, into *bool) {
		if n.Kind != yaml.ScalarNode || r.quoted(n) || n.Value != "true" && n.Value != "false" {
			r.report(n, key, "is "+r.show(n)+", which is neither true nor false", "")
			return
		}
		*into = n.Value == "true"
	},
}

// oneOf is one of some words.
func oneOf[T ~string](words ...T) shape[T] {
	known := make([]string, len(words))
	for i, w := range words {
		known[i] = string(w)
	}
	return shape[T]{schema: orVariable(schema{"enum": known}), read: func(r *reader, key string, n *yaml.Node, into *T) {
		if n.Kind != yaml.ScalarNode || !slices.Contains(known, n.Value) {
			r.report(n, key, "is "+r.show(n)+", which is not a known word here", r.safeHint(n, Suggest(n.Value, known)))
			return
		}
		*into = T(n.Value)
	}}
}

// str is a text of at least one character.
var str = shape[string]{
	schema: schema{"type": "string", "minLength": 1},
	read: func(r *reader, key string, n *yaml.Node, into *string) {
		switch {
		case n.Kind != yaml.ScalarNode:
			r.report(n, key, "is "+r.show(n)+", not a text", "")
		case n.Tag != "!!str" && r.written[n] == "":
			r.report(n, key, "is "+r.show(n)+", not a text", "put it in quotes")
		case n.Value == "":
			r.report(n, key, "is empty", "give a text or remove the key")
		default:
			*into = n.Value
		}
	},
}

// value is a text; a number, true or false is taken as it is written, and it may be empty.
var value = shape[string]{
	schema: schema{"type": []string{"string", "number", "boolean"}},
	read: func(r *reader, key string, n *yaml.Node, into *string) {
		if n.Kind != yaml.ScalarNode {
			r.report(n, key, "is "+r.show(n)+", not a text", "put it in quotes")
			return
		}
		*into = n.Value
	},
}

// withoutNUL is a shape of texts that the system takes: it reads them up to the first NUL.
func withoutNUL(of shape[string]) shape[string] {
	read := of.read
	of.read = func(r *reader, key string, n *yaml.Node, into *string) {
		read(r, key, n, into)
		if strings.ContainsRune(*into, 0) {
			r.report(n, key, "is "+r.show(n)+", which cannot be: it has a NUL character", "")
		}
	}
	return of
}

var (
	pathName = withoutNUL(str)
	argument = withoutNUL(value) // of a program
)

// hostName is the name of a machine, or its address.
var hostName = scalar("a host name", `^[A-Za-z0-9._:-]{1,253}$`, []string{"gateway.example"}, func(m []string) (string, error) { return m[0], nil })

// eventType is what can stand in an event: field: one line, without control characters.
var eventType = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,64}$`)

// maxTypeLength is in bytes; the schema can only count characters.
const maxTypeLength = 64

// event is the type of an event.
var event = shape[string]{
	schema: schema{"type": "string", "pattern": eventType.String()},
	read: func(r *reader, key string, n *yaml.Node, into *string) {
		str.read(r, key, n, into)
		if *into != "" && !isEventType(*into) {
			r.report(n, key, "is "+r.show(n)+", which "+notEventType, "")
		}
	},
}

const notEventType = "is not one line of at most 64 bytes"

func isEventType(text string) bool { return len(text) <= maxTypeLength && eventType.MatchString(text) }

// byType is a mapping whose keys are event types.
func byType[T any](of shape[T]) shape[map[string]T] {
	all := some(mapOf(of), "an event type")
	all.schema["propertyNames"] = schema{"pattern": eventType.String()}
	read := all.read
	all.read = func(r *reader, key string, n *yaml.Node, into *map[string]T) {
		read(r, key, n, into)
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			if name := n.Content[i]; name.Kind == yaml.ScalarNode && !isEventType(name.Value) {
				r.report(name, key, quote(name.Value)+" "+notEventType, "")
			}
		}
	}
	return all
}
