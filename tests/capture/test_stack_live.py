"""`ouro stack PID`: what it says of a process that stands is what a dump of it says; what it says of one that runs can be; the process goes
on in any case, and no file is left.

usage: test_stack_live.py [TEST ...]
Random moments come from OURO_TEST_SEED, which is printed. OURO_TEST_ROUNDS: how many looks at processes at work (15; with OURO_TEST_ALL=1
100).
"""
import ast
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402
import test_faults  # noqa: E402
from test_faults import Counter, check, not_traced, python  # noqa: E402

ROUNDS = int(os.environ.get('OURO_TEST_ROUNDS') or (100 if os.environ.get('OURO_TEST_ALL') else 15))
test_faults.TESTS = TESTS = []


def test(function):
    TESTS.append(function)
    return function


def fixture(*arguments):
    return [os.path.join(targets.FIXTURES, arguments[0]), *arguments[1:]]


def stack(*arguments):
    result = targets.ouro('stack', '--json', *arguments)
    check(result.returncode == 0, 'stack: status %d: %r' % (result.returncode, result.stderr))
    return json.loads(result.stdout)


def comparable(said, old):
    """Without what differs by nature: the length of the stop, and names by modules, of which only a dump has all. Of large containers it
    has the address and the size. Who refers to the future that a task waits for, only a dump knows in every case. Up to 3.10 code does not
    know its qualified name; a dump looks for the function."""
    leave_out = {'pause_ns', 'expression', 'through_expression'} | ({'qualname'} if old else set())
    containers = ('list', 'dict', 'tuple', 'set', 'frozenset', 'collections.deque')
    for task in said.get('tasks') or []:
        task.pop('waits_for', None)
        task.pop('awaited_by', None)

    def kept(value):
        if isinstance(value, dict):
            large = {'value'} if value.get('type') in containers else set()
            return {key: kept(item) for key, item in value.items() if key not in leave_out | large}
        return [kept(item) for item in value] if isinstance(value, list) else value
    return kept(said)


def difference(a, b, path=''):
    if a == b:
        return ''
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            if a.get(key) != b.get(key):
                return difference(a.get(key), b.get(key), '%s.%s' % (path, key))
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return difference(x, y, '%s[%d]' % (path, i))
    return '%s: a dump has %.200r, the process %.200r' % (path, a, b)


def stands(t, last=None):
    """Until the target has said all it says (one line, or up to the last), and then waits: for a signal, or for input."""
    while last and t.process.stdout.readline() not in (last, b''):
        pass
    if not last:
        t.process.stdout.readline()
    calls_of(t.pid, (PAUSE,), (READ, 0))


PAUSE, READ = 34, 0  # numbers of system calls on x86-64


def calls_of(pid, *wanted):
    """Until the main thread is in one of these system calls: number, arguments."""
    end = time.monotonic() + 60
    while True:
        with open('/proc/%d/syscall' % pid) as file:
            words = file.read().split()
        if words[0] != 'running' and any([int(word, 0) for word in words[:len(call)]] == list(call) for call in wanted):
            return
        check(time.monotonic() < end, 'it does not come to rest: %s' % words)


def same(command, folder, old, last=None):
    path = os.path.join(folder, 's.ouro')
    with targets.target(command, stderr=subprocess.DEVNULL) as t:
        stands(t, last)
        result = targets.ouro('dump', '-q', '-f', '-o', path, t.pid)
        check(result.returncode == 0, 'dump: %r' % result.stderr)
        live = stack(t.pid)
        dumped = stack(path)
    check(live['consistent'], 'a process that stands is read at one moment: %s' % live.get('inconsistent'))
    a, b = comparable(dumped, old), comparable(live, old)
    check(a == b, '%s: %s' % (' '.join(command), difference(a, b)))
    return live


def is_old(interpreter):
    return tuple(int(part) for part in targets.version(interpreter).rstrip('d').split('.')) < (3, 11)


@test
def a_standing_process_is_told_as_its_dump_is(folder):
    scenarios = ('crossed', 'rlocks', 'conditions', 'acquire', 'join', 'generator', 'nobody', 'queues', 'future', 'deep', 'contention')
    for number, interpreter in enumerate(targets.few_pythons()):
        old = is_old(interpreter)
        chosen = scenarios if number == 0 else scenarios[number % len(scenarios)::4]
        for scenario in chosen:
            live = same([interpreter, *fixture('deadlock.py', scenario)], folder, old)
            check(sum(len(thread['frames']) for thread in live['threads']), '%s: no frames' % scenario)
        live = same([interpreter, *fixture('tasks.py', '20')], folder, old, b'"end"\n')
        check(len(live['tasks']) > 20, '%s: tasks are missing: %d' % (interpreter, len(live['tasks'])))


