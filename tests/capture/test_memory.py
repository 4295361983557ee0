"""Bounded memory: with --memory the snapshot is the same, the peak stays under the limit, and what can't work is refused.

usage: test_memory.py [TEST ...]
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402
from targets import OTHER, TARGET, USAGE, Failed, check  # noqa: E402

MIB = 1 << 20
# Which two objects of a type are compared with its own code depends on who is met first: how many could be does not belong here.
FIGURES = ('objects', 'edges', 'tracked', 'types', 'size_bytes', 'native_bytes', 'approximate', 'torn', 'disagreed', 'run_failed', 'unreadable')
TESTS = []
test = targets.adds_to(TESTS)


def two_pythons():
    few = targets.few_pythons()
    return few if os.environ.get('OURO_TEST_ALL') else sorted({few[0], few[-1]})


def fixture(name, *arguments):
    return [os.path.join(targets.FIXTURES, name), *arguments]


# The parent's own peak would count as that of what it starts: this does nothing but wait for it.
MEASURE = '''
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
sys.stderr.write("\\nPEAK %d" % (usage.ru_maxrss * 1024))
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)
'''


def dump(pid, path, *options, status=0):
    """The answer of --json, with the peak of resident memory as the kernel counts it; where it fails what was said."""
    command = [sys.executable, '-ISE', '-c', MEASURE, os.path.abspath(targets.OURO), 'dump', str(pid), '-f', '--json', '-o', path, *options]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=targets.TIMEOUT_S)
    said, _, peak = result.stderr.decode().rpartition('\nPEAK ')
    check(result.returncode == status, 'dump %s: status %d: %s' % (' '.join(options), result.returncode, said))
    if status:
        return said
    answer = json.loads(result.stdout)
    answer['peak'], answer['said'] = int(peak), said
    return answer


def export(path):
    result = targets.ouro('export', path)
    check(result.returncode == 0, 'export: %s' % result.stderr.decode())
    return result.stdout


def least(pid, path, *options):
    """The smallest limit that is taken, from the words of the refusal."""
    said = dump(pid, path, '--memory', '1M', *options, status=TARGET)
    check('at least' in said and 'is needed for a process of' in said, said)
    return int(said.split('at least ')[1].split('M ')[0])


def runs(pid):
    with open('/proc/%d/stat' % pid) as stat:
        state = stat.read().rpartition(')')[2].split()[0]
    with open('/proc/%d/status' % pid) as status:
        tracer = [line for line in status if line.startswith('TracerPid')][0].split()[1]
    return state in 'SR' and tracer == '0'


def same(command, *options, more=0, bounded=True):
    """Dumps a program with and without a limit, the least one and some MiB, and compares all that is told."""
    with tempfile.TemporaryDirectory() as folder, targets.target(command, stderr=subprocess.DEVNULL) as t:
        path = os.path.join(folder, 's.ouro')
        while open('/proc/%d/syscall' % t.pid).read().split()[0] != '0':  # READY comes a little before it waits for its standard input
            os.sched_yield()
        plain = dump(t.pid, path, *options)
        check(plain['window_bytes'] == 0, 'without a limit there was a window')
        whole = export(path)
        limit = least(t.pid, path, *options) + more
        small = dump(t.pid, path, '--memory', '%dM' % limit, *options)
        check(small['window_bytes'] > 0, 'there was no window: the limit was not tight')
        check(small['window_read_bytes'] > plain['copied_bytes'] // 2, 'hardly anything was read')
        for key in FIGURES:
            check(plain[key] == small[key], '%s: %s without, %s with a limit' % (key, plain[key], small[key]))
        check(export(path) == whole, 'the export differs with --memory %dM %s' % (limit, ' '.join(options)))
        check(targets.ouro('verify', path).returncode == 0, 'verify')
        allowed = limit * MIB + small['copied_bytes'] // 64
        check(not bounded or targets.sanitized() or small['peak'] <= allowed, 'the peak was %d KiB of %d' % (small['peak'] >> 10, allowed >> 10))
        check(runs(t.pid), 'the process does not go on')
        check(os.listdir(folder) == ['s.ouro'], 'left behind: %s' % os.listdir(folder))
        return plain, small


@test
def with_a_limit_the_snapshot_is_the_same_and_the_peak_below_it():
    for python in two_pythons():
        same([python, '-W', 'ignore', *fixture('ast_heap.py', '40')])


@test
def so_it_is_of_a_process_with_objects_of_every_kind():
    same([two_pythons()[-1], '-W', 'ignore', *fixture('zoo.py')])


@test
def so_it_is_with_one_thread_and_with_four():
    command = [two_pythons()[0], *fixture('synthetic_heap.py', '500000')]
    same(command, '--threads', '1')
    same(command, '--threads', '4', more=8)


@test
def so_it_is_with_whole_texts_and_with_none():
    code = 'import os, sys; kept = [chr(65 + i % 50) * (i * 40) for i in range(2000)]; print("READY", os.getpid(), flush=True); sys.stdin.readline()'
    for values in 'full', 'none':
        same([two_pythons()[0], '-c', code], '--values', values)


@test
def so_it_is_where_every_object_is_compared():
    same([two_pythons()[0], *fixture('ast_heap.py', '30')], '--self-check')


@test
def what_is_too_little_is_refused_in_words_and_nothing_is_stopped():
    with tempfile.TemporaryDirectory() as folder, targets.target([two_pythons()[0], *fixture('small.py')]) as t:
        path = os.path.join(folder, 's.ouro')
        check(0 < least(t.pid, path) < 64, 'a small process needs %d MiB' % least(t.pid, path))
        for wrong, words in (('0', 'too little'), ('much', 'takes a size')):
            said = dump(t.pid, path, '--memory', wrong, status=USAGE)
            check(words in said, said)
        check(os.listdir(folder) == [], 'left behind: %s' % os.listdir(folder))
        check(runs(t.pid), 'the process does not go on')


@test
def a_limit_that_is_no_limit_copies_as_ever():
    with tempfile.TemporaryDirectory() as folder, targets.target([two_pythons()[0], *fixture('small.py')]) as t:
        answer = dump(t.pid, os.path.join(folder, 's.ouro'), '--memory', '1G')
        check(answer['window_bytes'] == 0 and answer['memory_limit_bytes'] == 1 << 30, str(answer))


def bounded_dump(pid, folder, limit):
    return subprocess.Popen([targets.OURO, 'dump', str(pid), '-q', '--mode', 'pause', '-o', os.path.join(folder, 's.ouro'), '--memory', '%dM' % limit],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def await_stopped(pid, process):
    """Until the process stands still for ouro, which may be over sooner than we look."""
    while process.poll() is None:
        try:
            with open('/proc/%d/stat' % pid) as stat:
                if stat.read().rpartition(')')[2].split()[0] == 't':
                    return True
        except OSError:
            return True
        os.sched_yield()
    return False


@test
def a_process_that_ends_while_it_is_read_is_said_to_have_ended():
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder, targets.target([two_pythons()[0], *fixture('synthetic_heap.py', '500000')]) as t:
            limit = least(t.pid, os.path.join(folder, 's.ouro'))
            process = bounded_dump(t.pid, folder, limit)
            check(await_stopped(t.pid, process), 'it never stood still')
            os.kill(t.pid, signal.SIGKILL)
            said = process.communicate(timeout=targets.TIMEOUT_S)[1].decode()
            # it may have been killed before anything of it was read
            check(process.returncode == TARGET and ('ended' in said or "can't be read" in said), 'status %d: %s' % (process.returncode, said))
            check(os.listdir(folder) == [], 'left behind: %s' % os.listdir(folder))


@test
def whoever_is_interrupted_lets_the_process_go_on():
    with tempfile.TemporaryDirectory() as folder, targets.target([two_pythons()[0], *fixture('synthetic_heap.py', '500000')]) as t:
        limit = least(t.pid, os.path.join(folder, 's.ouro'))
        for number, status in ((signal.SIGINT, OTHER), (signal.SIGTERM, OTHER), (signal.SIGKILL, -signal.SIGKILL)):
            for _ in range(20):
                process = bounded_dump(t.pid, folder, limit)
                check(await_stopped(t.pid, process), 'it never stood still')
                process.send_signal(number)
                process.communicate(timeout=targets.TIMEOUT_S)
                if process.returncode:
                    break
                os.unlink(os.path.join(folder, 's.ouro'))  # it had done already when we came to run
            check(process.returncode == status, 'signal %d: status %d' % (number, process.returncode))
            deadline = time.monotonic() + 30
            while not runs(t.pid) and time.monotonic() < deadline:
                os.sched_yield()
            check(runs(t.pid), 'after signal %d the process does not go on' % number)
            check(os.listdir(folder) == [], 'left behind: %s' % os.listdir(folder))


@test
def a_full_disk_is_said_and_lets_the_process_go_on():
    import resource
    with tempfile.TemporaryDirectory() as folder, targets.target([two_pythons()[0], *fixture('synthetic_heap.py', '500000')]) as t:
        path = os.path.join(folder, 's.ouro')
        limit = least(t.pid, path)
        result = targets.ouro('dump', t.pid, '-o', path, '--memory', '%dM' % limit,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)))
        check(result.returncode == OTHER and b'lists' in result.stderr, 'status %d: %s' % (result.returncode, result.stderr))
        check(os.listdir(folder) == [], 'left behind: %s' % os.listdir(folder))
        check(runs(t.pid), 'the process does not go on')


def scheduling(pid):
    """Of each thread: policy, nice."""
    found = []
    for tid in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/stat' % (pid, tid)) as stat:
            fields = stat.read().rpartition(')')[2].split()
        found.append((int(fields[38]), int(fields[16])))
    return found


@test
def in_the_background_it_gives_way_once_the_process_goes_on():
    with tempfile.TemporaryDirectory() as folder, targets.target([two_pythons()[0], *fixture('synthetic_heap.py', '150000')]) as t:
        command = [targets.OURO, 'dump', str(t.pid), '-q', '-f', '-o', os.path.join(folder, 's.ouro'), '--background']
        process = subprocess.Popen(command)
        seen = set()
        while process.poll() is None:
            stands = True
            try:
                found = scheduling(process.pid)
                with open('/proc/%d/stat' % t.pid) as stat:
                    stands = stat.read().rpartition(')')[2].split()[0] == 't'
            except OSError:
                continue
            check(not stands or all(policy != os.SCHED_IDLE for policy, _ in found), 'idle while the process stood still: %s' % found)
            seen.update(found)
        check(process.returncode == 0, 'status %d' % process.returncode)
        check((os.SCHED_IDLE, 19) in seen, 'never in the background: %s' % seen)


def main():
    chosen = [t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    failed = 0
    for function in chosen:
        started = time.monotonic()
        try:
            function()
            print('ok: %s (%.1f s)' % (function.__name__, time.monotonic() - started), flush=True)
        except (Failed, RuntimeError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print('FAILED: %s: %s' % (function.__name__, problem), flush=True)
    print('%d passed, %d failed' % (len(chosen) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
