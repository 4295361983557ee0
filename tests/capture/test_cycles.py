"""`ouro cycles` against programs that know their cycles, and against the components of the exported graph."""
import json
import os
import re
import tempfile

from targets import FIXTURES, ouro, pythons, target, version


def run(*arguments):
    result = ouro(*arguments)
    assert result.returncode == 0, (arguments, result.stderr)
    return result.stdout


def snapshot(command, folder):
    """Dumps the program; yields the file and the JSON line that follows READY, if it prints one."""
    path = os.path.join(folder, 'heap.ouro')
    with target(command) as t:
        truth = json.loads(t.process.stdout.readline()) if command[1].endswith('cycles.py') else None
        run('dump', '-q', '-f', t.pid, '-o', path)
    return path, truth


def check_patterns(path, truth, python):
    """Each kind is one row alive and one row of garbage, with the right count; the advice names what should be weak."""
    page = json.loads(run('cycles', path, '--json', '--advise', '--all'))
    rows = {}
    for row in page['patterns']:
        rows.setdefault((row['pattern'], row['unreachable']), []).append(row)
    for kind in truth:
        for state, unreachable in (('live', False), ('garbage', True)):
            glob = re.escape(kind['pattern']).replace(re.escape('.*'), '.*')
            found = [r for (p, u), rs in rows.items() for r in rs if re.fullmatch(glob, p) and u == unreachable]
            assert len(found) == 1, (python, kind, state, sorted(p for p, u in rows if u == unreachable and p[0] != '<'))
            row = found[0]
            assert row['count'] == kind[state], (python, state, kind, row)
            assert row['retained'] >= row['shallow'] > 0, (python, row)
            weaken = [cut['reference'] for cut in row['advice']['weaken']]
            assert kind['weaken'] is None or weaken == kind['weaken'], (python, kind, weaken)
            assert row['advice']['acyclic'] == bool(weaken), (python, row)
            if kind['weaken'] is None:
                assert len(weaken) == 1 and row['advice']['smallest'], (python, row)
            finalizes = kind['pattern'] == 'Finalized.me' or 'generator' in kind['pattern']
            assert (row['advice']['finalizers'] > 0) == finalizes, (python, row['advice'])
    garbage = json.loads(run('cycles', path, '--json', '--garbage'))['patterns']
    assert sum(r['count'] for r in garbage) == sum(k['garbage'] for k in truth), [r['pattern'] for r in garbage]
    rows = json.loads(run('garbage', path, '--json'))['patterns']
    assert [(r['pattern'], r['objects']) for r in sorted(rows, key=str)] == [(r['pattern'], r['objects'])
                                                                             for r in sorted(garbage, key=str)], rows
    live = json.loads(run('cycles', path, '--json', '--live'))['patterns']
    assert not any(r['unreachable'] for r in live) and all(r['unreachable'] for r in garbage)


def components(nodes, edges):
    """Strongly connected components with a cycle (Kosaraju: two searches, nothing clever)."""
    back = {v: [] for v in nodes}
    for v in nodes:
        for w in edges[v]:
            back[w].append(v)
    order, seen = [], set()
    for start in nodes:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(edges[start]))]
        while stack:
            v, targets = stack[-1]
            for w in targets:
                if w not in seen:
                    seen.add(w)
                    stack.append((w, iter(edges[w])))
                    break
            else:
                order.append(v)
                stack.pop()
    found, assigned = [], set()
    for start in reversed(order):
        if start in assigned:
            continue
        assigned.add(start)
        members, stack = [], [start]
        while stack:
            v = stack.pop()
            members.append(v)
            for w in back[v]:
                if w not in assigned:
                    assigned.add(w)
                    stack.append(w)
        if len(members) > 1 or start in edges[start]:
            found.append(set(members))
    return found


def inherits(objects, class_address, wanted):
    """Follows __base__, from a class object, as the export has it."""
    while class_address is not None:
        if class_address == wanted:
            return True
        o = objects[class_address]
        class_address = dict(zip(o['labels'], o['refs'])).get('__base__')
    return False


