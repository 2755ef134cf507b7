package conformance

import (
	"regexp"
	"strings"
)

// Hidden is shown in place of a secret that no variable stands for.
const Hidden = "***"

var (
	hiddenParameter = regexp.MustCompile(`([?&])([^=&?]+)=\*\*\*`)
	hiddenPassword  = regexp.MustCompile(`(://[^/@\s]*:)\*\*\*@`)
	placeholder     = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)
	special         = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)
	harmless        = regexp.MustCompile(`^[A-Za-z0-9_./:,=@%+~-]+$`)
)

// ShellWord is one word of a command line for a shell. Each secret in it, which is hidden or shown as ${NAME}, is left to a variable
// of the shell; one that was hidden gets its name from where it stands.
func ShellWord(shown string) string {
	shown = hiddenParameter.ReplaceAllStringFunc(shown, func(found string) string {
		m := hiddenParameter.FindStringSubmatch(found)
		return m[1] + m[2] + "=" + ShellVariable(m[2])
	})
	shown = hiddenPassword.ReplaceAllString(shown, "${1}$${PASSWORD}@")
	shown = strings.ReplaceAll(shown, Hidden, "${SECRET}")
	switch {
	case harmless.MatchString(shown):
		return shown
	case !placeholder.MatchString(shown):
		return "'" + strings.ReplaceAll(shown, "'", `'\''`) + "'"
	}
	var b strings.Builder
	end := 0
	for _, at := range placeholder.FindAllStringIndex(shown, -1) {
		b.WriteString(special.Replace(shown[end:at[0]]) + shown[at[0]:at[1]])
		end = at[1]
	}
	return `"` + b.String() + special.Replace(shown[end:]) + `"`
}

// ShellVariable is the variable of a shell that stands for what a name tells: ${X_API_KEY}.
func ShellVariable(name string) string {
	return "${" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name) + "}"
}
