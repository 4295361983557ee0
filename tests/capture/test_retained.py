"""Dominators and retained sizes of real heaps, against other ways to compute them, on every interpreter.

usage: test_retained.py [PYTHON ...]

The export says which graph they are of: all edges of refs and hidden, and a super-root above all <root> objects. An
algorithm that has nothing in common with ouro's finds the dominators of that graph once more (Cooper, Harvey, Kennedy,
"A simple, fast dominance algorithm", 2001), and a search that leaves objects out what a set of them retains.
"""
import collections
import contextlib
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

TYPES = 6  # so many exact sets

# Shapes whose answer is known. Nothing else refers to what OWNER holds;
PROGRAM = r'''
import gc, sys
gc.disable()
class Tree:
    def __init__(self, parent, depth):
        self.parent = parent
        self.payload = bytes(1000)
        self.children = [Tree(self, depth - 1) for i in range(3)] if depth else []
class Owner: pass
class Left: pass
class Right: pass
class Ring: pass
class Pair: pass
def stand():
    owner = Owner()
    owner.tree = Tree(None, 4)
    owner.left, owner.right = Left(), Right()
    owner.left.shared = owner.right.shared = bytearray(50000)
    owner.pairs = [Pair(), Pair()]
    owner.pairs[0].common = owner.pairs[1].common = bytearray(70000)
    return owner
OWNER = stand()
a, b = Ring(), Ring()
a.other, b.other = b, a
a.payload = bytearray(30000)
del a, b
print('READY', __import__('os').getpid(), flush=True)
sys.stdin.read()
'''


class Graph:
    """An export as node numbers; the last is the super-root."""

    def __init__(self, path):
        with open(path, encoding='utf-8') as lines:
            self.head = json.loads(next(lines))
            self.objects = [json.loads(line) for line in lines]
        self.number = {line['addr']: i for i, line in enumerate(self.objects)}
        self.edges = [[self.number[target] for target in line['refs'] + line.get('hidden', [])] for line in self.objects]
        self.root = len(self.objects)
        self.edges.append([i for i, line in enumerate(self.objects) if line['type'] == '<root>'])
        self.all = None  # that the super-root reaches
        self.bytes = [line['size'] + line.get('native', 0) for line in self.objects] + [0]

    def postorder(self):
        order, seen, stack = [], bytearray(self.root + 1), [(self.root, iter(self.edges[self.root]))]
        seen[self.root] = 1
        while stack:
            node, targets_left = stack[-1]
            for target in targets_left:
                if not seen[target]:
                    seen[target] = 1
                    stack.append((target, iter(self.edges[target])))
                    break
            else:
                order.append(node)
                stack.pop()
        return order

    def dominators(self):
        """Node by node its immediate dominator, None where nothing reaches it."""
        order = self.postorder()
        rank = {node: i for i, node in enumerate(order)}
        sources = collections.defaultdict(list)
        for node in order:
            for target in self.edges[node]:
                sources[target].append(node)
        idom = [None] * (self.root + 1)
        idom[self.root] = self.root
        changed = True
        while changed:
            changed = False
            for node in reversed(order[:-1]):
                new = None
                for source in sources[node]:
                    if idom[source] is None:
                        continue
                    if new is None:
                        new = source
                        continue
                    while new != source:
                        while rank[new] < rank[source]:
                            new = idom[new]
                        while rank[source] < rank[new]:
                            source = idom[source]
                if idom[node] != new:
                    idom[node] = new
                    changed = True
        retained = list(self.bytes)
        for node in order[:-1]:  # what a node dominates comes before it
            retained[idom[node]] += retained[node]
        return idom, retained

    def reached(self, without=()):
        seen = bytearray(self.root + 1)
        for node in without:
            seen[node] = 1
        todo, found = [self.root], set()
        while todo:
            node = todo.pop()
            if not seen[node]:
                seen[node] = 1
                found.add(node)
                todo += self.edges[node]
        return found

    def retained_by_set(self, members):
        self.all = self.all or self.reached()
        gone = self.all - self.reached(members)
        return sum(self.bytes[node] for node in gone.union(members))


def run(*arguments):
    result = targets.ouro(*arguments)
    if result.returncode:
        raise AssertionError('ouro %s: %s' % (' '.join(map(str, arguments)), result.stderr.decode(errors='replace')))
    return result.stdout


