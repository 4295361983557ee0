"""A core gives the same snapshot as the process itself: each line of the export is equal, for every interpreter of OURO_TEST_PYTHONS.

usage: test_core.py [TEST ...]

Cores are written by gcore, and by Linux where /proc/sys/kernel/core_pattern lets them be files.
"""
import contextlib
import glob
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

USAGE, TARGET = 2, 3  # exit statuses: usage; the target can't be read
ZOO = os.path.join(targets.FIXTURES, 'zoo.py')
SMALL = os.path.join(targets.FIXTURES, 'small.py')
SEED = int(os.environ.get('OURO_TEST_SEED') or random.SystemRandom().randrange(10**6))
ROUNDS = int(os.environ.get('OURO_TEST_ROUNDS') or 100)
NO_CORES = None  # why Linux writes none for us
TESTS = []


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def expect(condition, *words):
    if not condition:
        raise Failed(' '.join(map(str, words)))


def why_no_cores():
    with open('/proc/sys/kernel/core_pattern') as file:
        pattern = file.read().strip()
    if '/' in pattern or pattern.startswith('|'):
        return 'kernel.core_pattern is %r: cores of Linux do not land in the folder of the test' % pattern
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        return 'no permission to raise the limit of cores'
    return None


@contextlib.contextmanager
def standing(folder, *command, **kwargs):
    with targets.target(command, cwd=folder, stderr=subprocess.DEVNULL, **kwargs) as target:
        yield target


