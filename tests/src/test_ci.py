#!/usr/bin/env python3
"""docs/ci.md's script and pytest session fail on a leak, and pass without one; its tables and the examples of each -h are true."""
import os
import re
import subprocess
import sys

import harness

TOP = os.environ.get("top_srcdir") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PYTHON = [p for p in os.environ.get("OURO_TEST_PYTHONS", "").split(":") if p] or [sys.executable]

SHOP = """
import collections

SESSIONS = %s


class Session:
    def __init__(self, number):
        self.name = "session %%d" %% number
        self.cart = [self.name, str(number)]


def serve(count):
    for number in range(count):
        SESSIONS.append(Session(number))
"""


def blocks(language):
    with open(os.path.join(TOP, "docs", "ci.md"), encoding="utf-8") as file:
        return re.findall(r"^```%s\n(.*?)^```$" % language, file.read(), re.M | re.S)


def environment(folder):
    os.makedirs(os.path.join(folder, "bin"), exist_ok=True)
    link = os.path.join(folder, "bin", "ouro")
    if not os.path.lexists(link):
        os.symlink(os.path.abspath(harness.OURO), link)
    path = os.path.join(folder, "bin") + os.pathsep + os.environ["PATH"]
    return dict(os.environ, PATH=path, PYTHONDONTWRITEBYTECODE="1")


def run_script(folder, kind):
    """The script, on a program that does a round for each line that COMMAND gives it."""
    folder = os.path.join(folder, kind)
    os.mkdir(folder)
    script, = blocks("sh")
    with open(os.path.join(folder, "leak-check.sh"), "w") as file:
        file.write(script)
    os.mkfifo(os.path.join(folder, "requests"))
    with open(os.path.join(folder, "answers"), "wb") as answers:
        service = subprocess.Popen(["sh", "-c", 'exec "$@" <>requests', "sh", PYTHON[0], os.path.join(TOP, "fixtures", "leaks.py"), kind],
                                   cwd=folder, stdout=answers, env=environment(folder))
    command = 'n=$(wc -l <answers); echo >requests; until [ "$(wc -l <answers)" -gt "$n" ]; do :; done'
    try:
        while not os.path.getsize(os.path.join(folder, "answers")):
            assert service.poll() is None
        return subprocess.run(["sh", "leak-check.sh", str(service.pid), "sh", "-c", command], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment(folder), timeout=300)
    finally:
        service.kill()
        service.wait()


def test_the_script_fails_on_a_leak(folder):
    result = run_script(folder, "module_cache")
    assert result.returncode == 1, result
    assert b"--fail-on type=Session count>+100: count went from" in result.stderr, result
    assert b"sys.modules['__main__'].CACHE: " in result.stdout, result


def test_the_script_passes_without_a_leak(folder):
    result = run_script(folder, "none")
    assert result.returncode == 0, result


def run_pytest(folder, container):
    conftest, test = blocks("python")
    for name, text in ("conftest.py", conftest), ("test_leaks.py", test), ("shop.py", SHOP % container):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    return subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", folder], cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(folder), timeout=300)


def test_the_pytest_session_fails_on_a_leak_and_passes_without(folder):
    if subprocess.run(["/usr/bin/python3", "-c", "import pytest"], stderr=subprocess.DEVNULL).returncode:
        print("skip: /usr/bin/python3 has no pytest")
        return
    good = run_pytest(folder, "collections.deque(maxlen=10)")
    assert good.returncode == 0 and b"1 passed" in good.stdout, good
    bad = run_pytest(folder, "[]")
    assert bad.returncode == 1 and b"1 failed" in bad.stdout, bad
    assert b"sys.modules['shop'].SESSIONS" in bad.stdout and b"count went from" in bad.stdout, bad


def test_conditions_are_those_of_the_page_and_of_the_help(folder):
    path = os.path.join(folder, "a.ouro")
    harness.make_snapshot(path)
    commands = {"diff": [path, path], "garbage": [path], "leaks": [path]}

    def status(command, condition):
        result = harness.ouro(command, *commands[command], "--fail-on", condition)
        assert result.returncode in (0, 1, 2), result
        assert (result.returncode == 2) == result.stderr.endswith(b"^\n"), result
        return result.returncode

    for command in commands:
        examples = re.findall(r"'([^']*[<>][^']*)'", harness.ouro(command, "-h").stdout.decode())
        assert len(examples) == 3, examples
        for example in examples:
            assert status(command, example) < 2, (command, example)
    with open(os.path.join(TOP, "docs", "ci.md"), encoding="utf-8") as file:
        rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in file if line.startswith("| `")]
    tried = 0
    for row in rows:
        if len(row) == 2:  # a condition of one of them
            assert any(status(command, row[0].strip("`")) < 2 for command in commands), row
            tried += 1
            continue
        for metric in re.findall(r"`(\w+)`", row[0]):
            for command, cell in zip(commands, row[1:]):
                for selector in "", "type=x ", "path=x ":
                    allowed = bool(cell) and (not selector or selector[:5] in cell)
                    change = "+" if "changes only" in cell else ""
                    assert (status(command, "%s%s>%s1" % (selector, metric, change)) < 2) == allowed, (row, command, selector)
                    tried += 1
    assert tried == 7 + 7 * 9, tried


if __name__ == "__main__":
    harness.main(globals())
