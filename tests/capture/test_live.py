"""`ouro dump --mode live`, and processes that can't be stopped the usual way: each is captured or read as it runs, within its time, and goes on.

usage: test_live.py [TEST ...]
"""
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402
import test_faults  # noqa: E402
from test_faults import USAGE, TARGET, Skipped, busy, check, exports_well, listing, not_traced, refused, small  # noqa: E402

TESTS = []
ROUNDS = int(os.environ.get('OURO_TEST_LIVE_ROUNDS') or 1)
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


def test(function):
    TESTS.append(function)
    return function


def fields_of(pid):
    with open('/proc/%d/status' % pid) as status:
        return dict(line.split(':\t', 1) for line in status.read().splitlines() if ':\t' in line)


def state(pid):
    return fields_of(pid)['State'][0]


def wait_for(condition, what):
    end = time.monotonic() + 60
    while not condition():
        check(time.monotonic() < end, 'waited in vain for ' + what)
        time.sleep(0.001)


def dump(folder, pid, *arguments):
    """What a dump says as JSON, and for how long it took."""
    started = time.monotonic()
    result = targets.ouro('dump', pid, '--json', '-f', '-o', 's.ouro', *arguments, cwd=folder)
    check(result.returncode == 0, 'status %d: %s' % (result.returncode, result.stderr.decode()))
    return json.loads(result.stdout), time.monotonic() - started, result.stderr.decode()


def flagged(folder, *words):
    """The snapshot says that it is not of one moment."""
    info = json.loads(targets.ouro('info', 's.ouro', '--json', cwd=folder).stdout)
    text = ' '.join(f['text'] for f in info['findings'] if f['kind'] == 'not_stopped')
    check(text, 'not flagged: %s' % info['findings'])
    for word in words:
        check(word in text, 'the finding lacks %r: %s' % (word, text))


def not_flagged(folder):
    info = json.loads(targets.ouro('info', 's.ouro', '--json', cwd=folder).stdout)
    check(not any(f['kind'] == 'not_stopped' for f in info['findings']), 'flagged: %s' % info['findings'])


def python_target(code, **kwargs):
    return targets.target([test_faults.python(), '-c', code], **kwargs)


# -- live ---------------------------------------------------------------------------------------------------------------

@test
def what_nobody_touches_is_whole_in_a_heap_that_never_stands_still(folder):
    for python in targets.few_pythons():
        with targets.target([python, os.path.join(targets.FIXTURES, 'churning.py')]) as t:
            for i in range(ROUNDS):
                said, took, _ = dump(folder, t.pid, '--mode', 'live')
                check(said['mode'] == 'live' and said['inconsistent'], said)
                check(said['stops'] == 0 and said['pause_ns'] == 0, 'it was stopped: %s' % said)
                export = exports_well(os.path.join(folder, 's.ouro'), folder)
                kept = [o for o in export.lines if o['type'] == 'Kept']
                check(len(kept) == 3000, '%s: %d of 3000' % (python, len(kept)))
                check(not any(o.get('unreachable') for o in kept), 'kept objects are called unreachable')
                check(all(o['gc'] is not None for o in kept), 'kept objects are called untracked')
                flagged(folder, '--mode live')
            not_traced(t.pid)
            t.process.stdin.write(b'\n')
            t.process.stdin.flush()
            check(json.loads(t.process.stdout.readline()), 'it goes on')


@test
def a_process_that_rests_is_told_the_same_in_every_mode(folder):
    for python in targets.few_pythons():
        with targets.target([python, '-W', 'ignore', os.path.join(targets.FIXTURES, 'zoo.py')], stderr=subprocess.DEVNULL) as t:
            wait_for(lambda: open('/proc/%d/syscall' % t.pid).read().split()[0] == '0', 'it waits for its standard input')
            exports = []
            for mode in 'pause', 'fork', 'live':
                check(dump(folder, t.pid, '--mode', mode)[0]['mode'] == mode, mode)
                exports.append(targets.ouro('export', 's.ouro', '--format', 'ndjson', cwd=folder).stdout)
        check(exports[0].count(b'\n') > 10000, 'nothing was exported')
        check(exports[1] == exports[0] and exports[2] == exports[0], '%s: %s' % (python, [hash(export) for export in exports]))


