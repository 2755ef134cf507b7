package scenarios

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// quantile describes the keys of budgets on percentiles: p50, p99, p99.9 and max, each behind a prefix such as gap_.
func quantile[S any](prefix, about string, at func(*S) *Quantiles) field[S] {
	described := copySchema(positive.schema)
	described["description"] = about
	return field[S]{
		name: prefix + "p99", pattern: regexp.MustCompile(`^` + prefix + `(p[1-9][0-9]?(\.[0-9]{1,4})?|max)$`), schema: described,
		read: func(r *reader, key, name string, n *yaml.Node, into *S) {
			percentile := 100.0
			if digits, ok := strings.CutPrefix(strings.TrimPrefix(name, prefix), "p"); ok {
				percentile, _ = strconv.ParseFloat(digits, 64)
			}
			all := at(into)
			if *all == nil {
				*all = Quantiles{}
			}
			limit := (*all)[percentile]
			positive.read(r, key, n, &limit)
			(*all)[percentile] = limit
		},
	}
}

// quantiles is a mapping of percentiles to the most they may be.
var quantiles = some(object(quantile("", "the most that this percentile may be", func(q *Quantiles) *Quantiles { return q })), "a percentile such as p99")
