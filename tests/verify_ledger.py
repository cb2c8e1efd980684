"""Verifies exports of ledgers, from docs/ledger-format.md alone: verify_ledger.py [--key HEX] [--kept FILE] FILE..."""
import base64, datetime, functools, hashlib, json, sys
P, D = 2**255 - 19, -121665 * pow(121666, -1, 2**255 - 19)  # Ed25519 (RFC 8032)
def point(b):
    sign, y = divmod(int.from_bytes(b, "little"), 2**255)
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    roots = (pow(x2, (P + 3) // 8, P) * i % P for r in (1, pow(2, (P - 1) // 4, P)) for i in (r, -r))
    return next(x for x in roots if y < P and x * x % P == x2 and x & 1 == sign), y  # none: no point of the curve
def add(p, q):
    k = D * p[0] * p[1] * q[0] * q[1]
    return (p[0] * q[1] + p[1] * q[0]) * pow(1 + k, -1, P) % P, (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, -1, P) % P
def times(n, p): return add(times(n >> 1, add(p, p)), p if n & 1 else (0, 1)) if n else (0, 1)
@functools.lru_cache(100)
def is_signed_by(key, message, signature, base=point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))):
    s, k = (int.from_bytes(b, "little") for b in (signature[32:], hashlib.sha512(signature[:32] + key + message).digest()))
    return s < 2**252 + 27742317777372353535851937790883648493 and times(s, base) == add(point(signature[:32]), times(k, point(key)))
def is_signed(keys, c): return any(is_signed_by(key, unhex(c["hash"]), unhex(c["signature"], 64)) for key in keys)
ENCODE = {bytes: bytes, bool: lambda b: bytes([b]), int: lambda n: (n & 2**64 - 1).to_bytes(8, "big"),
          str: lambda t: len(t.encode()).to_bytes(8, "big") + t.encode()}
def sha(*parts): return hashlib.sha256(b"".join(ENCODE[type(part)](part) for part in parts)).digest()
def unhex(t, n=32): return bytes.fromhex(t) if len(t) == 2 * n and bytes.fromhex(t).hex() == t else int("no digits")
def act_hash(a, *members):
    payload = base64.b64decode(a["payload"], validate=True)
    members += tuple(a[m] for m in ("number", "kind", "acted_at_us", "actor", "actor_site", "is_demonstration"))
    is_base64 = base64.b64encode(payload).decode() == a["payload"]
    return is_base64 and sha(b"bangban-act-v1\0", unhex(a["previous"]), *members, len(payload), payload).hex()
def checkpoint_hash(c, district):
    return sha(b"bangban-checkpoint-v1\0", unhex(c["previous"]), district, *map(c.get, ("number", "day", "leaf_count")), unhex(c["root"])).hex()
def leaf_hash(f): return sha(b"\0bangban-leaf-v1\0", f["subject"], f["act_count"], unhex(f["head"]))
def root(leaves):  # RFC 6962, section 2.1; level by level, an odd one goes up as it is
    while len(leaves) > 1: leaves = [sha(b"\1", *leaves[i:i + 2]) if leaves[i + 1:] else leaves[i] for i in range(0, len(leaves), 2)]
    return (leaves or [sha()])[0].hex()
def root_by_path(leaf, at, size, path):
    if size == 1: return leaf if at == 0 and not path else b"too long"
    half = 1 << (size - 1).bit_length() - 1
    if at < half: return sha(b"\1", root_by_path(leaf, at, half, path[:-1]), path[-1])
    return sha(b"\1", path[-1], root_by_path(leaf, at - half, size - half, path[:-1]))
MEMBERS = {m.split()[0]: dict(n.split(":") for n in ["line:str", *m.split()[1:]]) for m in (
    "head format:str version:int district:str exported_at:str exported_at_us:int exporter:str case_filter:str?",
    "checkpoint number:int day:str leaf_count:int root:str previous:str hash:str key:str signature:str",
    "leaf subject:str checkpoint:int act_count:int head:str index:int? path:list?",
    "case subject:str receipt:str? act_count:int head:str", "end case_count:int act_count:int sha256:str",
    "act number:int kind:str acted_at:str acted_at_us:int actor:str actor_site:str is_demonstration:bool payload:str previous:str hash:str text:str?")}