@test
def every_command_says_that_a_live_snapshot_is_not_of_one_moment(folder):
    with busy() as t:
        dump(folder, t.pid, '--mode', 'live')
        os.link(os.path.join(folder, 's.ouro'), os.path.join(folder, 'other.ouro'))
    for command in (['info'], ['types'], ['objects', '--limit', '1'], ['show', 'sys'], ['path', 'sys'], ['refs', 'sys'], ['backrefs', 'sys'],
                    ['chain', 'sys'], ['cycles'], ['garbage'], ['dominators'], ['diff', 'other.ouro'], ['leaks'], ['stack'],
                    ['export', '--format', 'ndjson']):
        result = targets.ouro(command[0], 's.ouro', *command[1:], cwd=folder)
        check(b'not of one moment' in result.stderr, '%s: %s' % (command, result.stderr))
    for command in (['info'], ['cycles'], ['garbage'], ['dominators'], ['leaks'], ['show', 'sys']):
        result = json.loads(targets.ouro(command[0], 's.ouro', *command[1:], '--json', cwd=folder).stdout)
        kinds = [f['kind'] for f in result.get('doubts', result.get('findings', []))]
        check('not_stopped' in kinds, '%s --json: %s' % (command, kinds))
    check(json.loads(targets.ouro('diff', 's.ouro', 'other.ouro', '--json', cwd=folder).stdout)['consistent'] is False, 'diff --json')
    check(b'ran on' in targets.ouro('diff', 's.ouro', 'other.ouro', cwd=folder).stdout, 'diff')


@test
def a_process_that_nobody_stops_is_not_noticed_by_those_that_wait(folder):
    with busy() as t:
        counter = test_faults.Counter(t)
        for i in range(10):
            dump(folder, t.pid, '--mode', 'live')
            counter.goes_on()


@test
def modes_that_do_not_fit_are_refused(folder):
    with small() as t:
        refused(folder, [t.pid, '--mode', 'alive'], USAGE, 'auto', 'pause', 'fork', 'live')
    with open(os.path.join(folder, 'core'), 'wb') as core:
        core.write(b'no core')
    refused(folder, ['--core', 'core', '--mode', 'live'], USAGE, '--mode')


# -- held by somebody else ----------------------------------------------------------------------------------------------

@contextlib.contextmanager
def traced(pid, stopped):
    """By a thread of ours, as ptrace knows tracers by thread."""
    begun, ended, failed = threading.Event(), threading.Event(), []

    def trace():
        for task in os.listdir('/proc/%d/task' % pid):
            if LIBC.ptrace(PTRACE_SEIZE, int(task), None, None) or (stopped and LIBC.ptrace(PTRACE_INTERRUPT, int(task), None, None)):
                failed.append(os.strerror(ctypes.get_errno()))
        begun.set()
        ended.wait()
    tracer = threading.Thread(target=trace)
    tracer.start()
    begun.wait()
    try:
        if failed:
            raise Skipped('ptrace: ' + failed[0])
        yield
    finally:
        ended.set()
        tracer.join()  # the kernel detaches what it traced


@test
def another_tracer_is_named_and_the_process_read_as_it_runs(folder):
    name = fields_of(os.getpid())['Name'].strip()
    with busy() as t:
        with traced(t.pid, False):
            said, took, text = dump(folder, t.pid)
            check(said['mode'] == 'live', said)
            for word in ('traced by process %d' % os.getpid(), name):
                check(word in said['mode_reason'] and word in said['inconsistent'] and word in text, (word, said, text))
            flagged(folder, 'traced by process %d' % os.getpid())
            exports_well(os.path.join(folder, 's.ouro'), folder)
            check(took < 9, '%.1f s' % took)
            refused(folder, [t.pid, '--mode', 'pause', '-o', 'x.ouro'], TARGET, 'traced by', '--mode live')
            stack = targets.ouro('stack', t.pid, '--json')
            check(stack.returncode == 0, stack.stderr)
            said = json.loads(stack.stdout)
            check(not said['consistent'] and 'traced by' in said['inconsistent'] and len(said['threads']) > 5, said.get('inconsistent'))
        not_traced(t.pid)


@test
def what_another_tracer_holds_is_of_one_moment(folder):
    with small() as t:
        with traced(t.pid, True):
            wait_for(lambda: state(t.pid) == 't', 'the stop')
            said, took, text = dump(folder, t.pid)
            check(said['mode'] == 'live' and 'inconsistent' not in said and 'none of its threads ran' in said['mode_reason'], said)
            not_flagged(folder)
            check(state(t.pid) == 't', state(t.pid))


