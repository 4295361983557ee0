"""The table of interned strings: a root, which keeps what is interned for ever and nothing else; counts of references stay explained.

usage: test_interned.py
"""
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

# Strings that one list holds; that only the table holds (of sys.intern only 3.12 makes such); that have lost an owner.
PROGRAM = '''
import ctypes, os, sys
def text(kind, i):
    return '%s, number %d' % (kind, i)
HELD = [sys.intern(text('held', i)) for i in range(500)]
for i in range(300):
    if sys.version_info[:2] == (3, 12):
        sys.intern(text('for ever', i))
    else:
        ctypes.pythonapi.PyUnicode_InternImmortal(ctypes.byref(ctypes.py_object(text('for ever', i))))
for i in range(40):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(sys.intern(text('leaked', i))))
print('READY', os.getpid(), flush=True)
sys.stdin.readline()
'''
KINDS = {'held': 500, 'for ever': 300, 'leaked': 40}
FAILED = []


def expect(good, name, said=''):
    print('%s %s%s' % ('ok  ' if good else 'FAIL', name, '' if good else ': %s' % (said,)), flush=True)
    if not good:
        FAILED.append(name)


def export(python, path):
    with targets.target([python, '-W', 'ignore', '-c', PROGRAM]) as t:
        result = targets.ouro('dump', '-q', '-f', '-o', path, t.pid)
    if result.returncode:
        raise RuntimeError('dump: %r' % result.stderr)
    result = targets.ouro('export', '--format', 'ndjson', '--retained', path)
    if result.returncode:
        raise RuntimeError('export: %r' % result.stderr)
    return {line['addr']: line for line in map(json.loads, result.stdout.splitlines()[1:])}


def check(python, folder):
    version = tuple(int(part) for part in targets.version(python).rstrip('d').split('.'))
    path = os.path.join(folder, 's.ouro')
    objects = export(python, path)
    strings = {kind: [] for kind in KINDS}
    for line in objects.values():
        match = re.fullmatch(r"'(held|for ever|leaked), number \d+'", line.get('value', ''))
        if match and line['type'] == 'str':
            strings[match.group(1)].append(line)
    for kind, count in KINDS.items():
        expect(len(strings[kind]) == count, '%s, strings that are %s are there' % (python, kind), len(strings[kind]))
    roots = [line for line in objects.values() if line.get('name') == 'interned strings']
    expect(len(roots) == 1 and len(roots[0]['refs']) == 1, python + ', the table is a root', roots)
    table = objects[roots[0]['refs'][0]]
    kept, weak = set(table['refs']) | set(table.get('hidden', [])), set(table.get('weak', []))
    expect(table['type'] == 'dict' and not table.get('unexplained'), python + ', the table is a dict that its interpreter holds',
           {key: table.get(key) for key in ('type', 'refcount', 'unexplained')})
    ever = {line['addr'] for line in strings['for ever']}
    expect(ever <= kept and all(line['idom'] == table['addr'] for line in strings['for ever']), python + ', the table keeps what is there for ever')
    mortal = {line['addr'] for kind in ('held', 'leaked') for line in strings[kind] if not line.get('immortal')}
    expect(bool(mortal) == (version != (3, 12)), python + ', strings of sys.intern are mortal, but for 3.12', len(mortal))
    if version < (3, 14): # later the collector has the table, and it is told as gc.get_referents does
        expect(mortal <= weak and not mortal & kept, python + ', the table refers to mortal strings weakly', len(mortal - weak))
        holders = {line.get('idom') for line in strings['held'] if not line.get('immortal')}
        expect(holders <= {line['addr'] for line in objects.values() if line['type'] == 'list'}, python + ', the list retains its strings', holders)
    odd = [line for kind in ('held', 'for ever') for line in strings[kind] if line.get('unexplained')]
    expect(not odd, python + ', every reference to these is explained', odd[:3])
    found = [line for line in strings['leaked'] if line.get('unexplained') == 1 or line.get('immortal')]
    expect(len(found) == 40, python + ', a lost reference to an interned string is found', len(found))
    result = targets.ouro('path', path, strings['held'][7]['addr'])
    expect(b"HELD[" in result.stdout and b'interned strings' not in result.stdout, python + ', paths lead through the table only where nothing else does',
           result.stdout)
    result = targets.ouro('path', path, strings['for ever'][7]['addr'])
    expect(b'interned strings' in result.stdout, python + ', a path to what only the table has', result.stdout)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for python in targets.few_pythons():
            check(python, folder)
    print('%d failed' % len(FAILED))
    return 1 if FAILED else 0


if __name__ == '__main__':
    sys.exit(main())
