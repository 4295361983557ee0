"""Extension types whose traverses nobody can foresee: exact where they are well behaved, `approximate` where they are not, and
never harmful.

usage: test_extensions.py [PYTHON ...]

For each interpreter of OURO_TEST_PYTHONS that has its headers here fixtures/awkward is built and run.
"""
import collections
import json
import os
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import targets  # noqa: E402
import test_oracle  # noqa: E402

AWKWARD = os.path.join(targets.FIXTURES, 'awkward')
PROGRAM = os.path.join(AWKWARD, 'awkward_program.py')
BAD_S = 30  # for the whole dump of what never ends by itself; it takes a fraction of that
GOOD_BAD_TYPES = ('Writer',)  # writes, but what it visits is right
UNKNOWN_SIZE = ('EndlessSizeof', 'FailingSizeof', 'FaultingSizeof')
OBJECT_BYTES = 16  # PyObject_HEAD


class Case:
    """Counts what it says."""

    def __init__(self, python):
        self.python = python
        self.failed = 0

    def expect(self, condition, name, text=''):
        if not condition:
            self.failed += 1
        print('%s %s, %s%s' % ('ok  ' if condition else 'FAIL', self.python, name, '' if condition else ': %s' % (text,)))
        sys.stdout.flush()


def build(python, folder):
    """The words of why not, or None."""
    result = subprocess.run([sys.executable, os.path.join(AWKWARD, 'build.py'), python, folder], stdout=subprocess.PIPE)
    if result.returncode == 77:
        return result.stdout.decode().strip()
    if result.returncode:
        raise RuntimeError('fixtures/awkward does not build for %s' % python)
    return None


def awkward(line):
    return (line.get('module') or '').startswith('awkward_')


def good_program_equals_the_interpreter(case, modules):
    with tempfile.TemporaryDirectory() as folder:
        with targets.target([case.python, PROGRAM, 'good', modules, '--truth', folder], cwd=folder) as t:
            problem = test_oracle.snapshot(t.pid, folder)
            case.expect(problem is None, 'the good program is dumped', problem)
            if problem:
                return
            truth, export = compare.Truth(folder), compare.Export(folder + '/export.ndjson')
            report = compare.compare(truth, export, compare.Report())
            test_oracle.ask(folder, truth, export, report)
        case.expect(report.good, 'everything equals the interpreter\'s own account')
        if not report.good:
            report.print()
        ours = [line for line in export.lines if awkward(line)]
        case.expect(len({line['type'] for line in ours}) > 30 and len(ours) > 1000, 'the objects are there', len(ours))
        approximate = collections.Counter(compare.type_of(line) for line in export.lines if line.get('approximate') and line.get('gc') is not None)
        case.expect(not approximate or not compare.SANDBOX, 'no tracked object is approximate', dict(approximate))
        # The truth has no size where it failed: a negative one, for instance.
        estimated = collections.Counter(
            compare.type_of(line) for line in ours
            if line.get('size_estimated') and (truth.objects.get(line['addr']) or {'size': 0})['size'] is not None)
        case.expect(not estimated or not compare.SANDBOX, 'no size is estimated but for a __sizeof__ written in Python', dict(estimated))
        own_sizeof = [line for line in export.lines if truth.objects.get(line['addr'], {}).get('own_sizeof')]
        case.expect(len(own_sizeof) > 50 and all(line.get('size_estimated') for line in own_sizeof),
                    'a __sizeof__ written in Python is not run, and the size says so',
                    [compare.type_of(line) for line in own_sizeof if not line.get('size_estimated')][:5])
        check_labels(case, ours)


def check_labels(case, lines):
    """A field is labelled with its member's name, or by where it is."""
    if not compare.SANDBOX:
        return
    full = [line for line in lines if line['type'] == 'Labelled' and len(line['refs']) == 3]
    wanted = ['.first', '.+%#x' % (OBJECT_BYTES + 8), '.third']
    wrong = [line['labels'] for line in full if line['labels'] != wanted]
    case.expect(full and not wrong, 'fields are labelled with the names of members, else with offsets', wrong[:3])
    holed = [line for line in lines if line['type'] == 'Labelled' and len(line['refs']) < 3]
    wrong = [line['labels'] for line in holed if [label for label in wanted if label in line['labels']] != line['labels']]
    case.expect(holed and not wrong, 'a field that is NULL takes its label with it', wrong[:3])
    twice = [line for line in lines if line['type'] == 'Twice' and line['refs']]
    wrong = [line['labels'] for line in twice if line['labels'] != ['.value', '.value']]
    case.expect(twice and not wrong, 'a field that is visited twice is labelled twice', wrong[:3])
    guarded = [line for line in lines if line['type'] == 'Guarded' and line['refs']]
    allowed = {'.value', '.+%#x' % (OBJECT_BYTES + 16)}
    wrong = [line['labels'] for line in guarded if not allowed.issuperset(line['labels'])]
    case.expect(guarded and not wrong, 'a guarded field is labelled by itself and not by its guard', wrong[:3])
    array = [line for line in lines if line['type'] == 'Array' and line['refs']]
    wrong = [line['labels'] for line in array if {'.first', '.value'}.intersection(line['labels'])]
    case.expect(array and not wrong, 'what does not lie in the object has no name of a member', wrong[:3])
    heap = [line for line in lines if line['type'] == 'Heap' and '.named' in line['labels']]
    case.expect(heap, 'members of a heap type are named')