def local(us): return (datetime.datetime(1970, 1, 1, 8) + datetime.timedelta(0, 0, us)).isoformat("T", "microseconds") + "+08:00"
def parse(raw):
    line = json.loads(raw.decode(), object_pairs_hook=lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs) else None)
    assert raw.endswith(b"\n") and len(raw) <= (8 << 20) + 1 and line.keys() == MEMBERS[line["line"]].keys(), "cut, or no such line"
    for name, kind in MEMBERS[line["line"]].items():
        is_right = type(line[name]).__name__ == kind.rstrip("?") or kind[-1] == "?" and line[name] is None
        assert is_right and (not name.endswith("_us") or line[name[:-3]] == local(line[name])), name
    return line
def verify(lines, keys, kept):
    digest, chains, trees, case, leaves, last, cases, acts, kind = hashlib.sha256(), ["00" * 32], {}, None, [], b"", 0, 0, None
    for at, raw in enumerate(lines):
        before, line = kind, parse(raw)
        kind, name = line["line"], f"line {at + 1}, {(case or line).get('subject', '')}: "
        assert before != "end" and (kind == "head") == (at == 0), "head line, or something after the end"
        if kind != "act" and case:  # the case before is over
            told, head, case = [1, *(f["act_count"] for f in known)][-1], (case["act_count"], case["head"]), None
            assert told <= number and (number, previous) == head, name + f"cut after act {number}, a checkpoint knows {told}"
        assert not leaves or leaves[-1]["subject"] == line.get("subject"), f"{leaves[-1]['subject']} is missing"
        if kind == "head":
            assert (line["format"], line["version"]) == ("bangban-ledger", 1), "version"
            district, is_filtered = line["district"], line["case_filter"] is not None
        elif kind == "checkpoint":
            assert line["number"] == len(chains) and before in ("head", kind) and line["previous"] == chains[-1], name + "missing or moved"
            chains, trees[line["number"]] = chains + [checkpoint_hash(line, district)], (line, [])
            assert line["hash"] == chains[-1], name + "checkpoint changed"
            assert is_signed(keys or [unhex(line["key"])], line) and (unhex(line["key"]) in keys or not keys), name + "forged"
        elif kind == "leaf":
            order = [f["checkpoint"] for f in leaves] + [line["checkpoint"]], [f["act_count"] for f in leaves] + [line["act_count"]]
            assert line["subject"].encode() > last and [1] <= order[1] == sorted(order[1]) and order[0] == sorted({*order[0]}), name + "leaf moved"
            (tree, hashes), leaves, index, path = trees[line["checkpoint"]], leaves + [line], line["index"], line["path"]
            hashes.append(leaf_hash(line))
            top = root_by_path(hashes[-1], index, tree["leaf_count"], [*map(unhex, path)]).hex() if is_filtered else (index, path)
            assert top == (tree["root"] if is_filtered else (None, None)), name + "leaf is not in its checkpoint"
        elif kind == "case":
            assert line["subject"].encode() > last or cases == 0, name + "case repeated or moved"
            case, last, number, previous, cases, known, leaves = line, line["subject"].encode(), 0, "00" * 32, cases + 1, leaves, []
        elif kind == "act":
            number, acts, name = number + 1, acts + 1, name + f"act {number + 1} "
            assert (line["number"], line["previous"]) == (number, previous), name + "missing or moved"
            previous, told = act_hash(line, district, case["subject"]), {f["head"] for f in known if f["act_count"] == number}
            assert told | {line["hash"]} == {previous}, name + "changed, or not what a checkpoint says"
        else:
            assert (line["case_count"], line["act_count"], line["sha256"]) == (cases, acts, digest.hexdigest()), "counts or digest"
            assert is_filtered or all((len(h), root(h)) == (c["leaf_count"], c["root"]) for c, h in trees.values()), "leaves missing"
        digest.update(raw)
    assert kind == "end", "cut"
    for k in kept:
        assert k["district"] == district and checkpoint_hash(k, district) == k["hash"] and (not keys or is_signed(keys, k)), "bad kept"
        assert chains[k["number"]:k["number"] + 1] == [k["hash"]], f"checkpoint {k['number']} is kept, and here missing or another one"
    return cases
options, files, broken = {"--key": "", "--kept": "/dev/null"}, sys.argv[1:], 0
while files[0] in options: options[files[0]], files = files[1], files[2:]
keys, kept = [unhex(key) for key in options["--key"].split()], [json.loads(line) for line in open(options["--kept"])]
for file in files:
    try: print(file, "ok", verify(open(file, "rb"), keys, kept))
    except Exception as wrong: broken = print(file, "broken:", type(wrong).__name__, wrong) or 1
sys.exit(broken)