DEEP = '''
import os, sys, threading
depth = int(sys.argv[1])
sys.setrecursionlimit(depth + 1000)
threading.stack_size(1 << 30)
wait = threading.Event()
def down(n, ready):
    if n:
        return down(n - 1, ready)
    ready.set()
    wait.wait()
ready = threading.Event()
threading.Thread(target=down, args=(depth, ready), daemon=True).start()
ready.wait()
print('READY', os.getpid(), flush=True)
sys.stdin.readline()
'''


@test
def recursion_of_a_hundred_thousand_calls_is_shown_whole(folder):
    for depth in 1000, 100000:
        with targets.target([python(), '-c', DEEP, str(depth)]) as t:
            said = stack(t.pid)
        deepest = max(said['threads'], key=lambda thread: len(thread['frames']))
        frames = [frame for frame in deepest['frames'] if frame['function'] == 'down']
        check(len(frames) == depth + 1, '%d of %d frames' % (len(frames), depth + 1))
        values = [[v['value'] for v in frame['locals'] if v['name'] == 'n'] for frame in frames]
        check(values == [[str(i)] for i in range(depth + 1)], 'values of n: %s ... %s' % (values[:3], values[-3:]))
        check(said['consistent'], said.get('inconsistent'))


TASKS = '''
import asyncio, os, sys
async def worker(event):
    await event.wait()
async def main():
    event = asyncio.Event()
    tasks = [asyncio.ensure_future(worker(event)) for i in range(int(sys.argv[1]))]
    await asyncio.sleep(0)
    print('READY', os.getpid(), flush=True)
    await asyncio.gather(*tasks)
asyncio.run(main())
'''


@test
def five_thousand_tasks_are_all_found(folder):
    for interpreter in targets.few_pythons():
        with targets.target([interpreter, '-c', TASKS, '5000']) as t:
            said = stack(t.pid)
        check(len(said['tasks']) == 5001, '%s: %d tasks' % (interpreter, len(said['tasks'])))
        check('left_out' not in said, said.get('left_out'))


