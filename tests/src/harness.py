"""Runs the built command and checks what it says; shared by the scripts of this folder."""
import os
import subprocess
import sys
import tempfile
import traceback

OURO = os.environ.get("OURO", "./ouro")
BUILD = os.environ.get("top_builddir", ".")


def make_snapshot(path, *arguments):
    # tiny.c writes where TMPDIR says and renames; both must lie in one file system.
    environment = dict(os.environ, TMPDIR=os.path.dirname(path))
    subprocess.run([os.path.join(BUILD, "tests", "make_snapshot"), path, *arguments], check=True, env=environment)


def ouro(*arguments, columns=None, **options):
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    if columns:
        environment["COLUMNS"] = str(columns)
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([OURO, *arguments], stderr=subprocess.PIPE, env=environment, timeout=120, **options)


def check(result, status, stdout=None, stderr=None):
    """stdout and stderr: a part that must be there; b"" for nothing at all."""
    said = f"{result.args}: status {result.returncode}\nstdout: {result.stdout!r}\nstderr: {result.stderr!r}"
    assert result.returncode == status, said
    for wanted, got in (stdout, result.stdout), (stderr, result.stderr):
        if wanted is not None:
            assert got == b"" if wanted == b"" else wanted in got, f"{wanted!r} is not in it\n{said}"
    if status:
        assert result.stderr.startswith(b"ouro: ") and result.stderr.endswith(b"\n"), said


def main(namespace):
    """Runs every function called test_* with a folder of its own, in the order of the file."""
    failed = 0
    for name, test in list(namespace.items()):
        if not name.startswith("test_"):
            continue
        with tempfile.TemporaryDirectory(prefix="ouro-test-") as folder:
            try:
                test(folder)
                print("ok:", name)
            except Exception:
                traceback.print_exc(file=sys.stdout)
                print("FAILED:", name)
                failed += 1
    sys.exit(failed > 0)