def gcore(folder, pid, warnings=None):
    result = subprocess.run(['gcore', '-o', folder + '/gcore', str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=targets.TIMEOUT_S)
    path = '%s/gcore.%d' % (folder, pid)
    expect(os.path.exists(path), 'gcore wrote nothing:', result.stdout.decode(errors='replace'))
    if warnings is not None:
        warnings += re.findall('warning: Memory read failed.*at 0x(?!ffffffffff600000).*', result.stdout.decode(errors='replace'))
    return path


def crash(folder, target):
    """Ends the target by a signal that Linux writes a core for."""
    os.kill(target.pid, signal.SIGSEGV)
    target.process.wait(timeout=targets.TIMEOUT_S)
    found = glob.glob(folder + '/core*')
    expect(len(found) == 1, 'Linux wrote no core, or several:', found)
    return found[0]


def dump(folder, *arguments):
    """The lines of the export. One thread, so that what has no order of its own comes in one."""
    path = folder + '/dumped.ouro'
    result = targets.ouro('dump', *arguments, '-o', path, '-f', '--threads', 1)
    expect(result.returncode == 0, arguments, result.stderr.decode(errors='replace'))
    exported = targets.ouro('export', path)
    expect(exported.returncode == 0, exported.stderr.decode(errors='replace'))
    return exported.stdout.split(b'\n'), result.stderr.decode(), path


def refused(*arguments, status=TARGET, words=()):
    result = targets.ouro('dump', *arguments)
    said = result.stderr.decode(errors='replace')
    expect(result.returncode == status, arguments, 'status', result.returncode, said)
    for word in words:
        expect(word in said, arguments, 'does not say', repr(word), 'but:', said)
    return said


def meta(path):
    result = targets.ouro('info', '--json', path)
    expect(result.returncode == 0, result.stderr.decode())
    return json.loads(result.stdout)


def compare(what, expected, got):
    if expected == got:
        return
    for a, b in zip(expected, got):
        if a != b:
            raise Failed('%s: %s instead of %s' % (what, b[:600], a[:600]))
    raise Failed('%s: %d lines instead of %d' % (what, len(got), len(expected)))


def equal(python, folder, *program):
    with standing(folder, python, '-W', 'ignore', *program) as target:
        live, said, snapshot = dump(folder, target.pid)
        command = meta(snapshot)['meta']['process.command']
        compare('live again', live, dump(folder, target.pid)[0])
        warnings = []
        path = gcore(folder, target.pid, warnings)
        lines, said, snapshot = dump(folder, '--core', path)
        if warnings:  # glibc 2.42 has guard pages inside of the mappings of stacks: gdb 13 writes such as zeroes, from end to end
            print('  skip: not all lines of the core of gcore can be equal for %s: %s' % (python, warnings[0]))
        else:
            compare('gcore', live, lines)
            expect(meta(snapshot)['exact'], meta(snapshot)['findings'])
        expect('was not used: ' not in said.replace('own code and was not used: ', '') and 'cut off' not in said, said)
        information = meta(snapshot)
        expect(information['meta']['capture.mode'] == 'core', information['meta'])
        expect(information['meta']['core.file'] == os.path.basename(path), information['meta'])
        expect('core.missing' not in information['meta'], information['meta'])
        expect(information['meta']['pid'] == str(target.pid), information['meta'])
        # An explicit loader takes itself away from the arguments.
        expect(command.endswith(information['meta']['process.command']) and program[0] in information['meta']['process.command'],
               command, information['meta'])
        os.unlink(path)
        if NO_CORES:
            return len(live)
        path = crash(folder, target)
        compare('core of Linux', live, dump(folder, '--core', path)[0])
        os.unlink(path)
        return len(live)


@test
def a_core_is_equal_to_the_live_process(folder):
    expect(targets.pythons(), 'OURO_TEST_PYTHONS names no interpreter')
    for python in targets.pythons():
        count = equal(python, folder, ZOO)
        print('  %s: %d lines are equal' % (python, count))


@test
def the_page_tells_of_the_core(folder):
    with standing(folder, targets.pythons()[0], SMALL) as target:
        path = gcore(folder, target.pid)
    name = os.path.basename(path)
    page = targets.ouro('info', dump(folder, '--core', path)[2]).stdout.decode()
    expect('\ncore ' in page and name in page and 'stood still' not in page, page)
    result = targets.ouro('doctor', '--core', path)
    expect(result.returncode == 0 and name in result.stdout.decode(), result)
    expect('exact' in result.stdout.decode().split('Worth a look')[1], result.stdout.decode())
    result = targets.ouro('dump', '--core', path, '--json', '-o', folder + '/json.ouro')
    figures = json.loads(result.stdout)
    expect(figures['pid'] == target.pid and figures['core_missing'] == [], figures)


def copied(python, folder):
    """The program somewhere else, or a skip where it does not run from there."""
    os.mkdir(folder + '/bin')
    path = shutil.copy(os.path.realpath(python), folder + '/bin/python')
    if subprocess.run([path, '-c', 'import os'], stderr=subprocess.DEVNULL, env={**os.environ, 'PYTHONHOME': prefix(python)}).returncode:
        raise Skipped('%s does not run from another folder' % python)
    return path


def prefix(python):
    return subprocess.run([python, '-c', 'import sys; print(sys.base_prefix)'], stdout=subprocess.PIPE).stdout.decode().strip()


def static_python():
    """An interpreter that has the runtime in its program."""
    for python in targets.pythons():
        if b'_PyRuntime' in open(os.path.realpath(python), 'rb').read():
            return python
    raise Skipped('no interpreter of OURO_TEST_PYTHONS holds the runtime itself')


@test
def a_program_that_moved_is_found_with_exe_or_sysroot(folder):
    python = static_python()
    path = copied(python, folder)
    with standing(folder, path, SMALL, env={'PYTHONHOME': prefix(python)}) as target:
        live = dump(folder, target.pid)[0]
        core = gcore(folder, target.pid)
    os.makedirs(folder + '/root' + folder + '/bin')
    kept = shutil.copy(path, folder + '/root' + path)
    os.unlink(path)
    refused('--core', core, words=['--exe', path, 'no such file'])
    shutil.copy('/bin/ls', path)
    refused('--core', core, words=['--exe', path, 'build id'])
    refused('--core', core, '--exe', '/bin/ls', words=['build id'])
    compare('--exe', live, dump(folder, '--core', core, '--exe', kept)[0])
    compare('--sysroot', live, dump(folder, '--core', core, '--sysroot', folder + '/root')[0])


@test
def a_library_that_differs_is_not_used_and_named(folder):
    """Of another build there are the same symbols elsewhere: using it would be wrong without a sign."""
    python = static_python()
    path = copied(python, folder)
    with standing(folder, path, SMALL, env={'PYTHONHOME': prefix(python)}) as target:
        core = gcore(folder, target.pid)
    with open(path, 'r+b') as file:
        data = file.read()
        at = data.index(b'GNU\0', data.index(b'\x04\0\0\0\x14\0\0\0\x03\0\0\0')) + 4
        file.seek(at)
        file.write(bytes([data[at] ^ 1]))
    said = refused('--core', core, words=['build id', path])
    expect('no such file' not in said, said)


@test
def what_is_no_core_is_said(folder):
    with open(folder + '/empty', 'w'):
        pass
    elf = bytearray(64)
    elf[:20] = b'\x7fELF\x02\x01\x01' + bytes(9) + b'\x04\0\xb7\0'
    elf[20] = 1
    with open(folder + '/arm', 'wb') as file:
        file.write(elf)
    elf[4:5], elf[18] = b'\x01', 3
    with open(folder + '/small', 'wb') as file:
        file.write(elf)
    refused('--core', folder + '/empty', words=['not a core'])
    refused('--core', SMALL, words=['not a core'])
    refused('--core', os.environ.get('OURO', './ouro'), words=['not a core', 'program'])
    refused('--core', folder + '/none', words=['no core file'])
    refused('--core', folder + '/arm', words=['aarch64'])
    refused('--core', folder + '/small', words=['core', 'i386'])
    refused('--core', folder, status=USAGE, words=['not a regular file'])
    with subprocess.Popen(['sleep', '1000']) as sleeper:
        core = gcore(folder, sleeper.pid)
        sleeper.kill()
    refused('--core', core, words=['not a CPython process'])


@test
def options_that_make_no_sense_are_refused(folder):
    refused('--core', 'x', '1', status=USAGE, words=['not both'])
    refused('--core', 'x', '--timeout', '3', status=USAGE, words=['--timeout'])
    refused('1', '--exe', 'x', status=USAGE, words=['--exe'])
    refused('1', '--sysroot', 'x', status=USAGE, words=['--sysroot'])
    refused(status=USAGE, words=['--core'])
    expect(targets.ouro('doctor').returncode == USAGE, 'doctor without anything')


def kernel_core(folder, python, *program):
    if NO_CORES:
        raise Skipped(NO_CORES)
    with standing(folder, python, '-W', 'ignore', *program) as target:
        return crash(folder, target)


def segments(path):
    """(address, offset, size) of what the core holds."""
    text = subprocess.run(['readelf', '-lW', path], stdout=subprocess.PIPE).stdout.decode()
    rows = [line.split() for line in text.splitlines() if line.strip().startswith('LOAD')]
    return [(int(row[2], 16), int(row[1], 16), int(row[4], 16)) for row in rows]


@test
def a_core_that_is_cut_off_gives_what_it_holds(folder):
    core = kernel_core(folder, targets.pythons()[0], SMALL, '1', '3000')
    whole = len(dump(folder, '--core', core)[0])
    size = os.path.getsize(core)
    given, before = 0, whole
    for part in (99, 98, 97, 96, 94, 92, 88):
        os.truncate(core, size * part // 100)
        result = targets.ouro('dump', '--core', core, '-o', folder + '/cut.ouro', '-f', '--threads', 1)
        said = result.stderr.decode()
        expect(result.returncode in (0, TARGET), part, said)
        expect('the core is cut off' in said and 'segments' in said and ' missing: 0x' in said, said)
        if result.returncode:
            continue
        given += 1
        information = meta(folder + '/cut.ouro')
        expect('cut off' in information['meta']['core.missing'], information['meta'])
        expect('core-missing' in [finding['kind'] for finding in information['findings']], information['findings'])
        expect(information['objects'] <= before, part, information['objects'], 'objects, more than before:', before)
        before = information['objects']
        if before < whole * 9 // 10:
            expect(not information['exact'] and 'unreadable' in [f['kind'] for f in information['findings']], information['findings'])
    expect(given, 'no core that was cut gave anything')


@test
def a_core_without_the_runtime_says_which_segment_is_missing(folder):
    core = kernel_core(folder, static_python(), SMALL)
    held = segments(core)
    at = next(i for i, (_, _, size) in enumerate(held) if size > 400000)  # the program's data
    os.truncate(core, held[at][1] + 8192)
    refused('--core', core, words=['_PyRuntime', '0x%x-' % held[at][0], 'cut off'])
    os.truncate(core, 5000)
    refused('--core', core, words=['cut off'])


@test
def what_was_left_out_is_not_taken_for_zeroes(folder):
    """Without bit 0 of coredump_filter nothing that was written to is in the core."""
    if NO_CORES:
        raise Skipped(NO_CORES)
    with standing(folder, static_python(), SMALL) as target:
        with open('/proc/%d/coredump_filter' % target.pid, 'w') as file:
            file.write('0x10')
        core = crash(folder, target)
    refused('--core', core, words=['_PyRuntime', 'coredump_filter'])


@test
def everything_in_the_core_is_as_good_as_the_files(folder):
    if NO_CORES:
        raise Skipped(NO_CORES)
    with standing(folder, targets.pythons()[0], SMALL) as target:
        live = dump(folder, target.pid)[0]
        with open('/proc/%d/coredump_filter' % target.pid, 'w') as file:
            file.write('0x7f')
        core = crash(folder, target)
    compare('coredump_filter 0x7f', live, dump(folder, '--core', core)[0])


COLLECTING = '''
import gc, os, weakref
gc.disable()
class Node:
    pass
kept = [Node() for i in range(1000)]
def stand(ref):
    print('READY', os.getpid(), flush=True)
    os.read(0, 1)
a = Node()
a.me = a
ref = weakref.ref(a, stand)
del a
gc.collect()
'''


@test
def a_core_from_inside_of_a_collection_says_so(folder):
    for python in targets.pythons():
        with standing(folder, python, '-c', COLLECTING) as target:
            core = gcore(folder, target.pid)
        lines, said, snapshot = dump(folder, '--core', core)
        expect('inside of a garbage collection' in said, said)
        expect('collecting' in [finding['kind'] for finding in meta(snapshot)['findings']], meta(snapshot)['findings'])
        expect(sum(b'"type":"Node"' in line for line in lines) >= 1000, python, 'kept objects are missing')


def peak_anonymous_kib(*arguments):
    """The most anonymous memory that a run of ouro was seen to have; what is read stays until it is written."""
    peak = 0
    with subprocess.Popen([targets.OURO, *map(str, arguments)], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with contextlib.suppress(OSError, StopIteration), open('/proc/%d/status' % process.pid) as file:
                peak = max(peak, next(int(line.split()[1]) for line in file if line.startswith('RssAnon')))
        expect(process.returncode == 0, arguments, 'status', process.returncode)
    return peak


@test
def a_large_core_is_not_read_into_memory(folder):
    program = 'import os, sys; kept = [bytearray(b"x") * (1 << 20) for i in range(%d)]; print("READY", os.getpid(), flush=True); ' \
        'sys.stdin.read()'
    peaks, sizes = [], []
    for mib in (1, 400):
        with standing(folder, targets.pythons()[0], '-c', program % mib) as target:
            core = gcore(folder, target.pid)
        sizes.append(os.path.getsize(core) >> 10)
        peaks.append(peak_anonymous_kib('dump', '--core', core, '-o', folder + '/large.ouro', '-f', '--threads', 1))
        os.unlink(core)
    print('  cores of %d and %d KiB: %d and %d KiB of anonymous memory' % (*sizes, *peaks))
    expect(sizes[1] - sizes[0] > 390 << 10, sizes)
    expect(peaks[1] - peaks[0] < (sizes[1] - sizes[0]) // 8, 'peaks', peaks, 'of cores of', sizes)


@test
def damaged_cores_are_refused_or_read(folder):
    """Headers and notes, where the damage is; a crash would end by a signal."""
    core = kernel_core(folder, targets.pythons()[0], SMALL)
    chance = random.Random(SEED)
    end = min(offset for _, offset, size in segments(core) if size)
    statuses = {}
    with open(core, 'r+b') as file:
        clean = file.read(end)
        for _ in range(ROUNDS):
            damaged = bytearray(clean)
            for _ in range(chance.choice((1, 1, 2, 5, 20))):
                at = chance.randrange(chance.choice((64, 4096, end)))
                size = chance.choice((1, 1, 2, 4, 8))
                damaged[at:at + size] = chance.choice((chance.randbytes(size), b'\xff' * size, bytes(size)))[:max(0, end - at)]
            file.seek(0)
            file.write(damaged)
            file.flush()
            result = targets.ouro('dump', '--core', core, '-o', folder + '/damaged.ouro', '-f')
            expect(result.returncode in (0, TARGET), 'status', result.returncode, result.stderr.decode(errors='replace')[-2000:])
            expect(b'ERROR: ' not in result.stderr and b'runtime error' not in result.stderr, result.stderr.decode(errors='replace'))
            statuses[result.returncode] = statuses.get(result.returncode, 0) + 1
    print('  status: how often: %s' % statuses)
    expect(set(statuses) == {0, TARGET} or ROUNDS < 20, 'only', statuses)


def main():
    global NO_CORES
    wanted = sys.argv[1:]
    if not shutil.which('gcore'):
        print('skip: there is no gcore (package gdb)')
        return 77
    NO_CORES = why_no_cores()
    print('OURO_TEST_SEED=%d' % SEED)
    if NO_CORES:
        print('skip of what needs the cores of Linux: %s' % NO_CORES)
    failed = 0
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='ouro-core-') as folder:
            try:
                function(folder)
                print('ok: %s (%.1f s)' % (function.__name__, time.monotonic() - start), flush=True)
            except Skipped as reason:
                print('skip: %s: %s' % (function.__name__, reason))
            except Exception as error:  # noqa: BLE001
                failed += 1
                print('FAILED: %s: %s: %s' % (function.__name__, type(error).__name__, error), flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