def answer(target):
    """What the target says of itself, when asked on its standard input."""
    target.process.stdin.write(b'?\n')
    target.process.stdin.flush()
    if not select.select([target.process.stdout], [], [], targets.TIMEOUT_S)[0]:
        return 'nothing'
    return target.process.stdout.readline().decode().strip()


def bad_program_is_flagged_and_unharmed(case, modules):
    with tempfile.TemporaryDirectory() as folder:
        with targets.target([case.python, PROGRAM, 'bad', modules], cwd=folder) as t:
            before = answer(t)
            case.expect(before == 'ALIVE 0 0 no code 0', 'nothing has run in the bad program', before)
            started = time.monotonic()
            try:
                dumped = targets.ouro('dump', t.pid, '-o', folder + '/s.ouro', timeout_s=BAD_S)
                problem = dumped.returncode and dumped.stderr.decode(errors='replace').strip()
            except subprocess.TimeoutExpired:
                problem = 'it took more than %d s' % BAD_S
            case.expect(not problem, 'the bad program is dumped in time', problem)
            print('     (%.1f s)' % (time.monotonic() - started))
            after = answer(t)
            case.expect(after == before, 'the target goes on as it was', after)
            if problem:
                return
            doctor = json.loads(targets.ouro('doctor', '--json', t.pid, timeout_s=BAD_S).stdout)
        verified = targets.ouro('verify', folder + '/s.ouro')
        case.expect(verified.returncode == 0, 'its snapshot is good', verified.stderr)
        with open(folder + '/export.ndjson', 'wb') as out:
            targets.ouro('export', folder + '/s.ouro', '--format', 'ndjson', stdout=out)
        check_bad_objects(case, compare.Export(folder + '/export.ndjson'), doctor)


def check_bad_objects(case, export, doctor):
    by_type = collections.defaultdict(list)
    for line in export.lines:
        if line.get('module') == 'awkward_bad':
            by_type[line['type']].append(line)
    report = compare.Report()
    compare.check_form(export, report)
    case.expect(report.good, 'no edge leads nowhere', list(report.groups.items())[:3])
    case.expect(len(by_type) > 25 and all(len(lines) == (500 if name == 'Endless' else 3) for name, lines in by_type.items()),
                'all objects are there', {name: len(lines) for name, lines in by_type.items()})
    for key in 'approximate', 'size_estimated':
        told = {t['type']: t[key] for t in doctor['types'] if t['module'] == 'awkward_bad'}
        flagged = {name: sum(1 for line in lines if line.get(key)) for name, lines in by_type.items()}
        case.expect(told == flagged, 'doctor counts what a dump flags as %s' % key,
                    {name: (told.get(name), flagged[name]) for name in flagged if told.get(name) != flagged[name]})
    exact = [name for name, lines in by_type.items()
             if name not in GOOD_BAD_TYPES + UNKNOWN_SIZE and not all(line.get('approximate') for line in lines)]
    case.expect(not exact, 'what can not be known is approximate', exact)
    if not compare.SANDBOX:
        return
    for name in GOOD_BAD_TYPES + UNKNOWN_SIZE:
        lines = by_type[name]
        right = [line for line in lines if not line.get('approximate') and
                 [export.objects[r]['type'] for r in line['refs']] == ['list']]
        case.expect(lines and len(right) == len(lines), '%s is exact' % name, lines[:1])
    guessed = [name for name in UNKNOWN_SIZE if not all(line.get('size_estimated') for line in by_type[name])]
    case.expect(not guessed, 'a size that can not be known says so', guessed)


def main():
    failed, count = 0, 0
    for python in sys.argv[1:] or targets.pythons():
        case = Case(python)
        with tempfile.TemporaryDirectory() as modules:
            reason = build(python, modules)
            if reason:
                print(reason)
                continue
            good_program_equals_the_interpreter(case, modules)
            bad_program_is_flagged_and_unharmed(case, modules)
        failed += case.failed
        count += 1
    print('%d interpreters, %d failed' % (count, failed))
    if not count:
        return 77
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
