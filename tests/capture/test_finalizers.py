"""What runs code when objects are freed: which types have a __del__ in Python, a tp_finalize, a tp_del; which generators are suspended
inside of a try. On every interpreter of OURO_TEST_PYTHONS.

usage: test_finalizers.py [PYTHON ...]
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

DUMP = os.path.join(os.environ.get('top_builddir', '.'), 'tests', 'dump_snapshot')
BUILD = os.path.join(targets.FIXTURES, 'legacy', 'build.py')
FINALIZE, DEL, PYTHON = 4, 8, 256  # flags of types: docs/FORMAT.md
FAILED = []


def expect(condition, *words):
    if not condition:
        FAILED.append(words)
        print('FAIL', *words)


def lines_until(target, last):
    text = b''
    while not text.endswith(last + b'\n'):
        piece = os.read(target.process.stdout.fileno(), 65536)
        if not piece:
            raise RuntimeError('the target ended: ' + text.decode()[-300:])
        text += piece
    return [json.loads(line) for line in text.splitlines()]


def dump(pid, folder):
    path = os.path.join(folder, 's.ouro')
    result = targets.ouro('dump', pid, '-q', '-f', '-o', path)
    if result.returncode:
        raise RuntimeError(result.stderr.decode())
    return path


def flags_of_types_are_those_of_the_interpreter(python, folder):
    built = subprocess.run([sys.executable, BUILD, python, folder], stdout=subprocess.PIPE)
    expect(built.returncode in (0, 77), python, 'fixtures/legacy does not build')
    if built.returncode:
        print('skip: types with tp_del: %s' % built.stdout.decode().strip())
    with targets.target([python, '-W', 'ignore', os.path.join(targets.FIXTURES, 'finalizers.py')] + [folder] * (not built.returncode)) as t:
        truth = lines_until(t, b'}')[0]
        path = dump(t.pid, folder)
    text = subprocess.run([DUMP, 'print', path], stdout=subprocess.PIPE, check=True).stdout.decode()
    flags = {hex(int(words[1])): int(words[4]) for words in (line.split() for line in text.splitlines()) if words[0] == 'type'}
    seen = {'finalize': 0, 'del': 0, 'python': 0}
    for addr, t in truth.items():
        if addr not in flags:  # types that have no objects are not written down
            expect(not t['held'], python, t['name'], 'is missing')
            continue
        for key, flag in (('finalize', FINALIZE), ('del', DEL), ('python', PYTHON)):
            seen[key] += t[key]
            expect(bool(flags.get(addr, 0) & flag) == t[key], python, t['name'], key, 'should be', t[key])
    expect(seen['python'] > 10 and seen['finalize'] > seen['python'] + 4, python, seen)
    expect(built.returncode or seen['del'] >= 1, python, 'no type with tp_del')
    return len(truth)


def generators_in_a_try_are_those_that_run_code_when_closed(python, folder, *options):
    with targets.target([python, '-W', 'ignore', os.path.join(targets.FIXTURES, 'suspended.py'), *options]) as t:
        said = lines_until(t, b'"really"')
        path = dump(t.pid, folder)
        export = targets.ouro('export', path).stdout.splitlines()
        objects = {line['addr']: line for line in map(json.loads, export[1:])}
    truth = [line for line in said if isinstance(line, dict)]
    for line in truth:
        expect('wrong' not in line, python, options, line)
        if 'wrong' in line:
            continue
        object_ = objects.get(line['addr'])
        expect(object_ and object_['type'] in ('generator', 'coroutine', 'async_generator'), python, line, 'is missing')
        expect(object_ and object_.get('in_try', False) == line['in_try'], python, options, line['name'], 'in_try should be', line['in_try'])
    expect(sum(line['in_try'] for line in truth if 'in_try' in line) > 25, python, 'too few')
    inside = next(line for line in truth if line['name'] == 'in_finally')
    shown = targets.ouro('show', path, inside['addr']).stdout.decode()
    expect('suspended in a try' in shown, python, shown)
    expect(json.loads(targets.ouro('show', path, inside['addr'], '--json').stdout).get('in_try') is True, python, '--json')
    others = [o for o in objects.values() if o.get('in_try') and o['type'] not in ('generator', 'coroutine', 'async_generator')]
    expect(not others, python, others[:3])
    return len(truth)


def main():
    for python in sys.argv[1:] or targets.pythons():
        with tempfile.TemporaryDirectory() as folder:
            types = flags_of_types_are_those_of_the_interpreter(python, folder)
            generators = generators_in_a_try_are_those_that_run_code_when_closed(python, folder)
            generators_in_a_try_are_those_that_run_code_when_closed(python, folder, '--trace')
            print('%s: %d types, %d generators' % (python, types, generators), flush=True)
    print('%d failed' % len(FAILED))
    return 1 if FAILED else 0


if __name__ == '__main__':
    sys.exit(main())
