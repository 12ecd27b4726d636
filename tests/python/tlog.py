"""Has another implementation of c2sp.org's tiled logs, aics-tlog, read ours and write one for us.

    tlog.py trees FOLDER SIZE             a tree of ours with its bundles, root and proofs, leaf i being "entry i"
    tlog.py archive KEYS OLD PLACE …      an archive of ours, from each place, a folder or an address: first itself, then copies of it
    tlog.py write FOLDER                  a log of theirs, with a checkpoint that two witnesses cosigned
    tlog.py judge FOLDER                  what it says of each checkpoint in a folder

KEYS has the log's key in its first line and the witnesses' in the others; all of them must have cosigned. OLD is an earlier checkpoint file.
"""
import hashlib
import itertools
import json
import pathlib
import sys
import urllib.request

import aics_tlog as tlog
from aics_tlog.checkpoint import checkpoint_from_note
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def trees(folder, size):
    folder, size = pathlib.Path(folder), int(size)
    leaves = [f"entry {i}".encode() for i in range(size)]
    tree, theirs = tlog.MerkleTree(leaves), tlog.TileWriter(leaves).materialise()
    ours = {str(file.relative_to(folder)): file.read_bytes() for file in (folder / "tile").rglob("*") if file.is_file()}
    assert ours == theirs, sorted(ours.keys() ^ theirs.keys()) or [path for path in ours if ours[path] != theirs[path]]
    root = bytes.fromhex((folder / "root").read_text())
    assert root == tree.root() == tlog.tree_root_from_tiles(tlog.FileSystemTileReader(folder), size)
    proofs = (folder / "proofs").read_text().splitlines()
    for line in proofs:
        proof(line, size, tree, tlog.FileSystemTileReader(folder), leaves)
    whole(tlog.MemoryTileReader(ours), size, root)
    damaged(ours, size, root)
    print(f"size {size}: {len(ours)} files and {len(proofs)} proofs agree")


def proof(line, size, tree, reader, leaves):
    """Theirs makes the same proof, of leaves and of tiles; finds ours right; and finds it wrong with any hash changed."""
    kind, number, *hashes = line.split(" ")
    number, root = int(number), tree.root()
    if kind == "inclusion":
        theirs = [tree.inclusion_proof(number), tlog.inclusion_proof_from_tiles(reader, number, size)]
        right = lambda path: tlog.verify_leaf_inclusion(leaves[number], number, size, path, root)
    else:
        old = bytes.fromhex(hashes.pop(0))
        assert old == tree.root(number)
        theirs = [tree.consistency_proof(number), tlog.consistency_proof_from_tiles(reader, number, size)]
        right = lambda path: tlog.verify_consistency(number, size, old, root, path)
    ours = [bytes.fromhex(hash) for hash in hashes]
    assert theirs == [ours, ours], line
    assert right(ours), line
    for place in range(len(ours)):
        assert not right(ours[:place] + [flipped(ours[place], 0)] + ours[place + 1 :]), line
    assert not right(ours + [root]), line


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def whole(reader, size, root):
    """Every tile and every entry, against the root; and each entry by a proof of its own where they are few."""
    report = tlog.audit_tiles(reader, size, root)
    assert report.size == size and report.bundles == (size + 255) // 256
    proven = tlog.VerifiedTileReader(reader, size, root)
    for index in range(size) if size < 1000 else range(0, size, 997):
        path = tlog.inclusion_proof_from_tiles(proven, index, size)
        assert tlog.verify_leaf_inclusion(tlog.read_entry(proven, index, size), index, size, path, root)


def damaged(files, size, root):
    """A changed byte of any file (of some, where there are many), or a missing file, is found."""
    step = 1 + len(files) // 40
    for number, path in enumerate(sorted(files)[::step]):
        without = {name: data for name, data in files.items() if name != path}
        place = 37 * number % len(files[path])
        for bad in ({**files, path: flipped(files[path], place)}, without):
            refused(lambda: tlog.audit_tiles(tlog.MemoryTileReader(bad), size, root), path)


