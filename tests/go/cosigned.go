// Checks a checkpoint that Daylight's log signed and its witnesses cosigned: the log's line with golang.org/x/mod/sumdb/note as it is, and the witnesses'
// lines (c2sp.org/tlog-cosignature) with a verifier of its own, of crypto/ed25519 alone.
//
// Usage: go run cosigned.go DIR
//
// DIR has the checkpoint (checkpoint), the log's key (log.vkey), and the witnesses' keys, one a line (witnesses.vkeys). Said on standard output: how many
// witnesses cosigned, and each with the time that it states.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// cosigner verifies timestamped Ed25519 cosignatures.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	c.time = binary.BigEndian.Uint64(sig)
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", c.time)), text...)
	return ed25519.Verify(c.key, message, sig[8:])
}

func parse(vkey string) *cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		fail("not a key: %s", vkey)
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	if len(data) != 33 || data[0] != 4 {
		fail("not a witness's key: %s", vkey)
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	hash := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		fail("the key's ID is not that of its name and bytes: %s", vkey)
	}
	return &cosigner{name: parts[0], hash: hash, key: ed25519.PublicKey(data[1:])}
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: cosigned DIR")
	}
	dir := os.Args[1]
	checkpoint := read(dir, "checkpoint")
	log, err := note.NewVerifier(strings.TrimSpace(string(read(dir, "log.vkey"))))
	check(err)
	opened, err := note.Open(checkpoint, note.VerifierList(log))
	check(err)
	if len(opened.Sigs) != 1 {
		fail("%d signatures of the log", len(opened.Sigs))
	}
	verifiers := []note.Verifier{}
	for _, line := range strings.Split(strings.TrimSpace(string(read(dir, "witnesses.vkeys"))), "\n") {
		verifiers = append(verifiers, parse(line))
	}
	cosigned, err := note.Open(checkpoint, note.VerifierList(verifiers...))
	check(err)
	var said bytes.Buffer
	for _, sig := range cosigned.Sigs {
		for _, verifier := range verifiers {
			if verifier.Name() == sig.Name {
				fmt.Fprintf(&said, "%s %d\n", sig.Name, verifier.(*cosigner).time)
			}
		}
	}
	fmt.Printf("%d cosigned\n%s", len(cosigned.Sigs), said.String())
}

func read(dir, name string) []byte {
	bytes, err := os.ReadFile(filepath.Join(dir, name))
	check(err)
	return bytes
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
