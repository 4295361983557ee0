"""ouro export --format ndjson, field by field, on a snapshot whose answer is written down here."""
import json
import os

from harness import check, main, make_snapshot, ouro

BASE, PSEUDO = 0x7F0000000000, 0xFFFF800000000000
(KEY, SURROGATE, NUMBER, LIST, DICT, HOSTILE, CYCLE_A, CYCLE_B, HANGING, WEAK, FROZEN, IMMORTAL, FOREIGN, FOUND, FRAME,
 ROOT) = range(16)


def addr(*numbers):
    found = [hex(PSEUDO + 8 * n if n >= FRAME else BASE + 16 * n) for n in numbers]
    return found[0] if len(found) == 1 else found


def line(number, type, module, size, refcount, gc, refs=(), labels=(), **more):
    return dict(addr=addr(number), type=type, module=module, size=size, refcount=refcount, gc=gc,
                refs=[addr(n) for n in refs], labels=list(labels), **more)


HOSTILE_NAMES = ("Outer.<b>\u202e\n", 'app"\x1b[2J')
# Native roots in the order of what they keep: IMMORTAL, the weakref, the frozen list is held by HOSTILE, ...
NATIVE = [WEAK, IMMORTAL, FOREIGN, FOUND]
EXPECTED = [
    line(KEY, "str", "builtins", 50, 1, None, value="'user:1'"),
    line(SURROGATE, "str", "builtins", 50, 1, None, value="'\\udc80 \U0001f40d'"),
    line(NUMBER, "int", "builtins", 28, 2, None, value="42"),
    line(LIST, "list", "builtins", 88, 2, 2, [SURROGATE, NUMBER, DICT], ["[2]", "[1]", "[0]"], unexplained=1),
    line(DICT, "dict", "builtins", 232, 1, 0, [HOSTILE], ["['user:1']"], native=64, hidden=[addr(KEY)],
         hidden_labels=["<key 'user:1'>"]),
    line(HOSTILE, *HOSTILE_NAMES, 48, 1, 1, [NUMBER], ['."\x1b[1m\\'], hidden=[addr(FROZEN)], hidden_labels=[".h"]),
    line(CYCLE_A, "list", "builtins", 72, 1, 0, [CYCLE_B], ["[0]"], unreachable=True),
    line(CYCLE_B, "list", "builtins", 80, 1, 0, [HANGING, CYCLE_A], ["[1]", "[0]"], unreachable=True),
    line(HANGING, "str", "builtins", 50, 1, None, value="'hanging'"),
    line(WEAK, "ReferenceType", "weakref", 72, 1, 0, weak=[addr(LIST)], unexplained=1),
    line(FROZEN, "list", "builtins", 56, 1, "frozen"),
    line(IMMORTAL, "str", "builtins", 49, None, None, immortal=True, value="''"),
    line(FOREIGN, "list", "builtins", 56, 1, 0, interp=1, unexplained=1),
    line(FOUND, "Thing", "ext", 64, 1, 0, approximate=True, unexplained=1),
    line(FRAME, "<frame>", "", 0, 0, None, [LIST], ["local"], name="main (app.py:3)"),
    line(ROOT, "<root>", "", 0, 0, None, [FRAME], ["frames[0]"], name="thread 4711"),
]
for i, kept in enumerate(NATIVE):
    EXPECTED.append(line(16 + i, "<root>", "", 0, 0, None, [kept], ["[0]"], name="native"))
EXPECTED.append(line(16 + len(NATIVE), "<root>", "", 0, 0, None, [CYCLE_A, CYCLE_B], ["[0]", "[1]"], name="garbage"))

IDOM = {KEY: DICT, SURROGATE: LIST, NUMBER: LIST, LIST: FRAME, DICT: LIST, HOSTILE: DICT, CYCLE_A: 20, CYCLE_B: 20,
        HANGING: CYCLE_B, WEAK: 16, FROZEN: HOSTILE, IMMORTAL: 17, FOREIGN: 18, FOUND: 19, FRAME: ROOT}
