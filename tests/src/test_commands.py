"""What every command says and returns: usage, files that are none, outputs that fail, terminals of 80 columns."""
import json
import os
import struct
import subprocess
import zlib

from harness import check, main, make_snapshot, ouro

COMMANDS = ["dump", "info", "types", "objects", "show", "path", "garbage", "dominators", "export", "verify"]
READING = [["info"], ["types"], ["types", "--retained"], ["objects"], ["objects", "--sort", "retained"],
           ["show"], ["show", "--retained"], ["garbage"], ["garbage", "--generation", "0"], ["verify"],
           ["types", "--exact", "--group", "module"], ["dominators"],
           ["dominators", "--min-share", "0", "--group", "type"],
           ["path"], ["path", "--paths", "3", "--steps"], ["path", "--type", "*"]]


def snapshot(folder):
    path = os.path.join(folder, "a.ouro")
    make_snapshot(path)
    return path


def arguments_of(command, path):
    wants_object = command[0] == "show" or (command[0] == "path" and "--type" not in command)
    return [*command, path, "0x7f0000000030"] if wants_object else [*command, path]


def test_help_goes_to_standard_output(folder):
    for option in "-h", "--help", "help":
        check(ouro(option), 0, b"usage: ouro COMMAND", b"")
    for command in COMMANDS:
        check(ouro(command, "-h"), 0, b"usage: ouro " + command.encode(), b"")
    check(ouro("--version"), 0, b"ouro ", b"")


def test_help_of_the_reading_commands_fits_80_columns(folder):
    for command in [[], *([name] for name in COMMANDS if name != "dump")]:
        for row in ouro(*command, "-h").stdout.decode().split("\n"):
            assert len(row) <= 80, row


def test_usage_errors(folder):
    path = snapshot(folder)
    check(ouro(), 2, b"", b"usage: ouro COMMAND")
    check(ouro("nonsense"), 2, b"", b'"nonsense" is not a command')
    check(ouro("nonsense\x1b[2J"), 2, b"", b'"nonsense\\x1b[2J" is not a command')
    check(ouro("--nonsense"), 2, b"", b"--nonsense is not an option")
    for command in COMMANDS[1:]:
        check(ouro(command), 2, b"", b"an argument is missing")
        check(ouro(command, "--nonsense", path), 2, b"", b"--nonsense is not an option")
        check(ouro(command, "-X", path), 2, b"", b"-X is not an option")
    check(ouro("info", path, path), 2, b"", b"an argument too many")
    check(ouro("types", path, "--limit", "many"), 2, b"", b'--limit takes a number, not "many"')
    check(ouro("types", path, "--limit"), 2, b"", b"needs an argument")
    check(ouro("types", path, "--retained=1"), 2, b"", b"takes no argument")
    check(ouro("types", path, "--sort", "weight"), 2, b"", b"it takes: size, count, retained, name")
    check(ouro("objects", path, "--min-size", "big"), 2, b"", b"takes a size")
    check(ouro("export", path, "--format", "xml"), 2, b"", b"it takes: ndjson")
    check(ouro("types", path, "--group", "size"), 2, b"", b"it takes: type, module")
    check(ouro("objects", path, "--min-retained", "-1"), 2, b"", b"takes a size")


