package conformance

import "testing"

func TestOneIsSingular(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"1 sign of life": Plural(1, "sign of life"), "2 signs of life": Plural(2, "sign of life"), "0 messages": Plural(uint64(0), "message"),
		"1 delivery": Plural(1, "delivery"), "3 deliveries": Plural(3, "delivery"), "1 status": Plural(1, "status"), "2 statuses": Plural(2, "status"),
		"2 publishes": Plural(2, "publish"), "1 more connection": Plural(int64(1), "more connection"), "12 losses": Plural(12, "loss"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