def check_export(graph):
    """Every object's idom and retained, and that all bytes are somebody's."""
    idom, retained = graph.dominators()
    for i, line in enumerate(graph.objects):
        expected = None if idom[i] in (None, graph.root) else graph.objects[idom[i]]['addr']
        assert line['idom'] == expected, 'idom is %s instead of %s: %r' % (line['idom'], expected, line)
        assert line['retained'] == retained[i], 'retained is %d instead of %d: %r' % (line['retained'], retained[i], line)
    unreached = sum(graph.bytes[i] for i in range(graph.root) if idom[i] is None)
    assert retained[graph.root] + unreached == sum(graph.bytes)
    return idom, retained


def check_tree(graph, idom, retained, snapshot):
    """The whole tree: each object has its row, is the dict of one, or a native root; rows hang where idom says."""
    report = json.loads(run('dominators', snapshot, '--json', '-d', 0, '-n', 0, '--min-share', 0, '-g', 'none'))
    assert report['total'] == sum(graph.bytes)
    rows, seen, above = report['rows'], set(), []
    sections = {row['section']: row for row in rows if row['level'] == 0}
    assert [row['section'] for row in rows if row['level'] == 0] == ['named', 'native', 'garbage', 'unreached']
    assert sum(row['retained'] for row in sections.values()) == report['total']
    assert sum(row['objects'] for row in sections.values()) == report['objects']
    for index, row in enumerate(rows):
        del above[row['level']:]
        assert row['parent'] == (above[-1] if above else None)
        above.append(index)
        if row['kind'] != 'object':
            continue
        node = graph.number[row['addr']]
        seen.add(row['addr'])
        assert row['retained'] == retained[node]
        if 'dict' in row:
            seen.add(row['dict'])
        dominator = None if idom[node] in (None, graph.root) else graph.objects[idom[node]]
        if dominator and 'through' in row:
            assert dominator['addr'] == row['through'], row
            dominator = None if idom[idom[node]] == graph.root else graph.objects[idom[idom[node]]]
        parent = rows[row['parent']]
        if parent['kind'] == 'object':
            assert dominator and dominator['addr'] == parent['addr'], (row, parent)
        else:
            assert not dominator or dominator.get('name') == 'garbage', (row, dominator)
    virtual = {line['addr'] for line in graph.objects if line['type'] == '<root>' and line.get('name') in ('native', 'garbage')}
    missing = {line['addr'] for line in graph.objects} - seen - virtual
    assert not missing, sorted(missing)[:5]


def check_types(graph, snapshot):
    """Exact sizes of some types, and that the bounds are such."""
    members = collections.defaultdict(list)
    for i, line in enumerate(graph.objects):
        if line['type'] not in ('<root>', '<frame>'):
            members[line['type'], line['module']].append(i)
    bounds = json.loads(run('types', snapshot, '--json', '-r', '-s', 'retained'))['types']
    exact = json.loads(run('types', snapshot, '--json', '--exact', '-s', 'retained', '-n', TYPES))['types']
    exact = {(row['type'], row['module']): row for row in exact}
    assert len(exact) == TYPES and all(row['retained_exact'] for row in exact.values())
    for row in bounds:
        key = row['type'], row['module']
        if key in exact:
            true = graph.retained_by_set(members[key])
            assert exact[key]['retained'] == true, (exact[key], true)
            assert row['retained'] == true if row['retained_exact'] else row['retained'] <= true, (row, true)
    one = json.loads(run('types', snapshot, 'builtins.dict', '--json', '-r'))['types']
    assert len(one) == 1 and one[0]['retained_exact']
    assert one[0]['retained'] == graph.retained_by_set(members['dict', 'builtins'])


def check_heap(folder, pid):
    snapshot, export = folder + '/s.ouro', folder + '/export.ndjson'
    run('dump', pid, '-o', snapshot, '-f', '-q')
    with open(export, 'wb') as out:
        out.write(run('export', snapshot, '--retained'))
    graph = Graph(export)
    idom, retained = check_export(graph)
    check_tree(graph, idom, retained, snapshot)
    check_types(graph, snapshot)
    return snapshot


