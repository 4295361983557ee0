"""What every command says and returns: usage, files that are none, outputs that fail, terminals of 80 columns."""
import json
import os
import struct
import subprocess
import zlib

from harness import check, main, make_snapshot, ouro

COMMANDS = ["dump", "info", "types", "objects", "show", "garbage", "export", "verify"]
READING = [["info"], ["types"], ["types", "--retained"], ["objects"], ["objects", "--sort", "retained"],
           ["show"], ["show", "--retained"], ["garbage"], ["garbage", "--generation", "0"], ["verify"]]


def snapshot(folder):
    path = os.path.join(folder, "a.ouro")
    make_snapshot(path)
    return path


def arguments_of(command, path):
    return [*command, path, "0x7f0000000030"] if command[0] == "show" else [*command, path]


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


def test_files_that_are_no_snapshots(folder):
    path = snapshot(folder)
    none, text = os.path.join(folder, "none"), os.path.join(folder, "text")
    cut = os.path.join(folder, "cut")
    data = open(path, "rb").read()
    open(text, "wb").write(b"this is no snapshot, only text\n" * 100)
    open(cut, "wb").write(data[: len(data) // 2])
    for command in COMMANDS[1:]:
        more = ["0x1"] if command == "show" else []
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
        check(ouro(command, path, *(["0x1"] if command == "show" else [])), 4, stderr=b"version 2")


def test_what_is_left_of_a_damaged_file_is_read_on_demand(folder):
    path = os.path.join(folder, "many.ouro")
    make_snapshot(path, "60000")
    data = open(path, "rb").read()
    open(path, "wb").write(data[:-40])  # the table of contents is gone
    check(ouro("info", path), 4, b"")
    result = ouro("info", "--salvage", path)
    check(result, 0, b"60,000", b"is damaged")
    check(ouro("info", "-q", "--salvage", path), 0, b"the file is damaged", b"")
    for command in ["types"], ["objects"], ["show"], ["export"]:
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
    kinds = {"info": "info", "types": "types", "objects": "object_list", "garbage": "garbage", "show": "object", "verify": "verify"}
    for command in READING:
        result = ouro(*arguments_of(command, path), "--json")
        check(result, 0, stderr=b"")
        assert json.loads(result.stdout)["ouro"] == kinds[command[0]]


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
    check(ouro("objects", path, "--type", "dict"), 0, b"1 object, 296 B")
    check(ouro("objects", path, "--limit", "1"), 0, b"14 objects, ")


def test_show_tells_one_object(folder):
    path = snapshot(folder)
    shown = json.loads(ouro("show", path, "0x7f0000000030", "--json", "--retained").stdout)
    assert shown["type"] == "list" and shown["references_known"] == 1 and shown["unexplained"] == 1
    assert [row["label"] for row in shown["referents"]] == ["[2]", "[1]", "[0]"]
    assert [(row["label"], row["class"]) for row in shown["referrers"]] == [("", "weak"), ("local", "traversed")]
    assert shown["retained"] == 88 + 50 + 28 + 296 + 50 + 48 + 56
    check(ouro("show", path, str(0x7F0000000030)), 0, b"1 unexplained")
    check(ouro("show", path, "0x7f0000000060"), 0, b"unreachable (the collector would find it)")
    check(ouro("show", path, "0x7f00000000b0"), 0, b"immortal")
    check(ouro("show", path, "app.CACHE['user:1']"), 2, b"", b"path expressions are not supported by this version")
    check(ouro("show", path, "0x7f0000000031"), 2, b"", b"no object in")
    check(ouro("show", path, "0x1ffffffffffffffff"), 2, b"", b"is no address")


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
