// Package secret takes secrets out of texts of others: a target that echoes what it was sent, a command that complains. A secret is
// found as it is and in the usual encodings, at any place in any text. It knows nothing of where secrets come from.
package secret