@test
def strace_is_named(folder):
    if not shutil.which('strace'):
        raise Skipped('no strace')
    with small() as t:
        strace = subprocess.Popen(['strace', '-f', '-o', os.path.join(folder, 'trace'), '-p', str(t.pid)], stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: fields_of(t.pid)['TracerPid'].strip() != '0' or strace.poll() is not None, 'strace')
            if strace.poll() is not None:
                raise Skipped('strace can\'t attach')
            said, took, text = dump(folder, t.pid)
            check('(strace)' in said['mode_reason'], said['mode_reason'])
        finally:
            strace.terminate()
            strace.wait()


@test
def a_stopped_process_is_captured_and_stays_stopped(folder):
    for mode, stops in (('auto', 1), ('pause', 1), ('live', 0)):
        with small() as t:
            os.kill(t.pid, signal.SIGSTOP)
            wait_for(lambda: state(t.pid) == 'T', 'the stop')
            said, took, text = dump(folder, t.pid, '--mode', mode)
            check('inconsistent' not in said and said['stops'] == stops, said)
            check(state(t.pid) == 'T', state(t.pid))
            not_flagged(folder)


# -- frozen -------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def frozen(pid, version):
    """In a frozen cgroup."""
    mounts = [line.split() for line in open('/proc/mounts')]
    kind, option = ('cgroup', 'freezer') if version == 1 else ('cgroup2', None)
    root = [m[1] for m in mounts if m[2] == kind and (not option or option in m[3].split(','))]
    if not root:
        raise Skipped('no cgroup version %d' % version)
    group = os.path.join(root[0], 'ouro-test-%d' % os.getpid())
    file, on, off = ('freezer.state', 'FROZEN', 'THAWED') if version == 1 else ('cgroup.freeze', '1', '0')

    def write(name, text):
        with open(os.path.join(group, name), 'w') as out:
            out.write(text)

    def is_frozen():
        with open(os.path.join(group, 'freezer.state' if version == 1 else 'cgroup.events')) as text:
            return ('FROZEN' if version == 1 else 'frozen 1') in text.read().splitlines()
    try:
        os.mkdir(group)
    except OSError as error:
        raise Skipped('no cgroup can be made: %s' % error) from error
    try:
        write('cgroup.procs', str(pid))
        end = time.monotonic() + 20
        while not is_frozen():  # one that is about to start a child may have to be asked once more
            check(time.monotonic() < end, 'not frozen')
            write(file, off)
            write(file, on)
            patience = time.monotonic() + 1
            while not is_frozen() and time.monotonic() < patience:
                time.sleep(0.001)
        yield
        check(is_frozen(), 'it was thawed')
    finally:
        write(file, off)
        with open(os.path.join(root[0], 'cgroup.procs'), 'w') as out:
            out.write(str(pid))
        wait_for(lambda: not open(os.path.join(group, 'cgroup.procs')).read(), 'the move')
        os.rmdir(group)


@test
def a_frozen_process_is_of_one_moment(folder):
    done = []
    for version in 1, 2:
        with busy() as t:
            counter = test_faults.Counter(t)
            try:
                with frozen(t.pid, version):
                    said, took, text = dump(folder, t.pid, '--timeout', '3')
                    check('inconsistent' not in said, said)
                    check(said['mode'] == 'live' and 'frozen' in said['mode_reason'] if version == 1 else said['stops'] <= 1, said)
                    check(took < 9, '%.1f s' % took)
                    not_flagged(folder)
                    exports_well(os.path.join(folder, 's.ouro'), folder)
                    said, took, text = dump(folder, t.pid, '--mode', 'live')
                    check('inconsistent' not in said, said)
                    if version == 1:
                        refused(folder, [t.pid, '--mode', 'pause', '-o', 'x.ouro', '--timeout', '1'], TARGET, 'frozen', '--mode live')
                        stack = targets.ouro('stack', t.pid, '--json')
                        check(stack.returncode == 0 and 'frozen' in json.loads(stack.stdout)['inconsistent'], stack.stderr)
            except Skipped as reason:
                print('  %s' % reason)
                continue
            done.append(version)
            not_traced(t.pid)
            counter.goes_on()
    if not done:
        raise Skipped('no cgroup can be frozen')
    print('  cgroup versions: %s' % done)


# -- threads that do not stop -------------------------------------------------------------------------------------------

# posix_spawn holds the GIL: so the vfork is one of C, called without it
VFORK = '''
import ctypes, os, sys, threading
PATH = sys.argv[1].encode()
libc = ctypes.CDLL(None)
def vforks():
    actions = ctypes.create_string_buffer(256)
    libc.posix_spawn_file_actions_init(actions)
    libc.posix_spawn_file_actions_addopen(actions, 0, PATH, 0, 0)
    pid = ctypes.c_int()
    argv = (ctypes.c_char_p * 2)(b'true', None)
    libc.posix_spawn(ctypes.byref(pid), b'/bin/true', actions, None, argv, argv)
    os.write(1, b'%d\\n' % os.waitpid(pid.value, 0)[1])
threading.Thread(target=vforks, daemon=True).start()
print('READY', os.getpid(), flush=True)
for line in sys.stdin:
    pass
'''


