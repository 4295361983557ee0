"""Real heaps: components, dominators and retained sizes are those that igraph finds in the same graph."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'capture'))
import targets  # noqa: E402

COMPARE = os.path.join(os.environ.get('top_builddir') or '.', 'tests', 'compare_igraph')
ZOO = os.path.join(targets.FIXTURES, 'zoo.py')
# Modules, and garbage: rings of ten with a tail each, that nobody collects.
PROGRAM = """
import asyncio, collections, email.message, gc, json, logging, os, sys, unittest
gc.disable()
class Node:
    pass
for i in range(200):
    ring = [Node() for _ in range(10)]
    for j, node in enumerate(ring):
        node.next, node.tail = ring[j - 1], [str(i * j + k * 1000003) for k in range(5)]
del ring, node
print('READY', os.getpid(), flush=True)
sys.stdin.readline()
"""
RINGS = 200 * 10


def compare(name, command, least_garbage):
    with tempfile.TemporaryDirectory() as folder, targets.target(command, stderr=subprocess.DEVNULL) as t:
        path = os.path.join(folder, 's.ouro')
        dumped = targets.ouro('dump', t.pid, '-q', '-o', path)
        assert dumped.returncode == 0, dumped.stderr
        compared = subprocess.run([COMPARE, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if compared.returncode:
        print('%s: %s' % (name, compared.stderr.decode().strip()))
        return False
    found = json.loads(compared.stdout)
    print('%s: %d nodes, %d edges, %d components, %d of them garbage'
          % (name, found['nodes'], found['edges'], found['components'], found['unreachable']))
    # Not all of them alone, nearly all of them reached, and the garbage is there.
    return (5000 < found['components'] < found['nodes'] and found['reached'] > 0.9 * found['nodes']
            and found['edges'] > found['nodes'] and found['unreachable'] >= least_garbage)


def main():
    if subprocess.run([COMPARE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 77:
        print('skipped: this build has no igraph (libigraph-dev)')
        return 77
    bad = 0
    for python in targets.pythons():
        version = targets.version(python)
        for name, command, garbage in (('zoo', [python, '-W', 'ignore', ZOO], 0),
                                       ('program', [python, '-c', PROGRAM], RINGS)):
            bad += not compare('%s %s' % (version, name), command, garbage)
    print('%s' % ('%d differ' % bad if bad else 'all as igraph says'))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
