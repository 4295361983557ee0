#!/usr/bin/env python3
"""ouro diff as a command: what it says, its exit statuses, damaged files, conditions and suppressions."""
import json
import os

import harness
from harness import check, ouro


def pair(folder):
    """Two different snapshots that make_snapshot knows."""
    paths = [os.path.join(folder, name) for name in ("a.ouro", "b.ouro")]
    harness.make_snapshot(paths[0])
    harness.make_snapshot(paths[1], "300")
    return paths


def test_text_fits_into_80_columns(folder):
    a, b = pair(folder)
    os.chdir(folder)
    for arguments in (["a.ouro", "b.ouro"], ["b.ouro", "a.ouro"], ["a.ouro", "a.ouro", "b.ouro"]):
        result = ouro("diff", "--threshold", "0", *arguments, columns=80)
        check(result, 0, stdout=b"objects (")
        for line in result.stdout.decode().splitlines():
            assert len(line) <= 80 or " " not in line.strip(), line


def test_json_has_sections_and_sums(folder):
    a, b = pair(folder)
    answer = json.loads(ouro("diff", a, b, "--json", "--threshold", "0").stdout)
    assert answer["ouro"] == "diff" and answer["version"] == 1 and not answer["same_process"]
    for kind in "count", "bytes":
        assert sum(row[kind + "_change"] for row in answer["paths"]) == answer["totals"][kind]["change"], kind
        assert sum(row[kind]["change"] for row in answer["types"]) == answer["totals"][kind]["change"], kind
    limited = json.loads(ouro("diff", a, b, "--json", "--threshold", "0", "--limit", "1").stdout)
    assert len(limited["paths"]) <= 1
    for kind in "count", "bytes":
        rows = limited["paths"] + [limited["below_limit"], limited["below_threshold"]]
        assert sum(row[kind + "_change"] for row in rows) == limited["totals"][kind]["change"], kind


def test_a_snapshot_does_not_differ_from_itself(folder):
    a, _ = pair(folder)
    answer = json.loads(ouro("diff", a, a, "--json", "--threshold", "0").stdout)
    assert not answer["paths"] and not answer["types"], answer
    check(ouro("diff", a, a), 0, stdout=b"Nothing that is held grew")


def test_conditions_end_with_status_1_and_the_reason(folder):
    a, b = pair(folder)
    change = json.loads(ouro("diff", a, b, "--json").stdout)["totals"]["count"]["change"]
    assert change > 0
    check(ouro("diff", a, b, "--fail-on", f"count>+{change}"), 0)
    result = ouro("diff", a, b, "--fail-on", f"count>+{change - 1}", "--fail-on", "garbage>1000000")
    check(result, 1, stderr=b"ouro: diff: --fail-on count>+")
    assert b"garbage" not in result.stderr, result.stderr
    result = ouro("diff", a, b, "--json", "--fail-on", "count>=+1", "--fail-on", "type=NoSuchType count>0")
    check(result, 1)
    assert [c["holds"] for c in json.loads(result.stdout)["fail_on"]] == [True, False]


def test_a_condition_that_does_not_parse_is_pointed_at(folder):
    a, b = pair(folder)
    result = ouro("diff", a, b, "--fail-on", "type=app.User cuont>+100")
    check(result, 2, stdout=b"")
    lines = result.stderr.decode().splitlines()
    assert lines[1].endswith("type=app.User cuont>+100") and lines[2].index("^") == lines[1].index("cuont"), lines
    check(ouro("garbage", a, "--fail-on", "garbage>+1"), 2, stderr=b"ouro diff")
    check(ouro("diff", a, b, "--fail-on", "path=x count>5"), 2)


def test_suppressions_are_left_out_and_said(folder):
    a, b = pair(folder)
    path = os.path.join(folder, "leaks.suppress")
    with open(path, "w") as file:
        file.write("# all of it\n\ntype=*\npath=*   # and all paths\n")
    result = ouro("diff", a, b, "--threshold", "0", "--suppress", path, "--fail-on", "count>+0")
    check(result, 0, stdout=b"suppressed")
    with open(path, "w") as file:
        file.write("# fine\ntyp=*\n")
    check(ouro("diff", a, b, "--suppress", path), 2, stderr=b"leaks.suppress:2:")
    check(ouro("diff", a, b, "--suppress", path + ".none"), 2, stderr=b"No such file")


def test_usage_and_unreadable_files(folder):
    a, b = pair(folder)
    check(ouro("diff", a), 2)
    check(ouro("diff", a, b, "--by", "nothing"), 2)
    check(ouro("diff", a, b + ".none"), 4)
    with open(b, "rb") as file:
        whole = file.read()
    for name, damaged in (("cut", whole[:len(whole) * 2 // 3]), ("noise", b"nothing")):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(damaged)
        check(ouro("diff", a, path), 4)
    salvaged = ouro("diff", a, os.path.join(folder, "cut"), "--salvage", "--json")
    check(salvaged, 0, stderr=b"is damaged")
    assert json.loads(salvaged.stdout)["damaged"]
    check(ouro("diff", os.path.join(folder, "cut"), a, "--salvage"), 0, stdout=b"a file is damaged")


def test_garbage_takes_conditions_too(folder):
    a, _ = pair(folder)
    count = json.loads(ouro("garbage", a, "--json", "--fail-on", "garbage>1000000").stdout)["fail_on"][0]["value"]
    check(ouro("garbage", a, "--fail-on", f"garbage>{count}"), 0)
    check(ouro("garbage", a, "--fail-on", f"garbage>={count}"), 1, stderr=b"garbage is %d" % count)


if __name__ == "__main__":
    harness.main(globals())