@test
def a_thread_in_vfork_leads_to_reading_without_a_stop(folder):
    pipe = os.path.join(folder, 'pipe')
    os.mkfifo(pipe)
    with targets.target([test_faults.python(), '-c', VFORK, pipe]) as t:
        wait_for(lambda: any(state_of_task(t.pid, task) == 'D' for task in os.listdir('/proc/%d/task' % t.pid)), 'the vfork')
        before = listing(folder)
        result = targets.ouro('dump', t.pid, '--mode', 'pause', '--timeout', '1', '-o', 'p.ouro', cwd=folder)
        check(result.returncode == TARGET and b'vfork' in result.stderr and b'--mode live' in result.stderr, result.stderr)
        check(listing(folder) == before, listing(folder))
        said, took, text = dump(folder, t.pid, '--timeout', '1')
        check(said['mode'] == 'live' and 'did not stop' in said['inconsistent'], said)
        check(took < 1 + 5, '%.1f s' % took)
        flagged(folder, 'did not stop')
        not_traced_but(t.pid, 'D')
        with open(pipe, 'wb'):  # the child goes on, and executes
            line = t.process.stdout.readline()
        check(line == b'0\n', 'the child ended with %r' % line)
        said, took, text = dump(folder, t.pid)
        check('inconsistent' not in said and said['mode'] != 'live', said)


def state_of_task(pid, task):
    try:
        with open('/proc/%d/task/%s/stat' % (pid, task)) as stat:
            return stat.read().rsplit(')', 1)[1].split()[0]
    except OSError:
        return ''


def not_traced_but(pid, letter):
    end = time.monotonic() + 30
    while True:
        states = [state_of_task(pid, task) for task in os.listdir('/proc/%d/task' % pid)]
        if not any(s in 'tT' for s in states) and letter in states and fields_of(pid)['TracerPid'].strip() == '0':
            return
        check(time.monotonic() < end, 'states %s' % states)
        time.sleep(0.001)


@test
def those_who_wait_for_a_thread_in_vfork_run_meanwhile(folder):
    """While we wait for one that does not stop, the others are not held: they lose a tenth of a second, not the whole time."""
    pipe = os.path.join(folder, 'pipe')
    os.mkfifo(pipe)
    code = VFORK.replace("for line", '''
import time
worst = [0]
def watch():
    last = time.monotonic()
    while True:
        time.sleep(0.001)
        now = time.monotonic()
        worst[0] = max(worst[0], now - last)
        last = now
threading.Thread(target=watch, daemon=True).start()
for line''').replace("    pass\n", "    print('%f' % worst[0], flush=True)\n")
    with targets.target([test_faults.python(), '-c', code, pipe]) as t:
        wait_for(lambda: any(state_of_task(t.pid, task) == 'D' for task in os.listdir('/proc/%d/task' % t.pid)), 'the vfork')
        dump(folder, t.pid, '--timeout', '2')
        t.process.stdin.write(b'\n')
        t.process.stdin.flush()
        worst = float(t.process.stdout.readline())
        with open(pipe, 'wb'):  # the child goes on, and executes: nobody else would end it
            t.process.stdout.readline()
        check(worst < 1, 'a thread stood for %.2f s' % worst)
        print('  the longest gap: %.0f ms' % (worst * 1000))


@test
def hundreds_of_threads_some_of_them_new(folder):
    code = '''
import os, sys, threading
threading.stack_size(256 << 10)
gate = threading.Event()
for i in range(500):
    threading.Thread(target=gate.wait, daemon=True).start()
def beget():
    while True:
        t = threading.Thread(target=int)
        t.start()
        t.join()
for i in range(3):
    threading.Thread(target=beget, daemon=True).start()
print('READY', os.getpid(), flush=True)
sys.stdin.read()
'''
    with python_target(code) as t:
        for mode in 'pause', 'live':
            said, took, text = dump(folder, t.pid, '--mode', mode)
            info = json.loads(targets.ouro('info', 's.ouro', '--json', cwd=folder).stdout)
            check(mode == 'live' or len(info['threads']) >= 504, '%d threads' % len(info['threads']))
            check(mode == 'live' or 'inconsistent' not in said, said)
        not_traced(t.pid)


# -- rights -------------------------------------------------------------------------------------------------------------

