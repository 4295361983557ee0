"""ouro stack of real processes: frames equal what the process says of itself, waits are named, deadlocks are found, and none where
there is none. On every interpreter of OURO_TEST_PYTHONS."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "capture"))
import targets  # noqa: E402
from harness import check, main, ouro  # noqa: E402

DEADLOCK = os.path.join(targets.FIXTURES, "deadlock.py")
SCENARIOS = ["crossed", "rlocks", "conditions", "acquire", "self", "join", "mixed", "ring", "generator", "nobody", "queues",
             "future", "deep", "released", "contention", "named", "hostile", "idle"]


def capture(python, scenario, folder):
    """What the process says, and the path of a snapshot."""
    path = os.path.join(folder, "s.ouro")
    with targets.target([python, DEADLOCK, scenario]) as target:
        truth = json.loads(target.process.stdout.readline())
        check(ouro("dump", "-q", "-f", "-o", path, str(target.pid)), 0)
    return truth, path


def stack(path, *options):
    return json.loads(ouro("stack", "--json", *options, path).stdout)


def compare_thread(thread, wanted, names, words):
    assert thread["tid"] == wanted["tid"], words
    frames = [[frame["function"], frame["file"], frame["line"]] for frame in thread["frames"]]
    assert frames == wanted["frames"], (words, frames, wanted["frames"])
    for frame, variables in zip(thread["frames"], wanted["locals"]):
        found = {local["name"]: local["addr"] for local in frame["locals"]}
        assert found == variables, (words, frame["function"], found, variables)
    assert not thread.get("torn"), words
    waits = thread["waits_for"]
    if not wanted["waits_for"] and not wanted["call"]:
        assert waits is None, (words, waits)
        return
    assert waits and not waits.get("inferred"), (words, waits, thread["state"])
    if wanted["waits_for"]:
        assert waits["addr"] == wanted["waits_for"], (words, waits, wanted)
    if wanted["call"]:
        assert waits["through"].startswith(wanted["call"] + " of <"), (words, waits)
        assert waits["through_addr"] == wanted["through"], (words, waits)
    else:
        assert waits["through"] is None, (words, waits)
    owner = waits["owner"] and waits["owner"]["certain"] and names[waits["owner"]["tid"]]
    assert (owner or None) == wanted["owner"], (words, owner, waits)
    state = "waiting for a thread's end" if wanted["call"] == "Thread.join" else "waiting for a lock"
    assert thread["state"] == state, (words, thread["state"])
    assert thread["syscall"]["name"] == "futex", (words, thread["syscall"])


def compare(python, scenario, folder):
    truth, path = capture(python, scenario, folder)
    said = stack(path)
    words = "%s, %s" % (python, scenario)
    threads = {thread["name"]: thread for thread in said["threads"]}
    names = {thread["tid"]: thread["name"] for thread in said["threads"]}
    assert set(threads) == set(truth["threads"]) | {"MainThread"}, (words, set(threads))
    assert said["threads"][0]["name"] == "MainThread" and said["consistent"], words
    for name, wanted in truth["threads"].items():
        compare_thread(threads[name], wanted, names, (words, name))
    found = sorted(sorted(names[member["thread"]] for member in circle) for circle in said["deadlocks"])
    assert found == sorted(map(sorted, truth["deadlocks"])), (words, found)
    for circle in said["deadlocks"]:
        for member, following in zip(circle, circle[1:] + circle[:1]):
            assert member["waits_for"]["owner"]["tid"] == following["thread"], (words, circle)
    text = ouro("stack", path, columns=80)
    check(text, 0)
    lines = text.stdout.decode().splitlines()
    assert all(len(line) <= 80 for line in lines), (words, [line for line in lines if len(line) > 80])
    assert sum(line.startswith("Deadlock") for line in lines) == len(truth["deadlocks"]), (words, lines)
    assert all(character.isprintable() for line in lines for character in line), (words, lines)
    whole = " ".join(text.stdout.decode().split())
    assert whole.count("(behind a deadlock)") == len(truth["behind"]), (words, whole)


def make_test(scenario):
    def test(folder):
        for python in targets.few_pythons():
            compare(python, scenario, folder)
    test.__name__ = "test_%s_is_told_as_it_is" % scenario
    return test


for name in SCENARIOS:
    globals()["test_%s_is_told_as_it_is" % name] = make_test(name)


def test_locks_are_named_and_owners_of_what_was_taken_by_acquire_are_guesses(folder):
    for python in targets.pythons()[:2]:
        truth, path = capture(python, "named", folder)
        said = {thread["name"]: thread["waits_for"] for thread in stack(path)["threads"]}
        assert said["wants"]["expression"] == "sys.modules['__main__'].NAMED_LOCK", said["wants"]
        assert said["queue"]["through_expression"] == "sys.modules['__main__'].NAMED_QUEUE", said["queue"]
        assert said["wants"]["owner"] == {"tid": truth["threads"]["has"]["tid"], "name": "has", "certain": False}, said["wants"]
        text = b" ".join(ouro("stack", path).stdout.split())
        assert b"at sys.modules['__main__'].NAMED_LOCK, perhaps held by has (" in text, text
        assert b"Deadlock" not in text and b"of <queue.Queue 0x" in text, text


def test_threads_at_the_same_place_are_one_group(folder):
    truth, path = capture(targets.pythons()[0], "contention", folder)
    said = stack(path, "--group")
    followers = [thread for thread in said["threads"] if "same_as" in thread]
    assert len(followers) == 2 and len({thread["same_as"] for thread in followers}) == 1, followers
    result = ouro("stack", "--group", path)
    check(result, 0, b"and 2 more at the same place: ")
    assert result.stdout.count(b"\nThread ") == len(said["threads"]) - 2, result.stdout
    check(ouro("stack", "--group", "-l", path), 2, stderr=b"--group")


def test_one_thread_by_number_and_by_name(folder):
    truth, path = capture(targets.pythons()[0], "crossed", folder)
    tid = truth["threads"]["two"]["tid"]
    for choice in "two", str(tid):
        said = stack(path, "--thread", choice)
        assert [thread["tid"] for thread in said["threads"]] == [tid], said
        assert len(said["deadlocks"]) == 1, said
    check(ouro("stack", "--thread", "three", path), 2, stderr=b"three")


def test_locals_have_addresses_and_short_values(folder):
    truth, path = capture(targets.pythons()[0], "crossed", folder)
    said = stack(path, "--thread", "one")
    frame, = [frame for frame in said["threads"][0]["frames"] if frame["function"] == "inside"]
    found = {local["name"]: local for local in frame["locals"]}
    assert list(found) == ["name", "first", "others", "second", "other"], found
    assert found["name"]["value"] == "'one'" and found["others"]["value"] == "['two']", found
    assert found["second"]["addr"] == truth["threads"]["one"]["waits_for"], found
    assert found["second"]["value"].startswith("<locked _thread.lock 0x"), found
    result = ouro("stack", "-l", "--thread", "one", path)
    check(result, 0, found["second"]["addr"].encode())
    check(ouro("stack", "--thread", "one", path), 0)
    assert found["name"]["addr"].encode() not in ouro("stack", "--thread", "one", path).stdout


if __name__ == "__main__":
    main(globals())
