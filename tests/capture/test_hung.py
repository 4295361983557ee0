"""Services that hang, each in another way: `ouro dump` captures them, `ouro info` and `ouro stack` name what they hang in.

usage: test_hung.py [HOW ...]
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

HUNG = os.path.join(targets.FIXTURES, 'hung.py')
READ, PAUSE, FUTEX, NANOSLEEP, CLOCK_NANOSLEEP, SELECT, PSELECT = 0, 34, 202, 35, 230, 23, 270
FAILED = []


class NotPossible(Exception):
    pass


def expect(condition, *words):
    if not condition:
        FAILED.append(words)
        print('FAIL', *words, flush=True)


def wait_for(condition, what):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError('waited in vain for ' + what)
        time.sleep(0.001)


def tasks(pid):
    """State and system call of each thread: (letter, number or None)."""
    found = []
    for task in os.listdir('/proc/%d/task' % pid):
        try:
            with open('/proc/%d/task/%s/stat' % (pid, task)) as stat:
                letter = stat.read().rsplit(')', 1)[1].split()[0]
            with open('/proc/%d/task/%s/syscall' % (pid, task)) as call:
                number = call.read().split()[0]
        except OSError:
            continue
        found.append((letter, int(number) if number.isdigit() else None))
    return found


def library(folder):
    path = os.path.join(folder, 'hung.so')
    compiler = os.environ.get('CC', '').split() or [shutil.which('cc') or 'gcc']
    subprocess.run(compiler + ['-shared', '-fPIC', '-O1', '-o', path, os.path.join(targets.FIXTURES, 'hung_library.c')], check=True)
    return path


@contextlib.contextmanager
def cgroup_of_memory(size):
    """One whose processes wait, instead of being killed, when there is none left: only version 1 has that."""
    mounts = [line.split() for line in open('/proc/mounts')]
    root = [m[1] for m in mounts if m[2] == 'cgroup' and 'memory' in m[3].split(',')]
    if not root:
        raise NotPossible('no memory cgroup of version 1: version 2 kills who has none left')
    group = os.path.join(root[0], 'ouro-test-%d' % os.getpid())

    def write(name, text):
        with open(os.path.join(group, name), 'w') as out:
            out.write(text)
    try:
        os.mkdir(group)
        write('memory.oom_control', '1')
        write('memory.limit_in_bytes', str(size))
    except OSError as error:
        if os.path.isdir(group):
            os.rmdir(group)
        raise NotPossible('no memory cgroup can be made: %s' % error) from error
    try:
        yield lambda: write('cgroup.procs', '0')
    finally:
        wait_for(lambda: not open(os.path.join(group, 'cgroup.procs')).read(), 'the end of those in the cgroup')
        os.rmdir(group)


class Look:
    """What the commands say of a target that hangs."""

    def __init__(self, how, folder, pid, timeout_s=20):
        path = os.path.join(folder, 's.ouro')
        self.how = how
        started = time.monotonic()
        result = targets.ouro('dump', pid, '-f', '--json', '-o', path, '--timeout', timeout_s)
        self.duration_s = time.monotonic() - started
        if result.returncode:
            raise RuntimeError('%s: status %d: %s' % (how, result.returncode, result.stderr.decode()))
        self.dump = json.loads(result.stdout)
        self.info = json.loads(targets.ouro('info', path, '--json').stdout)
        self.page = targets.ouro('info', path).stdout.decode()
        self.stack = json.loads(targets.ouro('stack', path, '--json').stdout)
        self.live = json.loads(targets.ouro('stack', pid, '--json').stdout) if how != 'memory' else self.stack
        self.text = ' '.join(targets.ouro('stack', path).stdout.decode().split())
        lines = map(json.loads, targets.ouro('export', path).stdout.splitlines()[1:])
        self.sessions = sum(line['type'] == 'Session' for line in lines)
        self.expect(self.sessions == 1000, '%d sessions' % self.sessions)
        self.expect(targets.ouro('verify', path).returncode == 0, 'verify')
        with open('/proc/%d/status' % pid) as status:
            self.expect('TracerPid:\t0' in status.read(), 'still traced')

    def expect(self, condition, *words):
        expect(condition, self.how + ':', *words)

    def thread(self, name, state, function, syscall=None, page=None):
        """The snapshot and the look at the process itself say so, and the page of info names the state."""
        for said in self.stack, self.live:
            thread = [t for t in said['threads'] if t['name'] == name][0]
            self.expect(thread['state'] == state, name, 'is', thread['state'], 'and not', state)
            self.expect(thread['frames'] and thread['frames'][0]['function'] == function, thread['frames'][:1], 'and not', function)
            self.expect(not syscall or (thread['syscall'] or {}).get('name') == syscall, thread['syscall'])
            self.expect(not thread.get('torn'), 'torn')
        line = [line for line in self.page.splitlines() if name in line and 'deadlock:' not in line]
        self.expect(line and (page or state) in line[0] and function in line[0], 'ouro info does not say', page or state, function, line)

    def hangs(self, *words):
        found = [f['text'] for f in self.info['findings'] if f['kind'] == 'hung']
        self.expect(any(all(word in text for word in words) for text in found), words, 'are not in', found)


def locks(look):
    look.hangs('deadlock', 'one', 'two')
    look.expect('Deadlock of 2 threads' in look.text, look.text[:300])
    look.thread('one', 'waiting for a lock', 'handle', 'futex', page='deadlocked')


def gil(look):
    look.hangs('holds the GIL in a system call', '1 other thread waits for the GIL')
    look.thread('MainThread', 'in a system call', 'call', 'pause')
    look.thread('worker', 'waiting for the GIL', 'work')


def spin(look):
    look.thread('MainThread', 'running', 'call')
    look.thread('worker', 'waiting for the GIL', 'work')
    look.expect('running, holds the GIL' in look.text, look.text[:300])


def sleep(look):
    # Up to 3.10 time.sleep is a select of nothing.
    old = tuple(map(int, look.stack['python'].split('.')[:2])) < (3, 11)
    look.thread('MainThread', 'in a system call' if old else 'sleeping', 'sleep')


def pipe(look):
    look.thread('MainThread', 'in a system call', 'pipe', 'read')


def stop(look):
    look.thread('MainThread', 'stopped', 'stop')
    look.expect(look.dump['mode'] != 'live' and 'inconsistent' not in look.dump, look.dump)


def memory(look):
    look.thread('MainThread', 'uninterruptible', 'memory')
    look.expect(look.dump['mode'] == 'live' and 'no memory left' in look.dump['mode_reason'], look.dump)
    look.expect('no memory left' in ' '.join(f['text'] for f in look.info['findings']), look.info['findings'])
    look.expect(look.duration_s < 10, '%.1f s' % look.duration_s)


def finalizer(look):
    look.hangs('the collector is at work in thread MainThread')
    look.thread('MainThread', 'waiting for a lock', '__del__', 'futex')


HANGING = {  # what is waited for: it hangs
    locks: lambda found: [call for letter, call in found].count(FUTEX) == 3,
    gil: lambda found: ('S', PAUSE) in found and ('S', FUTEX) in found,
    spin: lambda found: any(letter == 'R' and call is None for letter, call in found) and ('S', FUTEX) in found,
    sleep: lambda found: found[0][0] == 'S' and found[0][1] in (NANOSLEEP, CLOCK_NANOSLEEP, SELECT, PSELECT),
    pipe: lambda found: found == [('S', READ)],
    stop: lambda found: found[0][0] == 'T',
    memory: lambda found: found[0][0] == 'D',
    finalizer: lambda found: found == [('S', FUTEX)],
}


def one(python, check, folder):
    how = check.__name__
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context(cgroup_of_memory(64 << 20)) if check is memory else None
        arguments = [library(folder)] if check in (gil, spin) else []
        target = stack.enter_context(targets.target([python, HUNG, how] + arguments, preexec_fn=enter))
        wait_for(lambda: HANGING[check](tasks(target.pid)), how)
        if check is spin:  # has it come so far that the other waits for it?
            wait_for(lambda: all(HANGING[check](tasks(target.pid)) for i in range(20)), how)
        check(Look(how, folder, target.pid, 1 if check is memory else 20))


def main():
    not_possible = 0
    for python in targets.few_pythons():
        for check in HANGING:
            if sys.argv[1:] and check.__name__ not in sys.argv[1:]:
                continue
            before, started, note = len(FAILED), time.monotonic(), ''
            with tempfile.TemporaryDirectory() as folder:
                try:
                    one(python, check, folder)
                except NotPossible as reason:
                    not_possible += 1
                    note = ': not possible here: %s' % reason
            print('%s %s %s (%.1f s)%s' % ('FAIL' if len(FAILED) > before else 'skip' if note else 'ok  ', python, check.__name__,
                                           time.monotonic() - started, note), flush=True)
    print('%d failed, %d not possible' % (len(FAILED), not_possible))
    return 1 if FAILED else 0


if __name__ == '__main__':
    sys.exit(main())
