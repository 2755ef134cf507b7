package reports

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// alike are verdicts with one outcome for one reason.
type alike struct {
	reason, next string
	verdicts     []conformance.Verdict
}

// interruption is the reason of what was not judged because somebody ended the check.
const interruption = "the check was interrupted"

// byReason groups the verdicts with the given outcome by what they say of it, in their order.
func byReason(verdicts []conformance.Verdict, outcome conformance.Outcome) []alike {
	var groups []alike
	index := map[[2]string]int{}
	for _, v := range verdicts {
		if v.Outcome != outcome {
			continue
		}
		if outcome == conformance.Info {
			v.Reason = joinNonEmpty("; ", orNothing(v.Actual), v.Reason) // what was seen is what it has to tell
		}
		if v.Reason == "" {
			v.Reason = "no reason was recorded"
		}
		if whole, _, cut := strings.Cut(v.Reason, " while "); cut && whole == interruption {
			v.Reason = whole // what each of them waited for explains nothing
		}
		key := [2]string{v.Reason, v.Next}
		at, known := index[key]
		if !known {
			at = len(groups)
			index[key] = at
			groups = append(groups, alike{reason: v.Reason, next: v.Next})
		}
		groups[at].verdicts = append(groups[at].verdicts, v)
	}
	return groups
}

// ids names the verdicts of the group: "SSE-FORM-003 to 008, 012; SSE-ISO-001". What is no requirement's id stands for itself.
func (a alike) ids() string {
	var parts []string
	for i := 0; i < len(a.verdicts); {
		area := requirementArea(a.verdicts[i].ID)
		if area == "" {
			parts = append(parts, a.verdicts[i].ID)
			i++
			continue
		}
		var numbers []int
		for ; i < len(a.verdicts) && requirementArea(a.verdicts[i].ID) == area; i++ {
			numbers = append(numbers, requirementNumber(a.verdicts[i].ID))
		}
		parts = append(parts, "SSE-"+area+"-"+spans(numbers))
	}
	return strings.Join(parts, "; ")
}

// requirementArea is FORM of SSE-FORM-003, "" for an id that is no requirement's.
func requirementArea(id string) string {
	area := conformance.AreaOf(id)
	if area == "" || id != fmt.Sprintf("SSE-%s-%03d", area, requirementNumber(id)) {
		return ""
	}
	return area
}

// requirementNumber is 3 of SSE-FORM-003.
func requirementNumber(id string) (n int) {
	_, _ = fmt.Sscanf(id[strings.LastIndexByte(id, '-')+1:], "%d", &n) // 0 when it is none
	return n
}

// spans writes numbers in their order, three and more in a row as a span.
func spans(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		last := i
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		if last < i+2 {
			last = i
			parts = append(parts, fmt.Sprintf("%03d", numbers[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%03d to %03d", numbers[i], numbers[last]))
		}
		i = last + 1
	}
	return strings.Join(parts, ", ")
}