def find_kinds(objects):
    """Classes, modules, their namespaces: what the first layers do not follow."""
    by_name = {}
    for o in objects.values():
        if o['type'] == 'type' and o.get('value', '').startswith('builtins.'):
            by_name[o['value']] = o['addr']
    metaclasses = {'type'}
    for o in objects.values():
        if inherits(objects, o['addr'], by_name['builtins.type']) and o.get('value'):
            metaclasses.add((o['value'].rpartition('.')[0], o['value'].rpartition('.')[2]))
    classes, modules = set(), set()
    for o in objects.values():
        labelled = dict(zip(o['labels'], o['refs']))
        if (o['module'], o['type']) in metaclasses or o['type'] == 'type':
            classes.add(o['addr'])
        if o['type'] == 'module' and o['module'] == 'builtins' or o['type'].endswith('_lazy_module'):
            modules.add(o['addr'])
            if '__dict__' in labelled:
                modules.add(labelled['__dict__'])
        if o['type'] == 'function' and '__closure__' in labelled:
            names = free_variables(objects, labelled)
            cells = objects[labelled['__closure__']]
            for name, label in zip(names, ('[%d]' % i for i in range(len(names)))):
                contents = objects[dict(zip(cells['labels'], cells['refs']))[label]]
                if name == '__classdict__' and contents['refs']:
                    classes.add(contents['refs'][0])
    return classes, modules


def free_variables(objects, function):
    code = objects[function['__code__']]
    hidden = dict(zip(code.get('hidden_labels', ()), code.get('hidden', ())))
    count = len(objects[function['__closure__']]['refs'])
    names = objects[hidden.get('co_localsplusnames') or hidden['co_freevars']]
    refs = [a for label, a in sorted(zip(names['labels'] + names.get('hidden_labels', []), names['refs'] + names.get('hidden', [])),
                                     key=lambda pair: int(pair[0][1:-1]))]
    return [objects[a].get('value', '')[1:-1] for a in refs[-count:]]


def check_components(path, python):
    """Every object on a cycle is in exactly one row, of the layer that the graph says."""
    lines = run('export', path, '--format', 'ndjson').splitlines()[1:]
    objects = {o['addr']: o for o in map(json.loads, lines) if o['type'] != '<root>'}
    nodes = list(objects)
    edges = {a: [t for t in o['refs'] + o.get('hidden', []) if t in objects] for a, o in objects.items()}
    classes, modules = find_kinds(objects)
    page = json.loads(run('cycles', path, '--json', '--all'))
    counted = set()
    for layer, closed in (('plain', classes | modules), ('classes', modules), ('all', set())):
        found = components(nodes, {v: [w for w in edges[v] if w not in closed] for v in nodes})
        fresh = [c - counted for c in found]
        rows = [r for r in page['patterns'] if r['layer'] == layer]
        assert sum(r['objects'] for r in rows) == sum(map(len, fresh)), (python, layer)
        assert sum(r['count'] for r in rows) == sum(1 for c in fresh if c), (python, layer)
        members = set().union(*found) if found else set()
        assert all(r['example'] in members for r in rows), (python, layer)
        counted |= members
    assert page['folded']['objects'] == 0
    short = json.loads(run('cycles', path, '--json'))
    assert short['objects'] + short['folded']['objects'] == page['objects'] == len(counted), python
    assert short['shallow'] + short['folded']['shallow'] == page['shallow'], python


SUBCLASSES = r'''
import os, sys, types
class Meta(type): pass
class MetaMeta(Meta): pass
class Modular(types.ModuleType): pass
class A(metaclass=MetaMeta):
    registry = []
    def f(self): return __class__
A.registry.append(A())
m = Modular('m'); m.me = m; sys.modules['m'] = m
exec('def g(): return g', m.__dict__)
ns = {}; exec('def h(): return h', ns)
print('READY', os.getpid(), flush=True); sys.stdin.read()
'''

COMPARED = {'_lazy_module'}


def check_folded(folder, python):
    """Metaclasses without instances of their own bases, subclasses of module: structure all the same."""
    program = os.path.join(folder, 'subclasses.py')
    with open(program, 'w') as f:
        f.write(SUBCLASSES)
    path, _ = snapshot([python, program], folder)
    patterns = [r['pattern'] for r in json.loads(run('cycles', path, '--json'))['patterns']]
    assert not [p for p in patterns if 'Meta' in p or 'Modular' in p or 'class __main__' in p], patterns
    assert any(p.startswith('h.__globals__') for p in patterns), patterns # a namespace that is no module's
    everything = json.loads(run('cycles', path, '--json', '--all'))['patterns']
    assert any(r['layer'] == 'classes' and 'class __main__.A>' in r['pattern'] for r in everything)


def main():
    for python in pythons():
        with tempfile.TemporaryDirectory() as folder:
            path, truth = snapshot([python, os.path.join(FIXTURES, 'cycles.py')], folder)
            check_patterns(path, truth, python)
            check_components(path, python)
            check_folded(folder, python)
        print('cycles of %s: as its program says' % version(python))


if __name__ == '__main__':
    main()