def forbid_ptrace():
    """In the child: ptrace gives EPERM, as a container's seccomp filter has it."""
    os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'  # which traces
    program = struct.pack('HBBI' * 4, 0x20, 0, 0, 0, 0x15, 0, 1, 101, 0x06, 0, 0, 0x00050001, 0x06, 0, 0, 0x7fff0000)
    buffer = ctypes.create_string_buffer(program)
    prog = struct.pack('HxxxxxxQ', 4, ctypes.addressof(buffer))
    LIBC.prctl(38, 1, 0, 0, 0)
    if LIBC.prctl(22, 2, ctypes.create_string_buffer(prog), 0, 0):
        os._exit(99)


@test
def who_may_read_but_not_trace_reads(folder):
    with busy() as t:
        result = targets.ouro('dump', t.pid, '--json', '-o', 's.ouro', cwd=folder, preexec_fn=forbid_ptrace)
        if result.returncode == 99:
            raise Skipped('no seccomp')
        check(result.returncode == 0, result.stderr)
        said = json.loads(result.stdout)
        check(said['mode'] == 'live' and 'permission' in said['mode_reason'], said)
        flagged(folder, 'permission')
        refused(folder, [t.pid, '--mode', 'pause', '-o', 'x.ouro'], TARGET, 'permission', '--mode live', preexec_fn=forbid_ptrace)


STILL = 'import os, sys; print("READY", os.getpid(), flush=True); sys.stdin.read()'


def give_up_tracing():
    """In the child, as root of a container: without CAP_SYS_PTRACE, also for what it executes."""
    LIBC.prctl(24, 19, 0, 0, 0)


@test
def who_is_under_a_filter_is_told_what_a_container_needs(folder):
    def confined():
        give_up_tracing()
        forbid_ptrace()

    with open('/proc/self/status') as status:
        own = int(re.search(r'^CapEff:\s*(\w+)', status.read(), re.MULTILINE).group(1), 16)
    if own >> 19 & 1 and not own >> 8 & 1:
        raise Skipped('CAP_SYS_PTRACE is there and can not be given up')
    with python_target(STILL, preexec_fn=give_up_tracing) as t:
        taken = targets.ouro('dump', t.pid, '-q', '-o', 's.ouro', cwd=folder, preexec_fn=give_up_tracing)
        if taken.returncode:
            raise Skipped('not without CAP_SYS_PTRACE: %s' % taken.stderr)
        refused(folder, [t.pid, '--mode', 'pause', '-o', 'x.ouro'], TARGET, 'seccomp filter', '--cap-add=SYS_PTRACE', preexec_fn=confined)


# -- exec ---------------------------------------------------------------------------------------------------------------

EXECS = '''
import os, sys, time
if sys.argv[1:] == ['again']:
    x = [[i] for i in range(20000)]
else:
    print('READY', os.getpid(), flush=True)
os.set_blocking(0, False)
if os.read(0, 1) if sys.stdin.readable() and __import__('select').select([0], [], [], 0)[0] else b'':
    print('END', flush=True)
    sys.exit(0)
time.sleep(0.01)
os.execv(os.environ['AGAIN'], [os.environ['AGAIN'], '-S', '-c', CODE, 'again'])
'''
EXECS = 'CODE = %r\n' % 'exec(__import__("os").environ["EXECS"])' + EXECS


@test
def a_process_that_executes_itself_again_and_again(folder):
    ended = {}
    with python_target('exec(__import__("os").environ["EXECS"])', env={'EXECS': EXECS, 'AGAIN': test_faults.python()}) as t:
        for i in range(12):
            mode = ('auto', 'pause', 'live')[i % 3]
            result = targets.ouro('dump', t.pid, '-q', '-f', '--mode', mode, '-o', 's.ouro', cwd=folder)
            key = mode, result.returncode
            ended[key] = ended.get(key, 0) + 1
            check(result.returncode in (0, TARGET), 'status %d: %s' % (result.returncode, result.stderr))
            check(result.returncode == 0 or result.stderr.startswith(b'ouro: '), result.stderr)
            if result.returncode == 0:
                check(targets.ouro('verify', 's.ouro', cwd=folder).returncode == 0, 'damaged')
        t.process.stdin.write(b'x')
        t.process.stdin.flush()
        check(t.process.stdout.readline() == b'END\n', 'it goes on to its end')
    print('  %s' % ', '.join('%s status %d: %d' % (*k, n) for k, n in sorted(ended.items())))


if __name__ == '__main__':
    test_faults.TESTS[:] = TESTS
    sys.exit(test_faults.main())
