package scenarios

import (
	"regexp"
	"slices"
	"strings"
)

// nameWord is one word of a name such as X-API-Key, access_token or dbPassword.
var nameWord = regexp.MustCompile(`[A-Z]+[a-z0-9]*|[a-z0-9]+`)

// tells says whether what stands under a name is secret wherever it comes from: a header, a parameter, a field, a claim, a variable.
func tells(name string) bool {
	return slices.ContainsFunc(nameWord.FindAllString(name, -1), func(word string) bool { return wordTells(strings.ToLower(word)) })
}

var (
	tellingParts = []string{"token", "secret", "passw", "passphrase", "cookie", "credential", "jwt", "signature", "authoriz", "authentic"}
	tellingWords = []string{"auth", "key", "keys", "pass", "pw", "pwd", "bearer", "sig", "hmac", "creds", "session", "sessionid", "sid"}
)

func wordTells(word string) bool {
	return slices.Contains(tellingWords, word) || strings.HasSuffix(word, "key") || strings.HasSuffix(word, "auth") ||
		strings.HasPrefix(word, "auth") && !strings.HasPrefix(word, "author") ||
		slices.ContainsFunc(tellingParts, func(part string) bool { return strings.Contains(word, part) })
}

// fileName is a path, or the name of a program in one of the usual languages.
var fileName = regexp.MustCompile(`^[^:=]*(/[^:=]*|\.[a-z]{1,4})$`)

// argumentsTell says which arguments of a command are secret: by what stands before their =, or by the flag before them. An argument
// that is secret as a whole is given as it is, one with a = from there on.
func argumentsTell(arguments []string) map[int]string {
	secret := map[int]string{}
	announced := false // by the flag before
	for i, argument := range arguments {
		at := strings.IndexAny(argument, "=:")
		assigned := at > 0
		name := argument[:max(at, 0)]
		if !assigned {
			name = argument
		}
		isFlag := strings.HasPrefix(name, "-") && tells(name)
		switch {
		case i == 0:
		case assigned && tells(name):
			secret[i] = strings.TrimLeft(argument[at+1:], " ")
		case !isFlag && (announced || tells(argument) && !fileName.MatchString(argument)):
			secret[i] = argument
		}
		announced = isFlag && !assigned
	}
	return secret
}

// Places in a text at which a secret stands: the user information of an address, a parameter of a query or a form, a field of JSON.
var (
	userInfo  = regexp.MustCompile(`(://)([^/?#@\s"']+)@`)
	parameter = regexp.MustCompile(`(^|[?&]|\}\})([^=&?#\s"'{}:/]+)=([^&#\s"'<>]+)`)
	jsonField = regexp.MustCompile(`"([^"\\]+)"\s*:\s*"((?:[^"\\]|\\.)+)"`)
)

// secretsOfURL are the secret parts of an address.
func secretsOfURL(text string) (found []string) {
	for _, m := range userInfo.FindAllStringSubmatch(text, -1) {
		user, password, both := strings.Cut(m[2], ":")
		if both {
			user = password
		}
		found = append(found, user)
	}
	return append(found, secretParameters(text)...)
}

func secretParameters(text string) (found []string) {
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		if tells(m[2]) {
			found = append(found, m[3])
		}
	}
	return found
}

// secretsOfBody are the secret parts of a form, of JSON, or of a text with addresses.
func secretsOfBody(text string) []string {
	found := secretsOfURL(text)
	for _, m := range jsonField.FindAllStringSubmatch(text, -1) {
		if tells(m[1]) {
			found = append(found, m[2])
		}
	}
	return found
}

// secretsOfHeader are the secret parts of a header whose name tells: not its scheme, such as Bearer, and not the names of cookies.
func secretsOfHeader(name, value string) (found []string) {
	if strings.EqualFold(name, "Cookie") {
		for pair := range strings.SplitSeq(value, ";") {
			if _, text, ok := strings.Cut(pair, "="); ok {
				found = append(found, strings.TrimSpace(text))
			}
		}
		return found
	}
	if _, credentials, ok := strings.Cut(value, " "); ok && strings.Contains(strings.ToLower(name), "authorization") {
		value = credentials
	}
	return []string{value}
}

func allOf(text string) []string { return []string{text} }