def test_files_that_are_no_snapshots(folder):
    path = snapshot(folder)
    none, text = os.path.join(folder, "none"), os.path.join(folder, "text")
    cut = os.path.join(folder, "cut")
    data = open(path, "rb").read()
    open(text, "wb").write(b"this is no snapshot, only text\n" * 100)
    open(cut, "wb").write(data[: len(data) // 2])
    for command in COMMANDS[1:]:
        more = ["0x1"] if command in ("show", "path") else []
        check(ouro(command, none, *more), 4, stderr=b"none")
        check(ouro(command, text, *more), 4, stderr=b"not an ouro snapshot")
        check(ouro(command, folder, *more), 4)
        check(ouro(command, cut, *more), 4)
    check(ouro("info", "/dev/null"), 4)


def test_a_newer_format_is_refused_as_such(folder):
    path = snapshot(folder)
    data = bytearray(open(path, "rb").read())
    data[8:12] = struct.pack("<I", 2)
    data[12:16] = struct.pack("<I", zlib.crc32(data[:12]))
    open(path, "wb").write(data)
    for command in COMMANDS[1:]:
        check(ouro(command, path, *(["0x1"] if command in ("show", "path") else [])), 4, stderr=b"version 2")


def test_what_is_left_of_a_damaged_file_is_read_on_demand(folder):
    path = os.path.join(folder, "many.ouro")
    make_snapshot(path, "60000")
    data = open(path, "rb").read()
    open(path, "wb").write(data[:-40])  # the table of contents is gone
    check(ouro("info", path), 4, b"")
    result = ouro("info", "--salvage", path)
    check(result, 0, b"60,000", b"is damaged")
    check(ouro("info", "-q", "--salvage", path), 0, b"the file is damaged", b"")
    for command in ["types"], ["objects"], ["show"], ["export"], ["dominators"]:
        arguments = [*command, path, *(["0x7f0000000030"] if command == ["show"] else [])]
        check(ouro(*arguments), 4, b"")
        check(ouro(*arguments, "--salvage"), 0)


def test_a_closed_pipe_is_told_in_words(folder):
    path = os.path.join(folder, "many.ouro")
    make_snapshot(path, "60000")
    for command in ["export"], ["objects", "--json"], ["types", "-h"]:
        reader, writer = os.pipe()
        os.close(reader)
        check(ouro(*command, path, stdout=writer), 5, stderr=b"can't write standard output: Broken pipe")
        os.close(writer)


def test_a_full_device_is_told_in_words(folder):
    path = snapshot(folder)
    with open("/dev/full", "wb") as full:
        for command in [*READING, ["export"]]:
            for more in [], ["--json"]:
                result = ouro(*arguments_of(command, path), *more, stdout=full)
                check(result, 5, stderr=b"can't write standard output: No space left on device")
        check(ouro("-h", stdout=full), 5, stderr=b"No space left on device")


def test_a_closed_standard_output_is_no_place_for_a_snapshot(folder):
    path = snapshot(folder)
    before = open(path, "rb").read()
    result = subprocess.run(["sh", "-c", 'exec "$0" info "$1" >&-', os.environ.get("OURO", "./ouro"), path],
                            stderr=subprocess.PIPE)
    assert result.returncode == 5 and b"can't write standard output" in result.stderr, result
    assert open(path, "rb").read() == before


def test_text_fits_80_columns_and_harms_no_terminal(folder):
    path = snapshot(folder)
    for command in READING:
        result = ouro(*arguments_of(command, path), columns=80)
        check(result, 0, stderr=b"")
        for row in result.stdout.decode().split("\n"):
            assert len(row) <= 80, row
            assert all(c.isprintable() for c in row), row


def test_json_is_json_everywhere(folder):
    path = snapshot(folder)
    kinds = {"info": "info", "types": "types", "objects": "object_list", "garbage": "garbage", "show": "object", "verify": "verify",
             "dominators": "dominators", "path": "path"}
    for command in READING:
        result = ouro(*arguments_of(command, path), "--json")
        check(result, 0, stderr=b"")
        assert json.loads(result.stdout)["ouro"] == ("modules" if "module" in command else
                                                     "path_tree" if "--type" in command else kinds[command[0]])


def test_info_says_what_it_is_of(folder):
    path = snapshot(folder)
    info = json.loads(ouro("info", path, "--json").stdout)
    assert info["objects"] == 14 and info["roots"] == 1 and info["frames"] == 1
    assert info["unreachable"] == 2 and info["unreachable_bytes"] == 152
    assert info["meta"]["pid"] == "4711" and info["threads"][0]["holds_gil"] is True
    assert info["interpreters"][0]["counts"] == [-3, 2, 1]
    kinds = {finding["kind"]: finding["count"] for finding in info["findings"]}
    assert kinds == {"garbage": 2, "approximate": 1, "frozen": 1}, kinds
    text = ouro("info", path).stdout
    for part in b"4711 (python3)", b"CPython 3.11.7", b"python3 app.py", b"2023-11-14 22:13:20 UTC", b"holds the GIL":
        assert part in text, text


def test_types_sorts_and_filters(folder):
    path = snapshot(folder)

    def types(*arguments):
        shown = json.loads(ouro("types", path, "--json", *arguments).stdout)
        return [(row["type"], row["count"]) for row in shown["types"]]

    assert types("--sort", "count", "--limit", "2") == [("list", 5), ("str", 4)]
    assert types("*ing") == [("Thing", 1)]
    assert types("--module", "ext") == [("Thing", 1)]
    assert types("ext.Thing") == [("Thing", 1)]
    assert types("nothing") == []
    assert types("--sort", "name")[0][0].startswith("Outer")
    first = json.loads(ouro("types", path, "--json", "--sort", "retained").stdout)["types"][0]
    assert (first["type"], first["retained"]) == ("list", 88 + 296 + 48 + 56 + 50 + 50 + 28 + 152 + 50 + 56), first
    assert first["retained_exact"] is False


def test_types_say_what_they_retain_at_least_or_exactly(folder):
    path = snapshot(folder)
    check(ouro("types", path, "--retained"), 0, b"  >= 874 B  list\n")
    check(ouro("types", path, "--exact"), 0, b"     874 B  list\n")
    for arguments in ["--exact"], ["--retained", "list"], ["--retained", "builtins.l*"]:
        rows = json.loads(ouro("types", path, "--json", *arguments).stdout)["types"]
        row = [row for row in rows if row["type"] == "list"][0]
        assert row["retained"] == 874 and row["retained_exact"] is True, row
    rows = json.loads(ouro("types", path, "--json", "--retained", "--limit", "4", "--sort", "name").stdout)["types"]
    assert [row["retained_exact"] for row in rows] == [True, True, True, False], rows  # one object; lists


def test_types_by_module(folder):
    path = snapshot(folder)
    shown = json.loads(ouro("types", path, "--json", "--group", "module", "--exact", "--module", "ext").stdout)
    assert shown["module_count"] == 1
    assert shown["modules"] == [{"module": "ext", "count": 1, "shallow": 64, "native": 0, "retained": 64,
                                 "retained_exact": True, "approximate": 1}], shown
    check(ouro("types", path, "-g", "module"), 0, b"14 objects of 4 modules, ")


def test_objects_by_each_condition(folder):
    path = snapshot(folder)

    def objects(*arguments):
        rows = json.loads(ouro("objects", path, "--json", *arguments).stdout)["objects"]
        return [(int(row["addr"], 16) - 0x7F0000000000) // 16 for row in rows]

    assert objects("--type", "dict") == [4]
    assert objects("--unreachable") == [6, 7]
    assert objects("--approximate") == [13]
    assert objects("--gen", "frozen") == [10]
    assert objects("--gen", "none") == [0, 1, 2, 8, 11]
    assert objects("--value", "user:*") == [0]
    assert objects("--value", "42") == [2]
    assert objects("--refcount", "2") == [2, 3]
    assert objects("--min-size", "80", "--sort", "size") == [4, 3, 7]
    assert objects("--sort", "retained", "--limit", "1") == [3]
    assert objects("--module", "weakref") == [9]
    assert objects("--min-retained", "300") == [3, 4]
    assert objects("--min-retained", "300", "--sort", "retained", "--limit", "1") == [3]
    assert objects("--min-retained", "1G") == []
    rows = json.loads(ouro("objects", path, "--json", "--sort", "unexplained").stdout)["objects"]
    assert rows and all(row["unexplained"] > 0 for row in rows), rows
    assert [row["unexplained"] for row in rows] == sorted((row["unexplained"] for row in rows), reverse=True)
    assert 3 in objects("--unexplained", "1") and 3 not in objects("--unexplained", "2")
    check(ouro("objects", path, "--min-retained", "300"), 0, b"retained")
    check(ouro("objects", path, "--type", "dict"), 0, b"1 object, 296 B")
    check(ouro("objects", path, "--limit", "1"), 0, b"14 objects, ")


def test_show_tells_one_object(folder):
    path = snapshot(folder)
    shown = json.loads(ouro("show", path, "0x7f0000000030", "--json", "--retained").stdout)
    assert shown["type"] == "list" and shown["references_known"] == 1 and shown["unexplained"] == 1
    assert [row["label"] for row in shown["referents"]] == ["[2]", "[1]", "[0]"]
    assert [(row["label"], row["class"]) for row in shown["referrers"]] == [("", "weak"), ("local", "traversed")]
    assert shown["retained"] == 88 + 50 + 28 + 296 + 50 + 48 + 56
    assert shown["retained_objects"] == 7
    assert [row["addr"] for row in shown["dominators"]] == ["0xffff800000000070", "0xffff800000000078"]
    assert [row["label"] for row in shown["dominators"]] == ["local", "frames[0]"]
    text = ouro("show", path, "0x7f0000000030", "-r").stdout
    assert b"616 B in 7 objects" in text and b"Dominated by: 2\n" in text, text
    check(ouro("show", path, "0x7f0000000030", "-r", "-n", "1"), 0, b"... 1 more")
    check(ouro("show", path, "0xffff800000000078", "-r"), 0, b"none, as it is a root")
    text = ouro("show", path, "0x7f0000000080", "-r").stdout
    assert b"<root>  garbage" in text, text
    check(ouro("show", path, str(0x7F0000000030)), 0, b"1 unexplained")
    check(ouro("show", path, "0x7f0000000060"), 0, b"unreachable (the collector would find it)")
    check(ouro("show", path, "0x7f00000000b0"), 0, b"immortal")
    check(ouro("show", path, "app.CACHE['user:1']"), 2, b"", b"sys.modules is not in the snapshot")
    check(ouro("show", path, "app.CACHE['user:1"), 2, b"", b"no OBJECT: a string that doesn't end\n  app.CACHE['user:1\n            ^\n")
    check(ouro("show", path, "0x7f0000000030[0]", "--json"), 0, b'"addr":"0x7f0000000040"')
    fast = json.loads(ouro("show", path, "0x7f0000000030", "--json", "--fast").stdout)
    assert "retained" not in fast and fast["references_known"] == 1 and "path" in fast, fast
    check(ouro("show", path, "0x7f0000000031"), 2, b"", b"no object in")
    check(ouro("show", path, "0x1ffffffffffffffff"), 2, b"", b"too large to be an address")


def dominators(path, *arguments):
    return json.loads(ouro("dominators", path, "--json", *arguments).stdout)["rows"]


def test_dominators_from_the_top(folder):
    path = snapshot(folder)
    rows = dominators(path, "-d", "0", "-n", "0", "--min-share", "0", "-g", "none")
    sections = {row["section"]: row for row in rows if row["kind"] == "section"}
    assert {name: (row["retained"], row["count"]) for name, row in sections.items()} == {
        "named": (616, 1), "native": (72 + 49 + 56 + 64, 4), "garbage": (202, 2), "unreached": (0, 0)}, sections
    found = [row for row in rows if row["kind"] == "object"]
    assert [row["addr"][-3:] for row in found[:3]] == ["078", "070", "030"]
    assert [row.get("label") for row in found[:4]] == [None, "frames[0]", "local", "[0]"]
    assert [row["retained"] for row in found[:5]] == [616, 616, 616, 450, 104]
    cycle = [row for row in found if row["section"] == "garbage"]
    assert [(row["addr"][-2:], row["retained"]) for row in cycle] == [("70", 130), ("80", 50), ("60", 72)], cycle
    assert all(row["objects"] >= 1 for row in found if row["addr"].startswith("0x7f"))
    text = ouro("dominators", path).stdout.decode()
    for part in "named roots", "native code", "garbage", "<root> thread 4711", "0x7f0000000030", "14 objects, 1.0 KiB":
        assert part in text, text
    assert "reached by nothing" not in text  # there is nothing of that kind


def test_dominators_of_one_object(folder):
    path = snapshot(folder)
    for name in "0x7f0000000040", str(0x7F0000000040):
        rows = dominators(path, name)
        assert [row["level"] for row in rows] == [0, 1, 2, 1], rows
        assert rows[0]["type"] == "dict" and rows[0]["retained"] == 450 and rows[0]["shallow"] == 296
        assert rows[1]["label"] == "['user:1']" and rows[3]["label"] == "<key 'user:1'>"
    assert [row["kind"] for row in dominators(path, "0x7f0000000040", "-d", "1")] == ["object", "object", "object"]
    rows = dominators(path, "0x7f0000000040", "-d", "1", "--min-size", "60")
    assert [row["kind"] for row in rows] == ["object", "object", "rest"] and rows[2]["count"] == 1
    assert dominators(path, "0xffff8000000000a0")[0]["section"] == "garbage"
    check(ouro("dominators", path, "0x7f0000000041"), 2, b"", b"no object in")
    check(ouro("dominators", path, "0xffffffffffffffff"), 2, b"", b"no object in")
    check(ouro("dominators", path, "app.CACHE"), 2, b"", b"sys.modules is not in the snapshot")


def test_limits_of_dominators_are_numbers(folder):
    path = snapshot(folder)
    check(ouro("dominators", path, "--depth", "-1"), 2, b"", b'--depth takes a number, not "-1"')
    check(ouro("dominators", path, "-n", "many"), 2, b"", b'--limit takes a number, not "many"')
    check(ouro("dominators", path, "--min-size", "-1"), 2, b"", b"takes a size")
    for share in "-1", "101", "half", "", "1e1", "0x1", "50%%", "nan":
        check(ouro("dominators", path, "--min-share", share), 2, b"", b"--min-share takes a percentage from 0 to 100")
    check(ouro("dominators", path, "--min-share", "100%"), 0)
    check(ouro("dominators", path, "--group", "value"), 2, b"", b"it takes: type, module, none")
    check(ouro("dominators", path, "0x7f0000000040", "extra"), 2, b"", b"an argument too many")


def test_dominators_say_how_far_to_trust_them(folder):
    path = snapshot(folder)
    check(ouro("dominators", path), 0, b"How far this can be trusted\n  - 1 objects of 1 types are approximate")
    for command in ["dominators"], ["types", "-r"], ["show", "0x7f0000000030", "-r"]:
        arguments = [command[0], path, *command[1:]]
        kinds = [row["kind"] for row in json.loads(ouro(*arguments, "--json").stdout)["doubts"]]
        assert kinds == ["approximate"], kinds
        check(ouro(*arguments), 0, b"How far this can be trusted")
    assert "doubts" not in json.loads(ouro("types", path, "--json").stdout)
    many = os.path.join(folder, "many.ouro")
    make_snapshot(many, "60000")
    assert json.loads(ouro("dominators", many, "--json").stdout)["doubts"] == []
    data = open(many, "rb").read()
    open(many, "wb").write(data[:-40])
    check(ouro("dominators", many, "--salvage"), 0, b"the file is damaged")


def test_a_deep_tree_stays_readable(folder):
    path = os.path.join(folder, "many.ouro")
    make_snapshot(path, "60000")
    result = ouro("dominators", path, "-d", "0", "--min-share", "99", columns=80)
    check(result, 0, stderr=b"")
    rows = result.stdout.decode().split("\n")
    assert len(rows) > 500 and all(len(row) <= 80 for row in rows), max(rows, key=len)
    assert any("[500] [0]: list 0x7f" in row for row in rows), rows[500]
    assert ouro("dominators", path, "-d", "0", "--min-share", "99", columns=80).stdout == result.stdout


def test_paths_are_written_for_objects_and_for_types(folder):
    path = snapshot(folder)
    answer = json.loads(ouro("path", path, "0x7f0000000030", "--json").stdout)
    (way,) = answer["paths"]
    assert answer["ouro"] == "path" and answer["type"] == "list" and answer["reached"] == "frame", answer
    assert way["expression"].startswith("<thread 4711>.frames[0]") and not way["pasteable"], way
    assert [step["addr"] for step in way["steps"]][-1] == "0x7f0000000030", way
    several = json.loads(ouro("path", path, "0x7f0000000030", "0x7f0000000060", "--json").stdout)
    assert [o["addr"] for o in several["objects"]] == ["0x7f0000000030", "0x7f0000000060"], several
    assert several["objects"][0]["paths"] == answer["paths"]
    check(ouro("path", path, "0x7f0000000060"), 0, b"<garbage> -> list", b"")
    check(ouro("path", path, "0x7f0000000060"), 0, b"nothing but garbage reaches it\n  held by 0x7f0000000070 list: [0]")
    check(ouro("path", path, "0x7f0000000030", "-n", "4"), 0, b"no further path: every other one goes through")
    tree = json.loads(ouro("path", path, "list", "--json").stdout)
    assert tree["ouro"] == "path_tree" and tree["count"] == 5, tree
    assert tree["count"] == sum(row["count"] for row in tree["tree"]) + tree["unreached"] + tree["left_out"], tree
    assert json.loads(ouro("path", path, "--type", "list", "--json").stdout) == tree
    check(ouro("path", path, "NoSuchType"), 2, b"")
    check(ouro("path", path, "--type", "NoSuchType"), 2, b"", b"has no object of such a type")
    check(ouro("path", path, "0x7f0000000031"), 2, b"", b"no object in")
    check(ouro("path", path), 2, b"", b"an OBJECT or a TYPE is missing")
    check(ouro("path", path, "--type", "list", "0x7f0000000030"), 2, b"", b"either objects or a type")
    check(ouro("path", path, "0x7f0000000030", "-n", "0"), 2, b"", b"--paths takes at least 1")


def test_verify_tells_whole_from_damaged(folder):
    path = snapshot(folder)
    check(ouro("verify", path), 0, b"whole: ", b"")
    check(ouro("verify", path, "--all"), 0, b"good")
    data = bytearray(open(path, "rb").read())
    data[len(data) // 2] ^= 0x40
    open(path, "wb").write(data)
    result = ouro("verify", path)
    check(result, 4)
    assert json.loads(ouro("verify", path, "--json").stdout)["whole"] is False


def test_quiet_stands_before_or_behind_the_command(folder):
    path = snapshot(folder)
    check(ouro("-q", "info", path), 0, b"4711", b"")
    check(ouro("info", "-q", path), 0, b"4711", b"")


main(globals())
