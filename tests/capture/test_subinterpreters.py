"""Sub-interpreters: each interpreter's own gc.get_objects, get_referents and getsizeof against the snapshot, object by object, and
to whom each belongs.

usage: test_subinterpreters.py [PYTHON ...]
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import targets  # noqa: E402

PROGRAM = os.path.join(targets.FIXTURES, 'subinterpreters.py')
HAS_THEM = '''
import sys
if sys.version_info < (3, 9):
    sys.exit("all interpreters share one collector")
try:
    import _interpreters
except ImportError:
    import _xxsubinterpreters'''


def is_interned(line, ours):
    """The dict of interned strings: a string that ends in the twin, as it runs its answer, is in it no more."""
    return line['type'] == 'dict' and len(line['refs']) > 1000 and all(ours[r]['type'] == 'str' for r in line['refs'])


def compare_one(number, true, ours, report):
    tracked = {a: line for a, line in ours.items() if line['gc'] in (0, 1, 2) and line.get('interp', 0) == number}
    for address in true.keys() - tracked.keys():
        there = ours.get(address)
        report.differ('missing in interpreter %d' % number, true[address]['type'], '%s: %r' % (address, there))
    for address in tracked.keys() - true.keys():
        report.differ('not of interpreter %d' % number, tracked[address]['type'], repr(tracked[address])[:300])
    for address in true.keys() & tracked.keys():
        for field in 'type', 'module', 'refs', 'gc', 'size':
            if field == 'refs' and is_interned(tracked[address], ours) and set(true[address]['refs']) <= set(tracked[address]['refs']):
                continue
            if true[address][field] != tracked[address].get(field):
                report.differ('%s in interpreter %d' % (field, number), true[address]['type'],
                              '%s: true %r, ours %r' % (address, true[address][field], tracked[address].get(field)))
        if tracked[address].get('approximate'):
            report.differ('approximate in interpreter %d' % number, true[address]['type'], address)
    report.counts['objects of interpreter %d' % number] = len(true)
    kinds = collections.Counter(line['type'] for line in true.values())
    if kinds['Thing'] < 51 or kinds['generator'] < 50:
        report.differ('truth', 'too little', repr(kinds.most_common(5)))


def check(python):
    with tempfile.TemporaryDirectory() as folder, targets.target([python, PROGRAM, folder], cwd=folder) as t:
        for arguments, out in ((('dump', t.pid, '-o', folder + '/s.ouro'), None), (('verify', folder + '/s.ouro'), None),
                               (('export', folder + '/s.ouro'), folder + '/export.ndjson')):
            with open(out or os.devnull, 'wb') as stdout:
                result = targets.ouro(*arguments, stdout=stdout)
            if result.returncode:
                print('FAIL %s: ouro %s: %s' % (python, arguments[0], result.stderr.decode(errors='replace')))
                return False
        ours, report = compare.Export(folder + '/export.ndjson').objects, compare.Report()
        seen = {line.get('interp', 0) for line in ours.values()}
        if seen != {0, 1, 2}:
            report.differ('interpreters', 'numbers', repr(seen))
        for number in range(3):
            with open('%s/%d.jsonl' % (folder, number)) as lines:
                compare_one(number, {line['addr']: line for line in map(json.loads, lines)}, ours, report)
    print('%s %s' % ('ok  ' if report.good else 'FAIL', python))
    report.print()
    return report.good


def main():
    good, count = True, 0
    for python in sys.argv[1:] or targets.pythons():
        if subprocess.run([python, '-c', HAS_THEM], stderr=subprocess.DEVNULL).returncode:
            print('skip %s: it has no module to make interpreters with, or one collector for all of them (3.8)' % python)
            continue
        good = check(python) and good
        count += 1
    print('%d interpreters, %s' % (count, 'all equal' if good else 'some differ'))
    return 77 if not count else 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