def the_heap_of_a_zoo(python, folder):
    seed = sum(os.path.basename(python).encode())  # a graph of its own for each version
    command = [python, '-W', 'ignore', os.path.join(targets.FIXTURES, 'zoo.py'), '--seed', str(seed), '--count', '2000']
    with targets.target(command, stderr=subprocess.DEVNULL) as t:
        check_heap(folder, t.pid)


def known_shapes(python, folder):
    program = folder + '/program.py'
    with open(program, 'w') as out:
        out.write(PROGRAM)
    with targets.target([python, program]) as t:
        snapshot = check_heap(folder, t.pid)

    def rows(*arguments):
        return json.loads(run(*arguments, '--json'))

    def only(name):
        found = rows('objects', snapshot, '-t', '__main__.' + name, '-r')['objects']
        assert len(found) == 1, found
        return found[0]

    owner = only('Owner')
    tree = rows('types', snapshot, '__main__.Tree', '-r')['types'][0]
    assert tree['count'] == 1 + 3 + 9 + 27 + 81 and tree['retained_exact']
    # Parent pointers are no way out: the owner retains the whole tree, and what its two sides share.
    assert owner['retained'] > 121 * 1000 + 50000 + 70000, owner
    below = rows('dominators', snapshot, owner['addr'], '-n', 0, '--min-share', 0, '-g', 'none')['rows']
    assert below[0]['addr'] == owner['addr'] and below[0]['retained'] == owner['retained']
    children = {row.get('label'): row for row in below if row['parent'] == 0}
    assert {'.tree', '.left', '.right', '.pairs'} <= set(children), children
    assert children['.tree']['retained'] == tree['retained'] > 121 * 1000
    assert children['.tree']['type'] == 'Tree'
    assert children['.left']['retained'] < 5000 and children['.right']['retained'] < 5000
    shared = [row for row in below if row['parent'] == 0 and row['type'] == 'bytearray']
    assert len(shared) == 1 and 'label' not in shared[0] and shared[0]['retained'] > 50000, shared
    # A leaf hangs below its parent: owner, tree, children, list, ...
    shown = rows('show', snapshot, shared[0]['addr'], '-r')
    assert shown['idom'] in (owner['addr'], below[0].get('dict')), shown
    assert shown['dominators'][0]['addr'] == shown['idom'] and shown['retained_objects'] == 1
    # What a set shares is its own only together.
    pairs = rows('types', snapshot, '__main__.Pair', '-r')['types'][0]
    bound = [row for row in rows('types', snapshot, '-r')['types'] if row['type'] == 'Pair'][0]
    assert pairs['retained_exact'] and pairs['retained'] > 70000
    assert not bound['retained_exact'] and bound['retained'] < 5000
    # Garbage has a root of its own.
    sections = {row['section']: row for row in rows('dominators', snapshot)['rows'] if row['level'] == 0}
    assert sections['garbage']['retained'] > 30000 and sections['garbage']['objects'] >= 3
    # Its root refers to all that the collector would find: where an instance has a dict (before 3.11), to that as well.
    ring = rows('objects', snapshot, '--unreachable', '--min-retained', '30000')['objects']
    assert len(ring) == 1 and ring[0]['type'] in ('Ring', 'dict'), ring
    chain = rows('show', snapshot, ring[0]['addr'], '-r')['dominators']
    assert chain[-1]['name'] == 'garbage', chain


def main():
    failed = 0
    pythons = sys.argv[1:] or targets.pythons()
    # What the algorithms are given differs little by version: a large heap of the oldest and of the newest will do.
    by_version = sorted(pythons, key=lambda python: int(targets.version(python).split('.')[1].rstrip('d')))
    for python in pythons:
        tests = [known_shapes, the_heap_of_a_zoo] if python in (by_version[0], by_version[-1]) else [known_shapes]
        for test in tests:
            with contextlib.ExitStack() as stack:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix='ouro-retained-'))
                try:
                    test(python, folder)
                    print('ok: %s of %s' % (test.__name__, python), flush=True)
                except Exception as error:  # the next interpreter all the same
                    failed += 1
                    print('FAILED: %s of %s: %s: %s' % (test.__name__, python, type(error).__name__, error), flush=True)
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
