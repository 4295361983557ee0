"""Pictures: what refs, backrefs, chain, cycles, dominators and path draw, read back; formats, budgets, and what goes wrong."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree as tree

from harness import BUILD, OURO, check, main, make_snapshot, ouro

LIST, DICT, HOSTILE, CYCLE_A = "0x7f0000000030", "0x7f0000000040", "0x7f0000000050", "0x7f0000000060"
COMMANDS = [["refs", LIST], ["backrefs", HOSTILE], ["chain", HOSTILE], ["chain", LIST, "--to", "*"],
            ["cycles"], ["cycles", "--object", CYCLE_A], ["cycles", "--scc", CYCLE_A], ["dominators"],
            ["path", HOSTILE], ["path", "-n", "3", LIST, HOSTILE], ["path", "str"]]
SVG = subprocess.run([OURO, "refs", "/dev/null", "1", "-o", "x.none"], stderr=subprocess.PIPE).stderr.find(b"svg") > 0


def snapshot(folder):
    path = os.path.join(folder, "a.ouro")
    make_snapshot(path)
    return path


def draw(path, command, *options, name="x.dot"):
    out = os.path.join(os.path.dirname(path), name)
    check(ouro(command[0], path, *command[1:], "-o", out, *options), 0, b"")
    return out


def read(path):
    return json.loads(subprocess.run([os.path.join(BUILD, "tests", "read_picture"), path], stdout=subprocess.PIPE, check=True).stdout)


def name(addr):
    return "o%d" % int(addr, 16)


def test_boxes_and_arrows_read_back(folder):
    path = snapshot(folder)
    picture = read(draw(path, ["refs", LIST], "--refcounts", "--full-names", "--extra", "size,retained,address"))
    nodes, edges = picture["nodes"], {(e[0], e[1]): e[2] for e in picture["edges"]}
    start = nodes[name(LIST)]
    assert start["fontcolor"] == "red" and start["id"] == name(LIST), start
    assert start["label"].startswith("list [2]\\n3 items\\n88 B\\nretains ") and start["label"].endswith("\\n" + LIST), start
    assert "list at " + LIST in start["tooltip"] and "2 references" in start["tooltip"], start
    assert edges[name(LIST), name(DICT)]["label"] == "[0]", edges
    assert edges[name(DICT), name(HOSTILE)]["label"] == "['user:1']", edges
    fills = [float(nodes[name(a)]["fillcolor"].split(",")[2]) for a in (LIST, DICT, HOSTILE)]
    assert fills == sorted(fills, reverse=True) and fills[0] == 1, fills
    hostile = nodes[name(HOSTILE)]["label"]
    assert "<b>\\\\u202e\\\\n" in hostile and "\x1b" not in hostile and 'app"' in hostile, hostile
    shallow = read(draw(path, ["refs", LIST], "--max-depth", "1", "--too-many", "1"))
    assert shallow["nodes"]["too_many_" + name(LIST)]["label"] == "2 more references", shallow
    assert len(shallow["nodes"]) == 3


def test_what_grew_is_drawn_by_the_paths_that_hold_it(folder):
    path, grown = snapshot(folder), os.path.join(folder, "b.ouro")
    make_snapshot(grown, "60000")
    compared = json.loads(ouro("diff", path, grown, "--json", "--by", "path", "--threshold", "1").stdout)
    picture = read(draw(path, ["diff", grown], "--threshold", "1"))
    assert compared["paths"] and picture["edges"], compared
    assert any("objects, +" in node["label"] for node in picture["nodes"].values()), picture
    tooltips = {node.get("tooltip") for node in picture["nodes"].values()}
    assert compared["paths"][0]["path"] in tooltips, (compared["paths"][0], tooltips)
    back = read(draw(grown, ["diff", path], "--threshold", "1"))
    assert any("dashed" in node.get("style", "") for node in back["nodes"].values()), back
    few = read(draw(path, ["diff", grown], "--threshold", "1", "--budget", "1"))
    assert len(few["nodes"]) < len(picture["nodes"]) or len(picture["nodes"]) < 3, few
    nothing = read(draw(path, ["diff", path]))
    assert [node["label"] for node in nothing["nodes"].values()] == ["nothing that is held\\ngrew or shrank"], nothing
    check(ouro("diff", path, grown, "--by", "type", "-o", "x.dot"), 2, b"", b"paths are drawn")


def test_filters_and_highlights_take_types(folder):
    path = snapshot(folder)
    only = read(draw(path, ["refs", LIST], "--filter", "dict"))
    assert set(only["nodes"]) == {name(LIST), name(DICT)}, only
    left = read(draw(path, ["refs", LIST], "--ignore", "str,int," + HOSTILE))
    assert set(left["nodes"]) == {name(LIST), name(DICT)}, left
    blue = read(draw(path, ["refs", LIST], "--highlight", "dict"))["nodes"][name(DICT)]
    assert blue["fillcolor"].startswith("0.6,0.6,"), blue
    hidden = read(draw(path, ["refs", HOSTILE], "--hidden"))
    assert [e[2]["style"] for e in hidden["edges"] if e[2]["label"] == ".h"] == ["dashed"], hidden
    assert ".h" not in [e[2]["label"] for e in read(draw(path, ["refs", HOSTILE]))["edges"]]


def test_cycles_are_clusters(folder):
    path = snapshot(folder)
    picture = read(draw(path, ["cycles"]))
    title = picture["clusters"]["cluster_p0"]["label"]
    assert re.match(r"1\. 1 time, 2 objects, 152 B", title) and "garbage" in title, title
    weak = [e for e in picture["edges"] if e[2].get("style") == "dashed"]
    assert len(weak) == 1 and weak[0][2]["label"].endswith("make weak"), weak
    real = read(draw(path, ["cycles", "--object", CYCLE_A]))
    assert len(real["nodes"]) == 2 and len(real["edges"]) == 2, real
    check(ouro("cycles", path, "--object", LIST, "-o", os.path.join(folder, "x.dot")), 2, b"", b"lies on no cycle")
    check(ouro("cycles", path, "--object", LIST), 2, b"", b"-o FILE")


def test_trees_and_paths(folder):
    path = snapshot(folder)
    rows = read(draw(path, ["dominators", "--min-share", "0"]))
    labels = [n["label"] for n in rows["nodes"].values()]
    assert any(label.startswith("named roots") for label in labels) and all("%" in label for label in labels), labels
    few = read(draw(path, ["dominators", "--min-share", "0", "--depth", "0"], "--budget", "6"))
    assert len(few["nodes"]) <= 6 < len(rows["nodes"]), few
    assert any("7 objects" in n["tooltip"] for n in few["nodes"].values()), few
    found = read(draw(path, ["path", HOSTILE]))
    assert found["nodes"][name(HOSTILE)]["fontcolor"] == "red" and "thread 4711" in found["graph"]["label"], found
    assert (name(DICT), name(HOSTILE)) in {(e[0], e[1]) for e in found["edges"]}, found
    assert "objects of type str" in read(draw(path, ["path", "str"]))["graph"]["label"]
    lonely = read(draw(path, ["chain", HOSTILE], name="chain.dot"))
    assert list(lonely["nodes"]) == [name(HOSTILE)], lonely


def test_chains_as_text_and_json(folder):
    path = snapshot(folder)
    check(ouro("chain", path, HOSTILE), 0, b"no chain of at most 20 references leads from a module")
    page = json.loads(ouro("chain", path, LIST, "--to", "Outer*", "--json").stdout)
    chain = page["chains"][0]
    assert chain["found"] and [o["addr"] for o in chain["objects"]] == [LIST, DICT, HOSTILE], page
    assert [o["label"] for o in chain["objects"]] == [None, "[0]", "['user:1']"], page
    assert not json.loads(ouro("chain", path, LIST, "--to", "Outer*", "--json", "--max-depth", "1").stdout)["chains"][0]["found"]


def test_lists_are_the_pictures_in_words(folder):
    path = snapshot(folder)
    page = json.loads(ouro("refs", path, LIST, "--json", "-d", "2").stdout)
    drawn = read(draw(path, ["refs", LIST, "-d", "2"]))
    assert {name(n["addr"]) for n in page["nodes"]} == set(drawn["nodes"])
    assert {(name(e["from"]), name(e["to"])) for e in page["edges"]} == {(e[0], e[1]) for e in drawn["edges"]}
    for command in COMMANDS:
        if command[0] in ("refs", "backrefs", "chain"):
            text = ouro(command[0], path, *command[1:], columns=80).stdout.decode()
            assert text and all(len(line) <= 80 for line in text.split("\n")), text
            assert "\x1b" not in text and "\u202e" not in text, text


def test_every_picture_in_every_format_and_the_same_twice(folder):
    path = snapshot(folder)
    for number, command in enumerate(COMMANDS):
        for extension in ["dot", "svg", "png", "pdf"] if SVG else ["dot"]:
            if extension in ("png", "pdf") and number:
                continue
            once, again = (open(draw(path, command, name="%s.%s" % (n, extension)), "rb").read() for n in "ab")
            assert once and once == again, (command, extension)
            assert once.startswith({"dot": b"digraph", "svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[extension])
            if extension == "svg":
                root = tree.fromstring(once)
                boxes = [g for g in root.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "node"]
                assert len(boxes) == len(read(draw(path, command))["nodes"]), command
                assert b"\x1b" not in once and "\u202e".encode() not in once
                tips = [a.get("{http://www.w3.org/1999/xlink}title") for a in root.iter("{http://www.w3.org/2000/svg}a")]
                assert command[0] != "refs" or any(t and LIST in t for t in tips), tips


def test_standard_output_and_formats(folder):
    path = snapshot(folder)
    check(ouro("refs", path, LIST, "-o", "-", "--format", "dot"), 0, b"digraph ObjectGraph")
    check(ouro("refs", path, LIST, "--format", "dot"), 0, b"digraph ObjectGraph")
    check(ouro("refs", path, LIST, "-o", "-"), 2, b"", b"--format")
    for wrong in "x.jpeg", "x", "x.", ".svg/x":
        check(ouro("refs", path, LIST, "-o", wrong), 2, b"", b"dot")
    check(ouro("refs", path, LIST, "--format", "jpeg"), 2, b"", b"none of dot")
    if not SVG:
        check(ouro("refs", path, LIST, "-o", os.path.join(folder, "x.svg")), 5, b"", b"without libgvc")
        assert not os.path.exists(os.path.join(folder, "x.svg"))


def test_what_goes_wrong_is_said(folder):
    path = snapshot(folder)
    out = os.path.join(folder, "x.dot")
    for command in "refs", "backrefs", "chain":
        check(ouro(command, path, "0x1234", "-o", out), 2, b"", b"0x1234")
        check(ouro(command, path, "Nothing", "-o", out), 2, b"", b'of a type "Nothing"')
        check(ouro(command, path), 2, b"", b"an argument is missing")
        check(ouro(command, path, LIST, "--extra", "colour"), 2, b"", b"size, retained and address")
        check(ouro(command, path, LIST, "-o", os.path.join(folder, "none", "x.dot")), 5, b"", b"none")
        check(ouro(command, out, LIST), 4, b"")
        assert not os.path.exists(out)
    check(ouro("path", path, "Nothing", "-o", out), 2, b"")
    for command in COMMANDS:
        if os.path.exists("/dev/full"):
            check(ouro(command[0], path, *command[1:], "-o", "/dev/full", "--format", "dot"), 5, b"")
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run([OURO, command[0], path, *command[1:], "--format", "dot"], stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        assert result.returncode in (0, 5, -13), result


def test_no_more_than_the_budget(folder):
    path = os.path.join(folder, "many.ouro")
    make_snapshot(path, "5000")
    last = "0x%x" % (0x7F0000000000 + 16 * 4999)
    assert [n["label"] for n in read(draw(path, ["cycles"]))["nodes"].values()] == ["no cycles"]
    picture = read(draw(path, ["refs", last], "--max-depth", "1000000", "--budget", "50"))
    assert len(picture["nodes"]) == 51 and "too_many_" in "".join(picture["nodes"]), picture["nodes"].keys()
    picture = read(draw(path, ["path", "0x7f0000000000"], "--budget", "50"))
    assert len(picture["nodes"]) <= 51 and any("more objects" in n["label"] for n in picture["nodes"].values()), picture["nodes"]


def test_a_layout_that_takes_too_long_is_given_up_and_made_smaller(folder):
    if not SVG:
        return
    path = os.path.join(folder, "many.ouro")
    make_snapshot(path, "60000")
    last = "0x%x" % (0x7F0000000000 + 16 * 59999)
    out = os.path.join(folder, "x.svg")
    result = ouro("refs", path, last, "--max-depth", "1000000", "--budget", "0", "--layout-time", "1", "-o", out)
    check(result, 0, b"", b"the layout takes longer than 1 s")
    tree.parse(out)


if __name__ == "__main__":
    main(globals())
