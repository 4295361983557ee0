#!/usr/bin/env python3
"""ouro diff names the container that leaks: for each program of fixtures/leaks.py, two snapshots with rounds of work between them.

The first two interpreters of OURO_TEST_PYTHONS are asked; OURO_TEST_DIFF=all: all of them. Arguments: kinds, default all.
"""
import concurrent.futures
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

REUSE = os.path.join(targets.FIXTURES, 'reuse.py')
LEAKS = os.path.join(targets.FIXTURES, 'leaks.py')
EXTENSION = os.path.join(targets.FIXTURES, 'leaky_extension.c')
ROUNDS = 4
MODES = 'quiet', 'collect', 'freeze'  # of fixtures/reuse.py
FAILED = []


def expect(condition, name, text=''):
    if not condition:
        FAILED.append(name)
    print('%s %s%s' % ('ok  ' if condition else 'FAIL', name, '' if condition else ': %s' % (text,)), flush=True)


def build_extension(python, folder):
    """The words of why not, or None."""
    program = 'import sysconfig; print(sysconfig.get_paths()["include"]); print(sysconfig.get_paths()["platinclude"])'
    folders = subprocess.run([python, '-c', program], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    if not os.path.exists(os.path.join(folders[0], 'Python.h')):
        return 'no headers of %s' % python
    compiler = os.environ.get('CC', 'cc').split()
    command = [*compiler, '-shared', '-fPIC', '-O1', *('-I' + f for f in folders), EXTENSION, '-o', os.path.join(folder, 'leaky.so')]
    subprocess.run(command, check=True)
    return None


def step(target):
    target.process.stdin.write(b'\n')
    target.process.stdin.flush()
    line = target.process.stdout.readline()
    if line != b'ready\n':
        raise RuntimeError('the fixture said %r' % line)


def dump(target, path):
    result = targets.ouro('dump', target.pid, '-qf', '-o', path)
    if result.returncode:
        raise RuntimeError('dump: %r' % result.stderr)


def diff(*arguments):
    result = targets.ouro('diff', *arguments, '--json')
    if result.returncode:
        raise RuntimeError('diff: status %d, %r' % (result.returncode, result.stderr))
    return json.loads(result.stdout)


@contextlib.contextmanager
def snapshots(python, kind, folder):
    """Paths: after the first round, the second and the last."""
    paths = [os.path.join(folder, '%s-%d.ouro' % (kind, i)) for i in range(3)]
    with targets.target([python, LEAKS, kind], env={'PYTHONPATH': folder}) as t:
        for i in range(ROUNDS):
            step(t)
            if i in (0, 1, ROUNDS - 1):
                dump(t, paths[2 if i == ROUNDS - 1 else i])
        yield paths
    for path in paths:
        os.unlink(path)


def growing(answer):
    return [row for row in answer['paths'] if row['bytes_change'] > 0 and row['root'] != 'garbage']


def sums_are_differences(answer, name):
    for kind in 'count', 'bytes':
        change = answer['totals'][kind]['change']
        rows = answer['paths'] + [answer['below_threshold'], answer['suppressed']]
        expect(sum(row[kind + '_change'] for row in rows) == change, '%s, sums of %s over paths' % (name, kind))
        expect(sum(row[kind]['change'] for row in answer['types']) == change, '%s, sums of %s over types' % (name, kind))


def names_the_container(python, kind, truth, folder):
    name = '%s, %s' % (python, kind)
    with snapshots(python, kind, folder) as (first, second, last):
        answer = diff(first, last)
        expect(answer['same_process'], name + ', one process')
        sums_are_differences(answer, name)
        rows = growing(answer)
        if kind == 'none':
            expect(not rows, name + ', nothing above the threshold', [(r['path'], r['bytes_change']) for r in rows])
            return
        row = rows[0] if rows else {'root': None, 'path': 'nothing grew', 'container': None}
        container = row['container'] or {'expression': ''}
        said = (row['path'], container['expression'], row['root'])
        if truth['root']:
            expect(row['root'] == truth['root'], name + ', kind of root', said)
        if truth['expression']:
            expect(re.search(truth['expression'], container['expression']), name + ', container', said)
        if kind == 'module_cache':
            expect(container['length_after'] - container['length_before'] == 150 * (ROUNDS - 1), name + ', lengths', container)
            steps = diff(first, second, last)
            expect(growing(steps)[0].get('trend') == 'every step', name + ', every step', growing(steps)[0])
            expect(not diff(last, last)['paths'], name + ', no difference from itself')
            turned = diff(last, first)
            expect(sorted((r['path'], -r['bytes_change'], -r['count_change']) for r in turned['paths']) ==
                   sorted((r['path'], r['bytes_change'], r['count_change']) for r in answer['paths']), name + ', mirror')


def reused_slots_are_no_certain_survivors(python, mode, folder):
    name = '%s, reuse %s' % (python, mode)
    paths, truths = [os.path.join(folder, 'reuse-%d.ouro' % i) for i in range(2)], []
    with targets.target([python, REUSE, mode]) as t:
        for path in paths:
            t.process.stdin.write(b'\n')
            t.process.stdin.flush()
            truths.append(json.loads(t.process.stdout.readline()))
            dump(t, path)
    before, after = truths
    verdicts = {o['addr']: o for o in diff(*paths, '--by', 'object')['objects']['each'] if o['verdict'] != 'gone'}
    reused = {a for a in after if a in before and before[a] != after[a]}
    survived = {a for a in after if a in before and before[a] == after[a]}
    expect(len(reused) > 500, name + ', slots are used again', len(reused))
    wrong = [verdicts[a] for a in reused if verdicts[a]['verdict'] == 'survived' and verdicts[a]['certain']]
    expect(not wrong, name + ', no certain survivor is another object', (len(wrong), wrong[:3]))
    wrong = [verdicts[a] for a in survived if verdicts[a]['verdict'] == 'new' and verdicts[a]['certain']]
    expect(not wrong, name + ', no certain newcomer is a survivor', (len(wrong), wrong[:3]))
    wrong = [verdicts[a] for a in after if a not in before and verdicts[a]['verdict'] != 'new']
    expect(not wrong, name + ', what has a fresh address is new', wrong[:3])
    expect(sum(verdicts[a]['verdict'] == 'survived' for a in survived) > len(survived) * 0.9, name + ', survivors are recognised')
    if mode == 'quiet' and python_minor(python) < 14:
        certain = sum(verdicts[a]['certain'] for a in survived if verdicts[a]['verdict'] == 'survived')
        expect(certain > 500, name + ', some survivors are certain', certain)


def python_minor(python):
    said = subprocess.run([python, '-c', 'import sys; print(sys.version_info[1])'], stdout=subprocess.PIPE, check=True)
    return int(said.stdout)


def supported(python, kind, folder):
    if kind == 'c_extension':
        return build_extension(python, folder)
    return None


def case(python, kind, truth):
    with tempfile.TemporaryDirectory() as folder:
        why = kind not in MODES and supported(python, kind, folder)
        if why:
            print('skip %s, %s: %s' % (python, kind, why), flush=True)
        elif kind in MODES:
            reused_slots_are_no_certain_survivors(python, kind, folder)
        else:
            names_the_container(python, kind, truth[kind], folder)


def main():
    pythons = targets.pythons()
    if os.environ.get('OURO_TEST_DIFF') != 'all':
        pythons = pythons[:2]
    truth = json.loads(subprocess.run([sys.executable, LEAKS, '--truth'], stdout=subprocess.PIPE, check=True).stdout)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        cases = {pool.submit(case, python, kind, truth): '%s, %s' % (python, kind)
                 for python in pythons for kind in sys.argv[1:] or [*truth, *MODES]}
        for done in concurrent.futures.as_completed(cases):
            if done.exception():
                expect(False, cases[done], repr(done.exception()))
    print('%d failed' % len(FAILED))
    return 1 if FAILED else 0


if __name__ == '__main__':
    sys.exit(main())