def refused(attempt, what):
    try:
        attempt()
    except (tlog.TileMissingError, tlog.TileVerificationError):
        return
    raise AssertionError(f"{what} was damaged, and nothing was said")


class Folder(tlog.FileSystemTileReader):
    def read_checkpoint(self):
        return (self.root / "checkpoint").read_bytes()


def archive(keys, old, *places):
    log, *witnesses = [tlog.parse_vkey(line) for line in pathlib.Path(keys).read_text().splitlines()]
    policy = tlog.WitnessPolicy(len(witnesses), tuple(witnesses), max_age_seconds=3600)
    for number, place in enumerate(places):
        base = place.rstrip("/")
        reader = at(base)
        now = head(reader.read_checkpoint(), log, policy)
        assert now.origin == log.name
        before = head(pathlib.Path(old).read_bytes(), log, policy)
        whole(reader, now.size, now.root)
        earlier(reader, before, now.size)
        if number == 0:
            # A log serves what its earlier checkpoints need (c2sp.org/tlog-tiles, "Partial Tiles"); a copy has the tiles of its own size.
            whole(reader, before.size, before.root)
        proven = tlog.VerifiedTileReader(reader, now.size, now.root)
        path = tlog.consistency_proof_from_tiles(proven, before.size, now.size)
        assert tlog.verify_consistency(before.size, now.size, before.root, now.root, path)
        assert not tlog.verify_consistency(before.size, now.size, flipped(before.root, 0), now.root, path)
        releases = [release(proven.entry(index), base) for index in range(now.size)]
        print(f"{now.size} entries from {before.size} on, {sum(releases)} documents in {sum(map(bool, releases))} releases, {policy.quorum} witnesses")
    # With a byte changed it is refused, wherever that byte stands; with a witness less it has as many as it has.
    note, witnesses = (pathlib.Path(places[0]) / "checkpoint").read_bytes(), list(policy.witnesses)
    for place in range(len(note)):
        assert not judged(flipped(note, place), log, witnesses, policy.quorum), place
    less = b"".join(note.splitlines(keepends=True)[:-1])
    assert judged(less, log, witnesses, policy.quorum - 1) and not judged(less, log, witnesses, policy.quorum)
    # So is any file of the tree, which are those that theirs would write of the same entries.
    files = tlog.TileWriter([proven.entry(index) for index in range(now.size)]).materialise()
    assert all((pathlib.Path(places[0]) / path).read_bytes() == data for path, data in files.items())
    damaged(files, now.size, now.root)


def earlier(reader, checkpoint, tile_size):
    """The tree of an earlier checkpoint, out of the tiles of a later size."""
    proven = tlog.VerifiedTileReader(reader, checkpoint.size, checkpoint.root, tile_size=tile_size)
    proven.check_root()
    for index in range(checkpoint.size):
        assert proven.leaf_hash(index) == tlog.leaf_hash(proven.entry(index))


def at(base):
    return tlog.HttpTileReader(base, proxies={}) if base.startswith("http://") else Folder(base)


