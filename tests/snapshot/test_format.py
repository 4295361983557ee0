#!/usr/bin/env python3
"""docs/FORMAT.md is enough to write a reader from: reader.py, which is written from it, sees what the C reader sees."""

import os
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
dump = os.path.join(os.environ.get("top_builddir", "."), "tests", "dump_snapshot")
seed = int(os.environ.get("OURO_TEST_SEED") or time.time())
print("OURO_TEST_SEED=%d" % seed)

with tempfile.TemporaryDirectory() as folder:
    for codec, name in (0, "stored"), (1, "zlib"):
        path = os.path.join(folder, name + ".ouro")
        subprocess.run([dump, "write", path, str(seed), str(codec)], check=True)
        theirs = subprocess.run([dump, "print", path], check=True, stdout=subprocess.PIPE).stdout.splitlines()
        ours = subprocess.run([sys.executable, os.path.join(here, "reader.py"), path], check=True,
                              stdout=subprocess.PIPE).stdout.splitlines()
        for number, (a, b) in enumerate(zip(theirs, ours)):
            if a != b:
                sys.exit("%s, line %d: the C reader has\n%r\nand reader.py\n%r" % (name, number + 1, a[:200], b[:200]))
        if len(theirs) != len(ours) or len(ours) < 100000:
            sys.exit("%s: %d lines and %d lines" % (name, len(theirs), len(ours)))
        print("%s: %d lines are the same" % (name, len(ours)))
    with open(os.path.join(folder, "zlib.ouro"), "r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    broken = subprocess.run([sys.executable, os.path.join(here, "reader.py"), os.path.join(folder, "zlib.ouro")],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if broken.returncode != 1 or b"damaged" not in broken.stderr:
        sys.exit("reader.py did not notice a flipped bit: %r" % broken.stderr)
