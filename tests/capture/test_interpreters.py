"""Each object belongs to the interpreter that it lives in, also where all of them share one collector (3.8).

usage: test_interpreters.py [PYTHON ...]
"""
import collections
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'snapshot'))
import compare  # noqa: E402
import reader  # noqa: E402
import targets  # noqa: E402

PROGRAM = r'''
import gc, sys
gc.disable()
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
CODE = """
import gc, operator, threading
gc.disable()
class Thing%d: pass
def function_of_%d(): yield
things = [Thing%d() for i in range(20)]
for thing in things:
    thing.own = [thing, function_of_%d, function_of_%d()]
lost = Thing%d()
lost.own = [lost]
del lost, thing
"""
exec(CODE.replace('%d', '0'))
ids = [interpreters.create(), interpreters.create()]  # an interpreter ends with its id
for i in 1, 2:
    interpreters.run_string(ids[i - 1], CODE.replace('%d', str(i)))
if len(sys.argv) > 1:
    import truth
    truth.stand(sys.argv[1])
'''


def owners(folder):
    """{name of the type: {interpreter: count}} of the tracked objects whose types or names the program made."""
    snapshot = reader.Snapshot(folder + '/s.ouro')
    export = compare.Export(folder + '/export.ndjson')
    found = collections.defaultdict(collections.Counter)
    total = collections.Counter()
    for addr, _, _, _, _, _, interpreter, _, _ in snapshot.objects:
        line = export.objects[hex(addr)]
        if line['gc'] is None:
            continue
        total[interpreter] += 1
        for name in (line['type'], line.get('value', '').partition(' ')[0].rpartition('.')[2]):
            if name.startswith(('Thing', 'function_of_')):
                found[line['type'] if line['type'] != name else 'instance', name][interpreter] += 1
    return found, total


def check(python):
    """What is wrong, or None; 'skip: ...'."""
    with tempfile.TemporaryDirectory() as folder:
        program = folder + '/program.py'
        with open(program, 'w') as out:
            out.write('import sys\nsys.path.insert(0, %r)\n' % targets.FIXTURES + PROGRAM)
        try:
            with targets.target([python, program, folder], cwd=folder) as t:
                for arguments in (('dump', t.pid, '-o', folder + '/s.ouro', '--codec', 'zlib', '-q'), ('verify', folder + '/s.ouro')):
                    result = targets.ouro(*arguments)
                    if result.returncode:
                        return 'ouro %s: %s' % (arguments[0], result.stderr.decode(errors='replace'))
                with open(folder + '/export.ndjson', 'wb') as out:
                    targets.ouro('export', folder + '/s.ouro', '--format', 'ndjson', stdout=out)
        except RuntimeError as error:
            return 'skip: no sub-interpreters: %s' % error
        found, total = owners(folder)
        if set(total) != {0, 1, 2}:
            return 'interpreters are %s' % dict(total)
        for i in range(3):
            for kind, name, count in ('instance', 'Thing%d' % i, 21), ('type', 'Thing%d' % i, 1), ('function', 'function_of_%d' % i, 1):
                if found[kind, name] != {i: count}:
                    return '%s %s: %s' % (kind, name, dict(found[kind, name]))
        truth, export = compare.Truth(folder), compare.Export(folder + '/export.ndjson')
        ours = {line['addr'] for line in export.lines if line.get('unreachable')}
        theirs = truth.unreachable
        if not truth.head['python'].startswith('3.8.'):
            # The main interpreter's collector says nothing of the others.
            main = {hex(o[0]) for o in reader.Snapshot(folder + '/s.ouro').objects if not o[6]}
            ours &= main
        if ours != theirs or not theirs:
            return 'unreachable: %d are ours only, %d are not ours' % (len(ours - theirs), len(theirs - ours))
    return None


def main():
    failed = count = 0
    for python in sys.argv[1:] or targets.pythons():
        problem = check(python)
        if problem and problem.startswith('skip: '):
            print(problem)
            continue
        print('%s %s%s' % ('FAIL' if problem else 'ok  ', python, ': ' + problem if problem else ''))
        failed += problem is not None
        count += 1
    print('%d interpreters, %d failed' % (count, failed))
    return 77 if not count else 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