def functions(path):
    """The lines of each function of a file, by name."""
    with open(path) as file:
        tree = ast.parse(file.read())
    found = {'<module>': (1, 10**6), '<listcomp>': (1, 10**6), '<dictcomp>': (1, 10**6), '<genexpr>': (1, 10**6)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node.lineno, max(n.lineno for n in ast.walk(node) if hasattr(n, 'lineno'))
    return found


@test
def what_is_said_of_a_process_at_work_can_be(folder):
    program = fixture('at_work.py')[0]
    known = functions(program)
    callers = {'inner': {'<genexpr>'}, 'numbers': {'<genexpr>', 'inner'}, 'middle': {'outer'}, 'outer': {'work'}, 'work': {'run'},
               'run': {'_bootstrap_inner'}, '_bootstrap_inner': {'_bootstrap'}}
    inconsistent, torn, seen = 0, 0, set()
    with targets.target([python(), program]) as t:
        counter = Counter(t)
        for _ in range(ROUNDS):
            said = stack(t.pid)
            inconsistent += not said['consistent']
            check(said['consistent'] or said['inconsistent'], 'no words for why it is not consistent')
            check(len(said['threads']) == 51, '%d threads' % len(said['threads']))
            for thread in said['threads']:
                names = [frame['function'] for frame in thread['frames']]
                seen.update(names)
                for frame in thread['frames'] if said['consistent'] else []:
                    if frame['file'] == program:
                        check(frame['function'] in known, 'no such function: %r' % frame)
                        low, high = known[frame['function']]
                        check(frame['line'] is None or low <= frame['line'] <= high, 'not a line of it: %r' % frame)
                whole = said['consistent'] and not thread.get('torn')
                torn += bool(thread.get('torn'))
                for callee, caller in zip(names, names[1:]) if whole else []:
                    check(caller in callers.get(callee, {caller}), '%s called %s: %s' % (caller, callee, names))
                if whole and thread['name'].startswith('t'):
                    check('work' in names and names[-1] == '_bootstrap', '%s: %s' % (thread['name'], names))
                    values = {v['value'] for frame in thread['frames'] for v in frame['locals'] if v['name'] == 'name'}
                    check(values == {"'%s'" % thread['name']}, '%s has the name %s' % (thread['name'], values))
        not_traced(t.pid)
        counter.goes_on()
    check({'inner', 'middle', 'outer', 'work'} <= seen, 'never seen inside: %s' % seen)
    check(inconsistent * 10 <= ROUNDS, '%d of %d looks were not of one moment' % (inconsistent, ROUNDS))
    check(torn * 10 <= ROUNDS, '%d of %d looks were at frames that were being made' % (torn, ROUNDS))


# Calls a function of C with its thread state as it is while a frame begins (3.11 and 3.12: a _PyCFrame of which the frame is not yet
# noted, but that of a generator that was there before) or while a generator yields (later: already taken off the chain).
BEGINS = '''
import ctypes, os, struct, sys
def caller_of_c():
    suspended = (i for i in range(3))
    next(suspended)
    frame = ctypes.c_void_p.from_address(id(suspended.gi_frame) + 24).value  # PyFrameObject.f_frame
    get = ctypes.pythonapi.PyThreadState_Get
    get.restype = ctypes.c_void_p
    pause, late = ctypes.PyDLL(None).pause, sys.version_info >= (3, 13)
    at = get() + (72 if late else 56)  # PyThreadState.current_frame, PyThreadState.cframe
    before = ctypes.c_void_p.from_address(at).value
    cframe = ctypes.create_string_buffer(struct.pack('PPP', 0, frame, before)[0 if sys.version_info < (3, 12) else 8:])
    new, move = ctypes.c_void_p(frame if late else ctypes.addressof(cframe)), ctypes.memmove
    print('READY', os.getpid(), flush=True)
    move(at, ctypes.addressof(new), 8)
    pause()
caller_of_c()
'''


@test
def frames_that_are_being_made_are_told_as_such(folder):
    for interpreter in targets.few_pythons():
        if is_old(interpreter):
            continue
        late = tuple(int(part) for part in targets.version(interpreter).rstrip('d').split('.')) >= (3, 13)
        with targets.target([interpreter, '-c', BEGINS]) as t:
            calls_of(t.pid, (PAUSE,))
            path = os.path.join(folder, 's.ouro')
            result = targets.ouro('dump', '-q', '-f', '-o', path, t.pid)
            check(result.returncode == 0, 'dump: %r' % result.stderr)
            for of in t.pid, path:
                said = stack(of)
                thread, = said['threads']
                names = [frame['function'] for frame in thread['frames']]
                check(thread.get('torn') and said['consistent'], '%s: not told: %s' % (interpreter, thread))
                check(names == (['<genexpr>'] if late else ['caller_of_c', '<module>']), '%s: frames %s' % (interpreter, names))


@test
def a_look_that_is_killed_leaves_the_process_running(folder):
    with targets.target([python(), fixture('busy.py')[0]]) as t:
        counter = Counter(t)
        started = time.monotonic()
        stack(t.pid)
        length = time.monotonic() - started
        for _ in range(ROUNDS):
            process = subprocess.Popen([targets.OURO, 'stack', str(t.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(test_faults.random.random() * length)
            except subprocess.TimeoutExpired:
                pass
            process.kill()
            process.wait()
            not_traced(t.pid)
        counter.goes_on()


@test
def a_process_that_dies_meanwhile_is_told_of(folder):
    outcomes = set()
    for i in range(max(20, ROUNDS // 3)):
        with targets.target([python(), fixture('small.py')[0]]) as t:
            process = subprocess.Popen([targets.OURO, 'stack', str(t.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                process.wait(0.002 * (i % 20))
            except subprocess.TimeoutExpired:
                pass
            os.kill(t.pid, signal.SIGKILL)
            _, said = process.communicate(timeout=60)
        outcomes.add(process.returncode)
        check(process.returncode in (0, 3), 'status %d: %r' % (process.returncode, said))
        check(process.returncode == 0 or said.startswith(b'ouro: '), 'no words: %r' % said)
    check(3 in outcomes, 'it was never killed in time: %s' % outcomes)


VFORK = '''
import ctypes, os, sys, threading
libc = ctypes.CDLL(None)
r, w = os.pipe()
def stuck():
    # vfork in C: the thread sleeps uninterruptibly until the child ends; the child only reads
    code = sys.argv[1]
    libc2 = ctypes.CDLL(code)
    libc2.hold(r)
threading.Thread(target=stuck, daemon=True).start()
libc.usleep(100000)
print('READY', os.getpid(), flush=True)
sys.stdin.readline()
os.write(w, b'x')
'''

HOLD_C = '''
#define _GNU_SOURCE
#include <unistd.h>
void hold(int fd)
{
    char byte;
    if (vfork() == 0) {
        while (read(fd, &byte, 1) < 0)
            ;
        _exit(0);
    }
}
'''


@test
def a_thread_that_can_not_be_stopped_does_not_hide_the_others(folder):
    source, library = os.path.join(folder, 'hold.c'), os.path.join(folder, 'hold.so')
    with open(source, 'w') as file:
        file.write(HOLD_C)
    compiler = (os.environ.get('CC') or 'cc').split()
    try:
        subprocess.run([*compiler, '-shared', '-fPIC', '-o', library, source], check=True)
    except (OSError, subprocess.CalledProcessError):
        raise test_faults.Skipped('no compiler')
    with targets.target([python(), '-c', VFORK, library]) as t:
        end = time.monotonic() + 30
        while not any(state_of(t.pid, task) == 'D' for task in os.listdir('/proc/%d/task' % t.pid)):
            check(time.monotonic() < end, 'no thread sleeps uninterruptibly')
        said = stack('--timeout', '1', t.pid)
        names = {frame['function'] for thread in said['threads'] for frame in thread['frames']}
        check({'stuck', '<module>'} <= names, 'frames of %s' % names)
        check(not said['consistent'] and 'did not stop' in said['inconsistent'], 'said %r' % said.get('inconsistent'))
        text = targets.ouro('stack', '--timeout', '1', t.pid).stdout.decode()
        check('did not stop' in ' '.join(text.split()), 'the page does not say so: %s' % text[:500])
        t.process.stdin.write(b'\n')
        t.process.stdin.flush()
        not_traced(t.pid)


def state_of(pid, task):
    with open('/proc/%d/task/%s/stat' % (pid, task)) as file:
        return file.read().rpartition(')')[2].split()[0]


@test
def no_file_is_left_and_none_is_needed(folder):
    with targets.target([python(), fixture('small.py')[0]]) as t:
        result = targets.ouro('stack', t.pid, cwd=folder, env={'TMPDIR': folder, 'HOME': folder, 'PATH': os.environ['PATH']})
        check(result.returncode == 0 and b'<module>' in result.stdout, 'said %r %r' % (result.stdout, result.stderr))
        check(os.listdir(folder) == [], 'left: %s' % os.listdir(folder))
        os.chmod(folder, 0o500)
        check(targets.ouro('stack', t.pid, cwd=folder).returncode == 0, 'it needs a folder that can be written to')
        os.chmod(folder, 0o700)


LARGE = '''
import mmap, os, sys
def main():
    blocks = [bytearray(b'x') * (1 << 26) for i in range(int(sys.argv[1]) >> 6)]
    items = list(range(3000000))
    room = mmap.mmap(-1, 100 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # MAP_NORESERVE: a hundred gigabytes of nothing
    print('READY', os.getpid(), flush=True)
    sys.stdin.readline()
main()
'''


# What a process is said to have used at most begins with what its parent used when it was started: the parent must be small.
MEASURED = '''
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
'''


@test
def a_large_process_costs_no_more_than_a_small_one(folder):
    with targets.target([python(), '-c', LARGE, '2048']) as t:
        result = subprocess.run([sys.executable, '-c', MEASURED, targets.OURO, 'stack', '-l', str(t.pid)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
    text, status, used_kb = result.stdout, result.returncode, int(result.stderr or 0)
    check(status == 0 and re.search(rb'items +0x[0-9a-f]+  <list 0x[0-9a-f]+ of 24000056 bytes>', text), 'status %d, said %r' % (status, text[-300:]))
    check(0 < used_kb < 100 * 1024, '%d MB of memory' % (used_kb >> 10))


def refused(status, arguments, *words):
    result = targets.ouro('stack', *arguments)
    check(result.returncode == status and result.stdout == b'', 'status %d, said %r %r' % (result.returncode, result.stdout, result.stderr))
    for word in words:
        check(word in result.stderr.decode(), '%r is not in %r' % (word, result.stderr))


@test
def what_can_not_be_read_is_told_as_dump_tells_it(folder):
    sleeper = subprocess.Popen(['sleep', '1000'])
    refused(3, [sleeper.pid], 'not a CPython process')
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    refused(3, [sleeper.pid], str(sleeper.pid))  # a zombie
    sleeper.wait()
    refused(3, [sleeper.pid], str(sleeper.pid))
    refused(2, ['--timeout', '3', os.path.join(folder, 'none.ouro')], '--timeout')
    refused(2, ['--salvage', '1'], '--salvage')
    refused(2, [], 'an argument is missing')
    refused(2, ['99999999999999'], 'not a PID')


if __name__ == '__main__':
    sys.exit(test_faults.main())
