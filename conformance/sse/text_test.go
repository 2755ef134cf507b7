package sse

import "testing"

func TestInvalidUTF8BecomesOneReplacementPerMaximalSubpart(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                 "",
		"plain \u20ac \U0001f3e9":          "plain \u20ac \U0001f3e9",
		"\ufffd":                           "\ufffd",
		"a\xffb":                           "a\ufffdb",
		"\xe2\x82":                         "\ufffd",
		"\xe2\x82\xe2\x82\xac":             "\ufffd\u20ac",
		"\xf0\x9f\x92b":                    "\ufffdb",
		"\xc0\xaf":                         "\ufffd\ufffd",
		"\xe0\x80\x80":                     "\ufffd\ufffd\ufffd",
		"\xed\xa0\x80":                     "\ufffd\ufffd\ufffd",
		"\xf4\x90\x80\x80":                 "\ufffd\ufffd\ufffd\ufffd",
		"\xf0\x80\x80":                     "\ufffd\ufffd\ufffd",
		"\xc3":                             "\ufffd",
		"\x61\xf1\x80\x80\xe1\x80\xc2\x62": "a\ufffd\ufffd\ufffdb", // Unicode 3.9, table 3-8
	} {
		if got := text([]byte(in)); got != want {
			t.Errorf("%q decodes to %+q, want %+q", in, got, want)
		}
	}
}