def release(entry, base):
    """How many lines the manifest of an entry's release has, each of them proved to be in the release's tree; 0 for another entry."""
    entry = json.loads(entry)
    if entry["type"] != "release":
        return 0
    under = f"{base}/release/{entry['serial']}/"
    fetch = read_file(under)
    note = fetch("note")
    assert hashlib.sha256(note).hexdigest() == entry["note"]
    facts = dict(line.split(" ", 1) for line in note.decode().split("\n\n")[0].splitlines()[1:])
    size, root = int(facts["lines"]), bytes.fromhex(facts["manifest"])
    tree = tlog.VerifiedTileReader(at(under), size, root)
    lines = b"".join(fetch(f"manifest/{part}") for part in range((size + 65535) // 65536)).splitlines()
    assert len(lines) == size
    for index, line in enumerate(lines):
        sign, salt, record = line.split(b" ", 2)
        leaf = hashlib.sha256(bytes.fromhex(salt.decode()) + record).digest()
        assert sign == b"+" and tree.leaf_hash(index) == tlog.leaf_hash(leaf)
        path = tlog.inclusion_proof_from_tiles(tree, index, size)
        assert tlog.verify_leaf_inclusion(leaf, index, size, path, root)
        assert not tlog.verify_leaf_inclusion(flipped(leaf, 0), index, size, path, root)
    return size


def read_file(base):
    if not base.startswith("http://"):
        return lambda name: (pathlib.Path(base) / name).read_bytes()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return lambda name: opener.open(base + name, timeout=15).read()


def head(note, log, policy):
    found = tlog.verify_checkpoint(tlog.parse_note(note), log, policy=policy, expected_origin=log.name)
    assert found.ok and found.log_ok and found.cosignature_count == policy.quorum, found
    return checkpoint_from_note(note)[0]


def write(folder):
    """Grows a log of theirs in steps, and leaves its folder, the roots that it had, the keys, and a note whose signature has an R of small order."""
    folder = pathlib.Path(folder)
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (7, 8, 9)]
    store = tlog.DirectoryTileStore(folder, fsync=False)
    writer, roots = tlog.IncrementalTileWriter(store), []
    for size in (1, 2, 255, 256, 257, 600, 70_000):
        writer.append([f"entry {i}".encode() for i in range(writer.size, size)])
        roots.append(f"{size} {writer.root().hex()}\n")
    (folder / "roots").write_text("".join(roots))
    origin, size, root = "log.example/theirs", writer.size, writer.root()
    checkpoint = tlog.sign_checkpoint(tlog.Checkpoint(origin, size, root), keys[0], origin)
    names = ["w1.example", "w2.example"]
    lines = [tlog.sign_cosignature(key, name, 1_795_372_835 + i, origin, size, root)[1] for i, (key, name) in enumerate(zip(keys[1:], names))]
    store.write_checkpoint(tlog.Note(checkpoint.text, (*checkpoint.signatures, *lines)).to_bytes())
    vkeys = [tlog.vkey_from_ed25519(origin, keys[0].public_key())]
    vkeys += [tlog.cosignature_vkey(name, key.public_key()) for key, name in zip(keys[1:], names)]
    (folder / "keys").write_text("".join(tlog.format_vkey(key) + "\n" for key in vkeys))
    line = tlog.SignatureLine(origin, vkeys[0].key_id, small_order(keys[0], checkpoint.text.encode()))
    (folder / "small-order").write_bytes(tlog.Note(checkpoint.text, (line, *lines)).to_bytes())


def small_order(key, message):
    """A signature that only who has the key can make, with the neutral point as R: S = H(R ‖ A ‖ M) · a."""
    order = 2**252 + 27742317777372353535851937790883648493
    half = bytearray(hashlib.sha512(key.private_bytes_raw()).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    neutral, public = (1).to_bytes(32, "little"), key.public_key().public_bytes_raw()
    hashed = int.from_bytes(hashlib.sha512(neutral + public + message).digest(), "little")
    return neutral + (hashed * int.from_bytes(half, "little") % order).to_bytes(32, "little")


def judge(folder):
    folder = pathlib.Path(folder)
    log, *witnesses = [tlog.parse_vkey(line) for line in (folder / "keys").read_text().splitlines()]
    for number in itertools.count():
        if not (file := folder / str(number)).exists():
            return
        print("yes" if judged(file.read_bytes(), log, witnesses, len(witnesses)) else "no")


def judged(note, log, witnesses, quorum):
    try:
        return tlog.verify_checkpoint(tlog.parse_note(note), log, witnesses, quorum).ok
    except ValueError:
        return False


{"trees": trees, "archive": archive, "write": write, "judge": judge}[sys.argv[1]](*sys.argv[2:])
