// Checks notes that Daylight signed with golang.org/x/mod/sumdb/note, and signs some for Daylight to check.
//
// Usage: go run note.go DIR
//
// DIR has a note (note), the text of the verifier key that signed it (vkey) and of the signer key (skey). Written beside them: a new key (go.vkey,
// go.skey) and the same text signed by both keys (go.note).
package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: note DIR")
	}
	dir := os.Args[1]
	verifier, err := note.NewVerifier(string(read(dir, "vkey")))
	check(err)
	ours := read(dir, "note")
	opened, err := note.Open(ours, note.VerifierList(verifier))
	check(err)
	if len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) != 0 {
		fail("%d verified signatures, %d others", len(opened.Sigs), len(opened.UnverifiedSigs))
	}

	signer, err := note.NewSigner(string(read(dir, "skey")))
	check(err)
	again, err := note.Sign(&note.Note{Text: opened.Text}, signer)
	check(err)
	if !bytes.Equal(again, ours) {
		fail("Go signs the same text with the same key to other bytes")
	}

	skey, vkey, err := note.GenerateKey(rand.Reader, "go.example/key")
	check(err)
	theirs, err := note.NewSigner(skey)
	check(err)
	both, err := note.Sign(&note.Note{Text: opened.Text}, theirs, signer)
	check(err)
	write(dir, "go.vkey", vkey)
	write(dir, "go.skey", skey)
	write(dir, "go.note", string(both))
	fmt.Println("notes agree")
}

func read(dir, name string) []byte {
	bytes, err := os.ReadFile(filepath.Join(dir, name))
	check(err)
	return bytes
}

func write(dir, name, text string) {
	check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
