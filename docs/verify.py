#!/usr/bin/env python3
"""Verifies a Daylight archive: a second verifier, written after docs/archive-format.md alone, for whoever will not trust the first.
    python3 verify.py ARCHIVE [ROOT]

ROOT is a root/<v>.json that you got elsewhere and trust. Every file that is damaged, missing or added is named, one a line; the last line says what
was found. Exit code: 0 all is well, 1 something is wrong, 2 wrong usage. Needs Python 3.9 and the package `cryptography`; it writes nothing."""
import base64, binascii, hashlib, json, os, re, stat, struct, sys, time
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P, PART = 2**255 - 19, 65536
N, SLUG, TIME, WORDS = r"(?:0|[1-9]\d*)", "([a-z0-9-]{1,64})", r"time \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", "([^\0-\x1f\x7f-\x9f]+)\n"
# The y coordinates of the points of small order (RFC 8032): no signature by one may be believed.
SMALL = {0, 1, P - 1} | {int.from_bytes(bytes.fromhex(y), "little") for y in (
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")}

class Bad(Exception): pass
def sha(data): return hashlib.sha256(data).digest()
def leaf_of(data): return sha(b"\0" + bytes.fromhex(data))
def small(point): return (int.from_bytes(point, "little") & (2**255 - 1)) % P in SMALL
def need(fine, what):
    if not fine: raise Bad(what)
def canonical(value):
    """JSON in its one form: RFC 8785, whole numbers only."""
    if isinstance(value, dict):
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))) + "}"
    if isinstance(value, list): return "[" + ",".join(map(canonical, value)) + "]"
    need(not isinstance(value, float) and (not isinstance(value, int) or abs(value) < 2**53), "a number is not whole, or too large")
    return json.dumps(value, ensure_ascii=False)
def read_json(data, form=None, fields=None):
    value = json.loads(data.decode())
    need(isinstance(value, dict) and canonical(value).encode() == data, "not canonical JSON")
    need(form in (None, value.get("format")) and fields in (None, " ".join(sorted(value))), "of another format, or with other fields")
    return value
