// Checks a tree that Daylight built against golang.org/x/mod/sumdb/tlog.
//
// Usage: go run tlog.go DIR SIZE
//
// The tree has SIZE leaves, leaf i being the text "entry i". DIR has its tiles (tile/…), its root in hex (root) and proofs, one a line (proofs):
//
//	inclusion INDEX [HASH…]
//	consistency OLD OLD-ROOT [HASH…]
//
// Go's tile paths have the height after "tile/"; c2sp.org/tlog-tiles has not, and is otherwise the same for paths.
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if len(os.Args) != 3 {
		fail("usage: tlog DIR SIZE")
	}
	dir := os.Args[1]
	size, err := strconv.ParseInt(os.Args[2], 10, 64)
	check(err)

	hashes := build(size)
	root, err := tlog.TreeHash(size, hashes)
	check(err)
	ours, err := os.ReadFile(filepath.Join(dir, "root"))
	check(err)
	if hex.EncodeToString(root[:]) != string(ours) {
		fail("root at size %d: Go has %x, Daylight %s", size, root, ours)
	}
	tiles := checkTiles(dir, size, hashes)
	proofs := checkProofs(dir, size, root, hashes)
	fmt.Printf("size %d: root, %d tiles, %d proofs agree\n", size, tiles, proofs)
}

type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = m[index]
	}
	return out, nil
}

func build(size int64) memory {
	var hashes memory
	for i := int64(0); i < size; i++ {
		more, err := tlog.StoredHashes(i, []byte(fmt.Sprintf("entry %d", i)), hashes)
		check(err)
		hashes = append(hashes, more...)
	}
	return hashes
}

func checkTiles(dir string, size int64, hashes memory) int {
	// Go names a tile once in each width it ever had, the widest last; only that one belongs to this size.
	widest := map[[2]int64]tlog.Tile{}
	for _, tile := range tlog.NewTiles(height, 0, size) {
		widest[[2]int64{int64(tile.L), tile.N}] = tile
	}
	expected := map[string]bool{}
	for _, tile := range widest {
		data, err := tlog.ReadTileData(tile, hashes)
		check(err)
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		ours, err := os.ReadFile(filepath.Join(dir, path))
		check(err)
		if !bytes.Equal(data, ours) {
			fail("%s at size %d differs", path, size)
		}
		expected[path] = true
	}
	check(filepath.Walk(filepath.Join(dir, "tile"), func(path string, info os.FileInfo, err error) error {
		check(err)
		name, err := filepath.Rel(dir, path)
		check(err)
		if !info.IsDir() && !expected[filepath.ToSlash(name)] {
			fail("%s is no tile of size %d", name, size)
		}
		return nil
	}))
	return len(expected)
}

func checkProofs(dir string, size int64, root tlog.Hash, hashes memory) int {
	text, err := os.ReadFile(filepath.Join(dir, "proofs"))
	check(err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range lines {
		words := strings.Fields(line)
		number, err := strconv.ParseInt(words[1], 10, 64)
		check(err)
		switch words[0] {
		case "inclusion":
			proof := tlog.RecordProof(parse(words[2:]))
			leaf := tlog.RecordHash([]byte(fmt.Sprintf("entry %d", number)))
			check(tlog.CheckRecord(proof, size, root, number, leaf))
			theirs, err := tlog.ProveRecord(size, number, hashes)
			check(err)
			same(line, proof, theirs)
		case "consistency":
			old := parse(words[2:3])[0]
			proof := tlog.TreeProof(parse(words[3:]))
			check(tlog.CheckTree(proof, size, root, number, old))
			theirs, err := tlog.ProveTree(size, number, hashes)
			check(err)
			same(line, proof, theirs)
		default:
			fail("not a proof: %s", line)
		}
	}
	return len(lines)
}

func parse(words []string) []tlog.Hash {
	var out []tlog.Hash
	for _, word := range words {
		var hash tlog.Hash
		bytes, err := hex.DecodeString(word)
		check(err)
		copy(hash[:], bytes)
		out = append(out, hash)
	}
	return out
}

func same(line string, ours, theirs []tlog.Hash) {
	if fmt.Sprint(ours) != fmt.Sprint(theirs) {
		fail("Go proves otherwise: %s", line)
	}
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