SIZES = [row["size"] + row.get("native", 0) for row in EXPECTED]


def retained_of(number):
    return SIZES[number] + sum(retained_of(v) for v, d in IDOM.items() if d == number)


def export(folder, *arguments):
    path = os.path.join(folder, "a.ouro")
    make_snapshot(path)
    result = ouro("export", path, *arguments)
    check(result, 0, stderr=b"")
    text = result.stdout.decode("utf-8")  # strictly: a lone surrogate must be escaped
    assert text.endswith("\n")
    return [json.loads(row) for row in text.split("\n")[:-1]], text


def test_every_field_is_as_the_design_says(folder):
    rows, _ = export(folder, "--format", "ndjson")
    header = rows.pop(0)
    edges = sum(len(row["refs"]) + len(row.get("hidden", ())) for row in EXPECTED)
    assert header == {"ouro": "objects", "version": 1, "python": "3.11.7", "pid": 4711, "objects": len(EXPECTED),
                      "edges": edges}, header
    assert len(rows) == len(EXPECTED)
    for got, expected in zip(rows, EXPECTED):
        assert got == expected, f"\n{got}\n{expected}"


def test_addresses_ascend_and_every_edge_ends_at_a_line(folder):
    rows, _ = export(folder)
    addresses = [int(row["addr"], 16) for row in rows[1:]]
    assert addresses == sorted(set(addresses))
    for row in rows[1:]:
        assert len(row["refs"]) == len(row["labels"])
        assert len(row.get("hidden", ())) == len(row.get("hidden_labels", ()))
        for target in row["refs"] + row.get("hidden", []) + row.get("weak", []):
            assert int(target, 16) in addresses


def test_dominators_and_retained_sizes(folder):
    rows, _ = export(folder, "--retained")
    for number, row in enumerate(rows[1:]):
        idom = IDOM.get(number)
        assert row["idom"] == (None if idom is None else addr(idom)), row
        assert row["retained"] == retained_of(number), row


def test_nothing_that_a_terminal_obeys_comes_out(folder):
    _, text = export(folder)
    bad = [c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202a\u202e\u2066"]
    assert not bad, bad


def test_output_to_a_file_appears_when_it_is_whole(folder):
    path, target = os.path.join(folder, "a.ouro"), os.path.join(folder, "out.ndjson")
    rows, text = export(folder)
    check(ouro("export", path, "-o", target), 0, stdout=b"", stderr=b"")
    assert open(target, encoding="utf-8").read() == text
    assert os.stat(target).st_mode & 0o777 == 0o600
    check(ouro("export", path, "-o", target), 0)  # again, over it
    assert sorted(os.listdir(folder)) == ["a.ouro", "out.ndjson"]


def test_an_output_that_can_not_be_written_leaves_nothing(folder):
    path = os.path.join(folder, "a.ouro")
    make_snapshot(path)
    check(ouro("export", path, "-o", os.path.join(folder, "none", "x")), 5, b"", b"No such file or directory")
    check(ouro("export", path, "-o", "/dev/full"), 5, b"", b"No space left on device")
    check(ouro("export", path, "-o", folder), 5, b"", b"Is a directory")
    assert os.listdir(folder) == ["a.ouro"]


def test_many_objects_come_out_whole(folder):
    path = os.path.join(folder, "many.ouro")
    make_snapshot(path, "60000")
    result = ouro("export", path, "--retained")
    check(result, 0, stderr=b"")
    rows = [json.loads(row) for row in result.stdout.splitlines()]
    assert rows[0]["objects"] == len(rows) - 1 == 60002
    assert rows[0]["edges"] == sum(len(row["refs"]) for row in rows[1:]) == 60000
    assert rows[60000]["retained"] == sum(row["size"] for row in rows[1:])
    assert rows[1]["idom"] == rows[2]["addr"]


main(globals())