def whole(value, least=0): return value if type(value) is int and value >= least else need(False, "a number is missing or out of range")
def decode(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 that is not canonical")
    return data
def is_name(name): return 1 <= len(name.encode()) <= 255 and not any(c.isspace() or ord(c) < 32 or 127 <= ord(c) < 160 or c == "+" for c in name)
class Key:
    def __init__(self, text, kind):
        self.name, ident, data = text.split("+", 2)
        data, self.kind = decode(data), kind
        self.public, self.id = data[1:], sha(self.name.encode() + b"\n" + data)[:4]
        fine = len(data) == 33 and data[0] == kind and is_name(self.name) and self.id.hex() == ident and not small(self.public)
        need(fine, "a key is not of its form")
    def check(self, text, signature):
        stamp = signature[:8] if self.kind == 4 else b""
        if stamp: text = f"cosignature/v1\ntime {int.from_bytes(stamp, 'big')}\n{text}"
        need(len(signature) == 64 + len(stamp) and stamp < b"\x80" and not small(signature[-64:-32]), f"the signature of {self.name} is wrong")
        Ed25519PublicKey.from_public_bytes(self.public).verify(signature[-64:], text.encode())
class Note:
    """A signed note (c2sp.org/signed-note)."""
    def __init__(self, data):
        head, mark, lines = data.decode().rpartition("\n\n")
        odd = re.search("[\0-\x09\x0b-\x1f]", head + lines) or len(data) > 1 << 20 or lines.count("\n") > 100
        need(mark and lines.endswith("\n") and not odd, "not a signed note")
        self.text, self.lines = head + "\n", []
        for line in lines[:-1].split("\n"):
            dash, name, signature = line.split(" ")
            need(dash == "\u2014" and is_name(name) and len(decode(signature)) > 4, "a signature line is not of its form")
            self.lines.append((name, decode(signature)[:4], decode(signature)[4:]))
    def by(self, keys):
        """The public keys, of those given, that signed. One wrong signature of any of them rejects the note."""
        pairs = [(key, signature) for name, ident, signature in self.lines for key in keys if (key.name, key.id) == (name, ident)]
        for key, signature in pairs: key.check(self.text, signature)
        return {key.public for key, _ in pairs}
    def strict(self, keys):
        seen, known = [line[:2] for line in self.lines], {(key.name, key.id) for key in keys}
        need(len(set(seen)) == len(seen) and set(seen) <= known, "a signature line of no key that may sign, or a second one")
class Root:
    def __init__(self, data, version):
        fields = "editors format log mirrors onions origin recovery recovery_threshold retired threshold version witnesses"
        value = read_json(data, "daylight-root/v1", fields)
        self.json, self.digest, self.version, self.origin = data, sha(data).hex(), version, value["origin"]
        self.editors, self.recovery = ([Key(key, 1) for key in value[sort]] for sort in ("editors", "recovery"))
        self.k, self.m, self.log = whole(value["threshold"]), whole(value["recovery_threshold"]), Key(value["log"], 1)
        n, t, all_keys = len(self.editors), len(self.recovery), self.editors + self.recovery
        odd = re.match("daylight-|cosignature", self.origin) and re.search("/v[0-9]+$", self.origin)
        need(value["version"] == version and self.log.name == self.origin and not odd, "not this version, or an origin that cannot be")
        need(n <= 64 >= t and (self.k == n == 1 or 2 <= self.k < n) and (self.m == t == 0 or 1 <= self.m <= t), "thresholds do not fit the keys")
        publics, names = {key.public for key in all_keys}, {key.name for key in all_keys}
        need(len(publics) == len(names) == n + t and (self.k == 1 or self.log.public not in publics), "a key or a name stands twice")
        for urls in (value["mirrors"], value["onions"]):
            need(len(set(urls)) == len(urls) <= 64 and all("://" in url and not re.search(r"\s", url) for url in urls), "not a list of URLs")
        self.retired = {Key(item["key"], 1).public: whole(item["size"]) for item in value["retired"]}
        need(len(self.retired) == len(value["retired"]) and all(len(item) == 2 for item in value["retired"]), "a key is retired twice")
        self.witnesses, self.quorum = policy(value["witnesses"])
    def follows(self, sig, old):
        """Whether this note puts the root in force after `old`."""
        note, of_old = Note(sig), (old.editors, old.recovery) if old else ([], [])
        need(note.text == f"daylight-root/v1\nroot {self.digest}\norigin {self.origin}\nversion {self.version}\n", "it signs another text")
        note.strict(self.editors + of_old[0] + of_old[1])
        by_new, by_old, by_recovery = (len(note.by(keys)) for keys in (self.editors, *of_old))
        need(old and old.m and by_recovery >= old.m or by_new >= self.k and (not old or by_old >= old.k), "signed by too few keys")
        dropped = {key.public for key in of_old[0]} - {key.public for key in self.editors}
        need(set(self.retired) == dropped and (not old or old.origin == self.origin), "it does not name the keys that it drops, or the origin")
def policy(text):
    """A witness policy (c2sp.org/tlog-policy): the witnesses, and a function that says of those who cosigned whether they are enough."""
    nodes, members, witnesses, quorum = {"none": lambda signed: True}, [], [], []
    need(not re.search("[\0-\x08\x0b-\x1f\x7f]", text), "a policy with a control character")
    for words in (re.split("[ \t]+", line.strip(" \t")) for line in text.split("\n") if line.strip(" \t") and line.strip(" \t")[0] != "#"):
        need(text.count("\n") <= 256 and (words[0] == "quorum" or words[1] not in nodes), "a policy of more than 256 lines, or a name twice")
        if words[0] == "quorum" and len(words) == 2: quorum.append(nodes[words[1]])
        elif words[0] == "witness" and len(words) in (3, 4):
            witnesses.append(Key(words[2], 4))
            nodes[words[1]] = lambda signed, public=witnesses[-1].public: public in signed
        else:
            of, least = [nodes[name] for name in words[3:]], {"all": str(len(words) - 3), "any": "1"}.get(words[2], words[2])
            least = int(least) if re.fullmatch("[0-9]+", least) else 0
            need(words[0] == "group" and 1 <= least <= len(of) and "none" not in words, "a policy's line is not of its form")
            nodes[words[1]] = lambda signed, of=of, least=least: sum(member(signed) for member in of) >= least
            members += words[3:]
    twice = len(set(members)) < len(members) or len({witness.public for witness in witnesses}) < len(witnesses)
    need(text[-1:] == "\n" and len(quorum) == 1 and not twice, "not one quorum, or something twice")
    return witnesses, quorum[0]
def tree(hashes):
    """The root over these leaf hashes (RFC 6962)."""
    while len(hashes) > 1:
        pairs = [sha(b"\1" + left + right) for left, right in zip(hashes[::2], hashes[1::2])]
        hashes = pairs + hashes[len(hashes) - len(hashes) % 2:]
    return hashes[0] if hashes else sha(b"")
def tile_path(level, index, width):
    digits = str(index).zfill(-(-len(str(index)) // 3) * 3)
    return f"tile/{level}/" + re.sub(r"(\d{3})(?=\d)", r"x\1/", digits) + (f".p/{width}" if width < 256 else "")
def tiles(hashes, level=0):
    for at in range(0, len(hashes), 256): yield tile_path(level, at // 256, len(hashes[at:at + 256])), b"".join(hashes[at:at + 256])
    if len(hashes) >= 256: yield from tiles([tree(hashes[at:at + 256]) for at in range(0, len(hashes) - 255, 256)], level + 1)
class Archive:
    def __init__(self, folder):
        self.folder, self.found, self.wrong, self.claimed = folder, set(), {}, set()
        self.roots, self.logged, self.serials, self.places, self.rooted, self.cautions = [], 0, {"all": []}, {}, [], []
        # By serial; by release and line; the places of bytes that may be erased, that a line refers to, that are left of an erased line.
        self.releases, self.withdrawn, self.erasable, self.wanted, self.left = {}, {}, set(), set(), set()
        for base, folders, files in os.walk(folder):
            for path in (os.path.join(base, name) for name in folders + files):
                mode, short = os.lstat(path).st_mode, os.path.relpath(path, folder)
                if stat.S_ISREG(mode): self.found.add(short)
                elif not stat.S_ISDIR(mode): self.wrong[short] = "a link or special file"
    def open(self, path):
        self.claimed.add(path)
        need(path in self.found, "missing")
        return open(os.path.join(self.folder, path), "rb")
    def read(self, path): return self.open(path).read()
    def tried(self, path, work, *given):
        """What `work` gives; where it finds something wrong, that is noted of `path`, and None given."""
        try: return work(*given)
        except (Bad, OSError) as error: self.wrong.setdefault(path, str(error))
        except InvalidSignature: self.wrong.setdefault(path, "a signature is wrong")
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError, struct.error): self.wrong.setdefault(path, "not of its form")
    def expect(self, path, data):
        self.tried(path, lambda: need(self.read(path) == data, "damaged: it is not what follows from the rest of the archive"))
    def verify(self, pinned):
        while not self.roots or f"root/{len(self.roots) + 1}.json" in self.found:
            path = f"root/{len(self.roots) + 1}"
            root = self.tried(f"{path}.json", lambda: Root(self.read(f"{path}.json"), len(self.roots) + 1))
            self.tried(f"{path}.sig", lambda: root.follows(self.read(f"{path}.sig"), self.roots[-1] if self.roots else None))
            if self.wrong: break
            self.roots.append(root)
        anchored = any(root.json == pinned for root in self.roots)
        if pinned is not None and not anchored: self.wrong.setdefault("root/1.json", "the root that you trust is none of this archive's roots")
        newest = "checkpoint.pending" if "checkpoint.pending" in self.found else "checkpoint"
        if state := self.tried(newest, self.checkpoint, newest): self.log(newest, *state)
        # What is damaged may be all that accounts for other files, so these are told where nothing else is wrong.
        for path in sorted(self.found - self.claimed) * (not self.wrong): self.wrong[path] = "added: nothing signed accounts for it"
        return anchored
    def checkpoint(self, path):
        note = Note(self.read(path))
        origin, size, root, end = note.text.split("\n")
        fine = end == "" and origin == self.roots[-1].origin and str(int(size)) == size and len(decode(root)) == 32
        need(fine and note.by([root.log for root in self.roots]), "not a checkpoint of this archive that its log's key signed")
        return note, int(size), decode(root)
    def log(self, newest, note, size, root):
        paths = [tile_path("entries", at, min(256, size - at * 256)) for at in range(-(-size // 256))]
        bundles = [self.tried(path, self.bundle, path) for path in paths]
        if None in bundles: return
        entries = sum(bundles, [])
        leaves = [sha(b"\0" + entry) for entry in entries]
        self.tried(newest, lambda: need(len(leaves) == size and tree(leaves) == root, "the log's entries do not have the root that it states"))
        shown, before = note, size
        if newest != "checkpoint":
            shown, before, root = self.tried("checkpoint", self.checkpoint, "checkpoint") or (None, 0, tree([]))
            self.tried(newest, lambda: need(before <= size and tree(leaves[:before]) == root, "it does not continue the log of the checkpoint"))
        for path, data in tiles(leaves): self.expect(path, data)
        # A partial tile or bundle of an earlier size must be the beginning of the one that superseded it.
        for path in [path for path in self.found - self.claimed if path.startswith("tile/")]: self.tried(path, self.narrower, path, size)
        for index, entry in enumerate(entries): self.tried(f"log entry {index}", self.entry, index, entry)
        for serial, shape in self.releases.items(): self.tried(f"release/{serial}/note", self.release, f"release/{serial}/", serial, shape)
        for path in {"release/%d/volume/%d.zip" % place[:2] for place in self.left - self.wanted}:
            self.wrong.setdefault(path, "bytes were withdrawn, their line is erased, and they are still here")
        if self.logged < len(self.roots): self.wrong[f"root/{self.logged + 1}.json"] = "not in the log"
        self.tried(newest, self.signed, note, size, False)
        # Witnesses are asked while a checkpoint is pending. What readers see is cosigned as the root asks that is in force there.
        if shown: self.tried("checkpoint", self.signed, shown, before, True)
    def signed(self, note, size, cosigned):
        logged = sum(index < size for index in self.rooted)
        root = self.roots[max(1, min(logged, len(self.roots))) - 1]
        need(note.by([root.log]), "not signed by the log's key that is in force")
        need(root.quorum(note.by(root.witnesses)) or not cosigned, "not cosigned by the witnesses that the root asks for")
        for name, ident, signature in note.lines * cosigned:
            ahead = (name, ident) in {(key.name, key.id) for key in root.witnesses} and int.from_bytes(signature[:8], "big") > time.time() + 3600
            if ahead: self.cautions.append(f"witness {name} states a time that has not come: its clock is wrong, or this one")
    def bundle(self, path):
        data, entries = self.read(path), []
        while length := 2 + int.from_bytes(data[:2], "big") if data else 0:
            entries, data = entries + [data[2:length] if len(data) >= length else need(False, "not a bundle of entries")], data[length:]
        return entries
    def narrower(self, path, size):
        level, index, width = re.fullmatch(r"tile/(entries|\d+)/([x0-9/]+)\.p/([1-9]\d*)", path).groups()
        index, width = int(re.sub("[x/]", "", index)), int(width)
        wide = min(256, (size if level == "entries" else size // 256 ** int(level)) - index * 256)
        need(width < wide and tile_path(level, index, width) == path, "added: it is no tile of this log")
        agrees = self.read(tile_path(level, index, wide)).startswith(self.read(path))
        need(agrees and width == (len(self.bundle(path)) if level == "entries" else len(self.read(path)) / 32), "damaged")
    def entry(self, index, data):
        value = read_json(data, "daylight-entry/v1")
        kind, serial = value["type"], whole(value.get("serial", 1), 1)
        need(len(value) == 4 and len(data) <= 2048 and kind in ("root", "release", "withdraw", "directory", "heartbeat"), "not an entry")
        self.logged += kind == "root"
        self.rooted += [index] * (kind == "root")
        if kind == "root": return need((value["version"], value["sha256"]) == (self.logged, self.roots[self.logged - 1].digest), "a root out of turn")
        group, last = ("release" if kind == "release" else "entry"), self.serials.get(kind, 0)
        need(serial == last + 1 if group == "release" else serial > last and serial not in self.serials["all"], "a serial out of order, or twice")
        self.serials.update({kind: serial, "all": self.serials["all"] + [serial] * (group == "entry")})
        text = self.tried(f"{group}/{serial}/note", self.note, f"{group}/{serial}/note", kind, serial, value["note"], index)
        told = {"release": self.told_release, "withdraw": self.told_withdraw, "directory": self.told_directory, "heartbeat": self.told_heartbeat}[kind]
        if text: self.tried(f"{group}/{serial}/note", told, text, serial)
    def note(self, path, kind, serial, digest, index):
        data, root = self.read(path), self.roots[self.logged - 1]
        note, head = Note(data), f"daylight-{kind}/v1\norigin {root.origin}\nserial {serial}\nroot {root.digest}\n"
        need(sha(data).hex() == digest and self.logged and note.text.startswith(head), "not the note that was logged, or not of this root")
        note.strict(root.editors)
        late = {key for later in self.roots[root.version:] for key, size in later.retired.items() if index >= size}
        need(len(note.by(root.editors) - late) >= (1 if kind == "heartbeat" else root.k), "signed by too few editors")
        return note.text
    def told_release(self, text, serial):
        shape = re.fullmatch(rf"(?:.*\n){{4}}collection {SLUG}\nlines ([1-9]\d*)\nmanifest ([0-9a-f]{{64}})\naudit [0-9a-f]{{64}}\n{TIME}title {WORDS}", text)
        need(shape and len(shape[4].encode()) <= 1024, "not the text of a release")
        self.releases[serial] = shape
    def told_heartbeat(self, text, _): need(re.fullmatch(rf"(?:.*\n){{4}}{TIME}", text), "not the text of a heartbeat")
    def told_directory(self, text, _):
        shape = re.fullmatch(rf"(?:.*\n){{4}}{TIME}members ({N})\n((?:member .+\n)*)epochs ({N}) ({N})\n((?:epoch {N}(?: [0-9a-f]{{64}})+\n)*)", text)
        need(shape and int(shape[3]) <= 1000000 and 1 <= int(shape[4]) <= 90, "not the text of a directory")
        members = [Key(line[7:], 1) for line in shape[2].splitlines()]
        epochs, n = [line.split(" ") for line in shape[5].splitlines()], len(members)
        alone = all(len(set(of)) == n == int(shape[1]) for of in ([key.name for key in members], [key.public for key in members])) and 1 <= n <= 16
        days = [epoch[1] for epoch in epochs] == [str(int(shape[3]) + day) for day in range(int(shape[4]))] and all(len(epoch) == 2 + n for epoch in epochs)
        need(alone and days and len({key for epoch in epochs for key in epoch[2:]}) == n * len(epochs), "a member, a day or a key of a directory is missing or twice")
    def told_withdraw(self, text, serial):
        shape = re.fullmatch(rf"(?:.*\n){{4}}{TIME}collection {SLUG}\ncopies (keep|erase)\nsuccessor (none|{SLUG}/([1-9]\d*))\nreason {WORDS}"
                             rf"((?:document {N}\n(?:line {N} {N} {N} [0-9a-f]{{64}}\n(?:member {N} {N} {N}\n)*)+)+)", text)
        need(shape and len(shape[6].encode()) <= 1024 and len(text.encode()) <= 983040 and int(shape[5] or 0) < 2**53, "not the text of a withdrawal")
        last = 0
        for number, lines in re.findall(r"document (.+)\n((?:line .+\n|member .+\n)+)", shape[7]):
            need(last < int(number) < 2**53 and f"{shape[1]}/{number}" != shape[3], "the numbers do not rise, or one is its own successor")
            last, before = int(number), (0, -1)
            for *numbers, leaf, members in re.findall(r"line (\d+) (\d+) (\d+) (.+)\n((?:member .+\n)*)", lines):
                release, line, length = map(int, numbers)
                said = last, length, leaf, places = last, length, leaf, [[*map(int, words.split())] for words in re.findall("member (.+)", members)]
                known, (old, erase, _) = self.releases.get(release), self.withdrawn.get((release, line), (said, shape[2] == "erase", 0))
                need(known and known[1] == shape[1] and line < int(known[2]) and old == said, "it names a line that is none, or was said to be other")
                apart = all(v <= w < 2**32 and 114 + (at + size) * (v == w) <= to < 2**53 - more for (v, at, size), (w, to, more) in zip([[0, 0, 0], *places], places))
                need(before < (release, line) and 67 < length <= 16452 and apart, "a line is out of order or has no such length, or its members overlap")
                before, erase = (release, line), erase or shape[2] == "erase"
                self.withdrawn[before] = said, erase, f"entry/{serial}/note"
                self.erasable |= {(release, *member) for member in places if erase}
    def release(self, prefix, serial, shape):
        leaves, volume, last, lost, lines = [], Volume(self, serial), 0, False, int(shape[2])
        for part in range(-(-lines // PART)):
            path, offsets, at = f"{prefix}manifest/{part}", bytearray(), 0
            data = self.tried(path, self.read, path) or b""
            for line in data.splitlines(keepends=True) if b"\r" not in data else []:
                said, erase, note = self.withdrawn.get((serial, len(leaves)), (None, False, None))
                offsets += struct.pack(">I", at)
                at += len(line)
                leaf, number, files = self.tried(path, self.line, line, said, erase, serial) or (b"", last + 1, None)
                leaves, lost = (leaves.append(leaf) or leaves), lost or files is None
                last = number if number > last else self.wrong.setdefault(path, "the numbers do not rise") and number
                volume.placed = []
                for file in [] if lost else files: self.tried(path, volume.file, file, said is not None)
                found = number, len(line), leaf, volume.placed
                if said and not lost: self.tried(note, need, found == (*said[:2], leaf_of(said[2]), said[3]), "it says of a line what is not so")
            self.tried(path, need, len(offsets) // 4 == min(PART, lines - part * PART), "not as many lines as were signed")
            self.expect(f"{path}.offsets", offsets)
        self.tried(f"{prefix}manifest/0", need, tree(leaves).hex() == shape[3], "its lines do not have the root that was signed")
        for path, data in tiles(leaves): self.expect(prefix + path, data)
        volume.end()
    def line(self, line, said, erase, serial):
        """The hash of its leaf, its number and its files; those of an erased line are known by their places alone."""
        unnamed = [dict(zip(("release", "volume", "offset", "length"), (serial, *at))) for at in said[3]] if erase else []
        if erased := re.fullmatch(rb"- ([0-9a-f]{64}) *\n", line):
            need(erase and len(line) == said[1], "a line is erased, and no withdrawal in the log asks for that, or not so")
            return leaf_of(erased[1].decode()), said[0], unnamed
        shape = re.fullmatch(rb"\+ ([0-9a-f]{64}) (.{0,16384})\n", line)
        need(shape, "a line is not of its form")
        leaf, files = leaf_of(sha(bytes.fromhex(shape[1].decode()) + shape[2]).hex()), read_json(shape[2]).get("files", [])
        if erase and len(files) == 1 and files[0]["role"] == "record":
            # Its record may be erased already, while the line is not.
            with self.open(place(files[0])["path"]) as volume: name = (volume.seek(files[0]["offset"] - 84), volume.read(64))[1]
            if name == erased_name(files[0]["offset"]): return leaf, said[0], unnamed
        return leaf, *self.record(shape[2])
    def record(self, data):
        value = read_json(data)
        number, files = whole(value["number"], 1), [place(file) for file in value.get("files", [])]
        own = next((file for file in files if file["role"] == "record"), None)
        if own is None: return number, files
        need(len(files) == 1 and set(value) <= {"files", "kind", "number", "title"} and own["length"] <= 64 << 20, "not the beginning of a record")
        with self.open(own["path"]) as volume: data = (volume.seek(own["offset"]), volume.read(own["length"]))[1]
        if sha(data).hex() != own["sha256"]: self.wrong.setdefault(own["path"], "damaged: the record of document %d" % number)
        need(sha(data).hex() == own["sha256"] and len(data) > 16384, "a record's own file is damaged")
        full = read_json(data)
        said = full["kind"], full["number"], full.get("title", "").encode()[:1024].decode(errors="ignore")
        need(said == (value["kind"], number, value.get("title", "")), "a record says other than its line")
        return number, [place(file) for file in full["files"]] + [own]
def place(file):
    numbers = [whole(file["release"], 1)] + [whole(file[name]) for name in ("volume", "offset", "length")]
    need(numbers and isinstance(file["role"], str) and re.fullmatch("[0-9a-f]{64}", file["sha256"]), "a file is not of its form")
    return {**file, "path": "release/%d/volume/%d.zip" % tuple(numbers[:2])}
def erased_name(offset): return f"withdrawn-{offset:054}".encode()
class Volume:
    """The volumes of a release, written anew as its manifest is read, and compared."""
    def __init__(self, archive, serial):
        self.archive, self.serial, self.number, self.at, self.directory, self.zip, self.placed = archive, serial, 0, 0, [], None, []
    def file(self, file, gone):
        """Takes the next reference; `gone` if its line is withdrawn."""
        full = self.directory and self.at + 114 + file["length"] + (len(self.directory) + 1) * 138 + 98 > 1 << 30
        number, at = (self.number + 1, 0) if full else (self.number, self.at)
        here, name = (file["release"], file["volume"], file["offset"]), file.get("sha256")
        path = "release/%d/volume/%d.zip" % here[:2]
        if not gone and (*here, file["length"]) in self.archive.erasable: self.archive.wanted.add(here)
        if here != (self.serial, number, at + 114):
            found = self.archive.places.get(here)
            if found == ("erased", file["length"]): return gone or self.archive.wrong.setdefault(path, "bytes are erased that a line refers to")
            return need(found == (name, file["length"]), f"{name} does not stand where it should")
        if full: self.end()
        if full: self.number, self.at, self.directory, self.zip = number, 0, [], None
        self.placed.append([number, at + 114, file["length"]])
        erasable = gone and (*here, file["length"]) in self.archive.erasable
        found, record = self.archive.tried(path, self.member, path, name, file["length"], erasable) or (name, None)
        self.archive.places[here] = found, file["length"]
        if name is None and found != "erased": self.archive.left.add(here)
        self.directory.append(record)
        self.at += 114 + file["length"]
    def member(self, path, name, length, erasable):
        """What the member is, its SHA-256 or "erased", and its record in the directory."""
        self.zip = self.zip or self.archive.open(path)
        self.zip.seek(self.at)
        header, digest, crc, left, most, zeros = self.zip.read(114), hashlib.sha256(), 0, length, 2**32 - 1, True
        while left and (data := self.zip.read(min(left, 1 << 20))):
            digest.update(data)
            crc, left, zeros = binascii.crc32(data, crc), left - len(data), zeros and not any(data)
        erased = erasable and zeros and not left and header[30:94] == erased_name(self.at + 114)
        need(erased or digest.hexdigest() == name or erasable and not name, f"damaged: the bytes at {self.at + 114} are not {name}")
        name = erased_name(self.at + 114) if erased else digest.hexdigest().encode()
        local = ("<4s5HIIIHH64sHHQQ", b"PK\3\4", 45, 0, 0, 0, 33, crc, most, most, 64, 20, name, 1, 16, length, length)
        need(header == struct.pack(*local), f"damaged: the header before the bytes at {self.at + 114}")
        return "erased" if erased else name.decode(), struct.pack("<4s6HIII5HII64sHHQQQ", b"PK\1\2", 45, 45, 0, 0, 0, 33, crc, most, most, 64, 28,
                                                                  0, 0, 0, 0, most, name, 1, 24, length, length, self.at)
    def end(self):
        n, length, path = len(self.directory), 138 * len(self.directory), f"release/{self.serial}/volume/{self.number}.zip"
        if not n or None in self.directory: return
        end = struct.pack("<4sQHHIIQQQQ4sIQI4s4HIIH", b"PK\6\6", 44, 45, 45, 0, 0, n, n, length, self.at, b"PK\6\7", 0, self.at + length, 1,
                          b"PK\5\6", *[2**16 - 1] * 4, 2**32 - 1, 2**32 - 1, 0)
        self.zip.seek(self.at)
        self.archive.tried(path, need, self.zip.read() == b"".join(self.directory) + end, "damaged: its directory does not follow from its members")
def main():
    if len(sys.argv) not in (2, 3) or not os.path.isdir(sys.argv[1]): sys.exit(print(__doc__, file=sys.stderr) or 2)
    archive = Archive(sys.argv[1])
    anchored = archive.verify(open(sys.argv[2], "rb").read() if len(sys.argv) == 3 else None)
    for path, what in archive.wrong.items(): print(f"{path}: {what}")
    for caution in archive.cautions: print(f"caution: {caution}")
    well = "complete, unchanged and signed by the publisher whose root was given" if anchored else "consistent with itself; publisher not checked"
    print(f"{len(archive.wrong)} damaged, missing or added" if archive.wrong else well)
    sys.exit(1 if archive.wrong else 0)

main()
