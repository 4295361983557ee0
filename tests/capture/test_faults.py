"""What can go wrong with `ouro dump` is told in words and by the exit status, leaves nothing behind, and the target goes on.

usage: test_faults.py [TEST ...]
Random moments come from OURO_TEST_SEED, which is printed.
"""
import ctypes
import json
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import targets  # noqa: E402
from targets import OTHER, TARGET, USAGE, Failed, Skipped, check  # noqa: E402

SEED = int(os.environ.get('OURO_TEST_SEED') or random.SystemRandom().randrange(10**6))
ROUNDS = int(os.environ.get('OURO_TEST_ROUNDS') or 100)
TESTS = []
test = targets.adds_to(TESTS)


def python():
    return targets.pythons()[0]


def small():
    return targets.target([python(), os.path.join(targets.FIXTURES, 'small.py')])


def busy():
    return targets.target([python(), os.path.join(targets.FIXTURES, 'busy.py')])


def refused(folder, arguments, status, *words, **kwargs):
    """The dump fails with that status, says all the words, and leaves the folder as it was."""
    before = listing(folder)
    result = targets.ouro('dump', *arguments, cwd=folder, **kwargs)
    text = result.stderr.decode(errors='replace')
    said = 'status %d, said %r' % (result.returncode, text)
    check(result.returncode == status, 'expected status %d: %s' % (status, said))
    check(text.startswith('ouro'), 'no message: ' + said)
    for word in words:
        check(word.lower() in text.lower(), 'the message lacks %r: %s' % (word, said))
    check(result.stdout == b'', 'standard output: %r' % result.stdout[:100])
    check(listing(folder) == before, 'left behind: %s; %s' % (listing(folder), said))


def listing(folder):
    return sorted(os.listdir(folder))


def exports_well(path, folder):
    """A snapshot that verifies, and whose export has no edge to nowhere."""
    result = targets.ouro('verify', path)
    check(result.returncode == 0, 'verify: %s' % result.stderr.decode())
    name = os.path.join(folder, 'export')
    with open(name, 'wb') as out:
        result = targets.ouro('export', path, '--format', 'ndjson', stdout=out)
    check(result.returncode == 0, 'export: %s' % result.stderr.decode())
    report = compare.Report()
    export = compare.Export(name)
    compare.check_form(export, report)
    os.unlink(name)
    if not report.good:
        report.print()
        raise Failed('the export contradicts itself')
    return export


def not_traced(pid):
    """No thread of pid is stopped or traced; the kernel may take a moment to detach after a kill."""
    end = time.monotonic() + 30
    while True:
        states = []
        for task in os.listdir('/proc/%d/task' % pid):
            try:
                with open('/proc/%d/task/%s/status' % (pid, task)) as status:
                    fields = dict(line.split(':\t', 1) for line in status.read().splitlines() if ':\t' in line)
            except OSError:  # a thread that ended
                continue
            if fields['TracerPid'].strip() != '0' or fields['State'][0] in 'tT':
                states.append((task, fields['State'], fields['TracerPid']))
        if not states:
            return
        check(time.monotonic() < end, 'still stopped or traced: %s' % states)
        os.sched_yield()


class Counter:
    """Asks busy.py how far it is."""

    def __init__(self, target):
        self.process = target.process
        self.counts = self.ask()

    def ask(self):
        self.process.stdin.write(b'\n')
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        check(not answer['errors'], 'the target noticed: %s' % answer['errors'])
        return answer['counts']

    def goes_on(self):
        """Every thread has counted further than it was at the last call."""
        end = time.monotonic() + 60
        while True:
            counts = self.ask()
            behind = [name for name, n in counts.items() if n <= self.counts[name]]
            if not behind:
                self.counts = counts
                return
            check(time.monotonic() < end, 'stands still: %s' % behind)


# -- what can't be dumped -----------------------------------------------------------------------------------------------

@test
def no_such_process(folder):
    child = subprocess.Popen(['/bin/true'])
    child.wait()
    refused(folder, [child.pid], TARGET, 'no', 'process', str(child.pid))


@test
def no_number(folder):
    for arguments in ([], ['abc'], ['-1'], ['1', '2'], ['0'], ['99999999999999999999'], ['1x'], ['--nonsense', '1'], ['1', '--values', 'some'], ['1', '-o']):
        refused(folder, arguments, 2)


@test
def not_python(folder):
    cat = subprocess.Popen(['/bin/cat'], stdin=subprocess.PIPE)
    try:
        refused(folder, [cat.pid], TARGET, 'python')
        not_traced(cat.pid)
    finally:
        cat.stdin.close()
        cat.wait()


@test
def zombie(folder):
    child = subprocess.Popen(['/bin/true'])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    refused(folder, [child.pid], TARGET)
    child.wait()


@test
def kernel_thread(folder):
    try:
        with open('/proc/2/comm') as comm:
            if comm.read().strip() != 'kthreadd':
                raise Skipped('process 2 is none')
    except OSError:
        raise Skipped('no kernel thread is to be seen')
    refused(folder, [2], TARGET)


@test
def ourselves(folder):
    before = listing(folder)
    result = subprocess.run(['/bin/sh', '-c', 'exec "$0" dump $$', targets.OURO], cwd=folder, stderr=subprocess.PIPE)
    check(result.returncode == TARGET and result.stderr, 'status %d: %r' % (result.returncode, result.stderr))
    check(listing(folder) == before, 'left behind')




@test
def unsupported_versions(folder):
    found = []
    root = os.path.expanduser('~/.pyenv/versions')
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        command = os.path.join(root, name, 'bin', 'python' + '.'.join(name.split('.')[:2]))
        if os.access(command, os.X_OK) and name.split('.')[:2] not in (['3', str(minor)] for minor in range(8, 16)):
            found.append((name, command))
    if not found:
        raise Skipped('no other version of CPython is here')
    for name, command in found:
        with targets.target([command, '-c', 'import os, sys; print("READY %d" % os.getpid()); sys.stdout.flush(); sys.stdin.read()']) as t:
            # Before 3.7 there was no _PyRuntime by which to know one.
            known = [int(n) for n in name.split('.')[:2]] >= [3, 7]
            refused(folder, [t.pid], TARGET, *(['this version of ouro reads 3.'] if known else ['python']))
            not_traced(t.pid)


@test
def no_permission(folder):
    if os.geteuid() != 0:
        refused(folder, [1], TARGET)
        return
    if not shutil.which('setpriv'):
        raise Skipped('no setpriv')
    nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all']
    if subprocess.run(nobody + [targets.OURO, '--version'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        raise Skipped('the user nobody can\'t run %s' % targets.OURO)
    os.chmod(folder, 0o777)
    with small() as t:
        result = subprocess.run(nobody + [targets.OURO, 'dump', str(t.pid)], cwd=folder, stderr=subprocess.PIPE)
        text = result.stderr.decode()
        check(result.returncode == TARGET, 'status %d: %s' % (result.returncode, text))
        check('uid' in text or 'user' in text, 'does not name the reason: ' + text)
        check('root' in text or 'sudo' in text, 'names no remedy: ' + text)
        check(listing(folder) == [], 'left behind: %s' % listing(folder))


@test
def another_tracer(folder):
    libc = ctypes.CDLL(None, use_errno=True)
    PTRACE_SEIZE = 0x4206
    with small() as t:
        if libc.ptrace(PTRACE_SEIZE, t.pid, None, None):
            raise Skipped('ptrace: %s' % os.strerror(ctypes.get_errno()))
        refused(folder, [t.pid, '--mode', 'pause'], TARGET, 'trac', '--mode live')
        # ptrace lets go when we end; so that the target can be ended before:
        os.kill(t.pid, signal.SIGKILL)


@test
def stopped_process_stays_stopped(folder):
    with small() as t:
        os.kill(t.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, t.process.pid, os.WSTOPPED | os.WNOWAIT)
        result = targets.ouro('dump', t.pid, '-o', 's.ouro', cwd=folder)
        check(result.returncode == 0, 'status %d: %s' % (result.returncode, result.stderr))
        with open('/proc/%d/stat' % t.pid) as text:
            state = text.read().rsplit(')', 1)[1].split()[0]
        check(state == 'T', 'state %s' % state)
        exports_well(os.path.join(folder, 's.ouro'), folder)


# -- where it can't be written ------------------------------------------------------------------------------------------

@test
def output_folder_is_missing(folder):
    with small() as t:
        refused(folder, [t.pid, '-o', 'missing/s.ouro'], OTHER, 'missing')


@test
def output_is_a_folder(folder):
    os.mkdir(os.path.join(folder, 'there'))
    with small() as t:
        refused(folder, [t.pid, '-o', 'there'], USAGE, 'there')
        refused(folder, [t.pid, '-f', '-o', 'there'], USAGE, 'there')


@test
def existing_file_stays_without_force(folder):
    path = os.path.join(folder, 's.ouro')
    with open(path, 'w') as out:
        out.write('mine')
    with small() as t:
        refused(folder, [t.pid, '-o', 's.ouro'], USAGE, 's.ouro', '-f')
        with open(path) as text:
            check(text.read() == 'mine', 'the file was changed')
        result = targets.ouro('dump', t.pid, '-f', '-o', 's.ouro', cwd=folder)
        check(result.returncode == 0, result.stderr)
        exports_well(path, folder)
        check(os.stat(path).st_mode & 0o777 == 0o600, 'mode %o' % os.stat(path).st_mode)
        check(listing(folder) == ['s.ouro'], listing(folder))


@test
def default_name(folder):
    with small() as t:
        result = targets.ouro('dump', t.pid, cwd=folder)
        check(result.returncode == 0, result.stderr)
        check(len(listing(folder)) == 1 and str(t.pid) in listing(folder)[0] and listing(folder)[0].endswith('.ouro'), listing(folder))


@test
def full_disk(folder):
    disk = os.path.join(folder, 'disk')
    os.mkdir(disk)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk], stderr=subprocess.DEVNULL).returncode:
        raise Skipped('no file system of a given size can be mounted; see limit_of_file_size')
    try:
        with small() as t:
            refused(disk, [t.pid, '-o', 's.ouro'], OTHER, 'space')
            not_traced(t.pid)
    finally:
        subprocess.run(['umount', disk], check=True)


@test
def limit_of_file_size(folder):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))
    with small() as t:
        refused(folder, [t.pid, '-o', 's.ouro'], OTHER, preexec_fn=limit)
        not_traced(t.pid)


@test
def no_memory(folder):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (24 << 20, 24 << 20))
    if targets.sanitized():
        raise Skipped('the address sanitizer reserves more address space than the limit leaves')
    with small() as t:
        refused(folder, [t.pid, '-o', 's.ouro'], OTHER, 'memory', preexec_fn=limit)
        not_traced(t.pid)


@test
def output_is_a_device(folder):
    with small() as t:
        result = targets.ouro('dump', t.pid, '-f', '-o', '/dev/full', cwd=folder)
        check(result.returncode in (USAGE, OTHER) and result.stderr, 'status %d: %s' % (result.returncode, result.stderr))
        check(stat.S_ISCHR(os.stat('/dev/full').st_mode), 'replaced /dev/full')
        check(listing(folder) == [], 'left behind')


# -- at random moments --------------------------------------------------------------------------------------------------

@test
def target_dies_at_a_random_moment(folder):
    """A hundred deaths between the first instruction and the last: status 3 and no file, or 0 and a whole one."""
    source = random.Random(SEED)
    path = os.path.join(folder, 's.ouro')
    duration = how_long(folder)
    done = 0
    for i in range(ROUNDS):
        with small() as t:
            ouro = subprocess.Popen([targets.OURO, 'dump', str(t.pid), '-q', '-o', path], stderr=subprocess.PIPE)
            wait_until(time.monotonic() + source.uniform(0, duration * 1.1))
            os.kill(t.pid, signal.SIGKILL)
            text = ouro.communicate(timeout=60)[1].decode()
        if ouro.returncode == 0:
            done += 1
            check(targets.ouro('verify', path).returncode == 0, 'round %d: the file is damaged' % i)
            os.unlink(path)
        else:
            check(ouro.returncode == TARGET, 'round %d: status %d: %s' % (i, ouro.returncode, text))
            check(text.strip(), 'round %d: no message' % i)
        check(listing(folder) == [], 'round %d: left behind: %s' % (i, listing(folder)))
    print('  %d of %d dumps were done before the target died' % (done, ROUNDS))


@test
def dumper_dies_at_a_random_moment(folder):
    """Whatever ends the dumper: the target goes on, its system calls return what they should, no file is left."""
    source = random.Random(SEED)
    path = os.path.join(folder, 's.ouro')
    duration = how_long(folder, busy)
    ended = {}
    with busy() as t:
        counter = Counter(t)
        for i in range(ROUNDS):
            how = source.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
            ouro = subprocess.Popen([targets.OURO, 'dump', str(t.pid), '-q', '-o', path], stderr=subprocess.PIPE)
            wait_until(time.monotonic() + source.uniform(0, duration * 1.1))
            ouro.send_signal(how)
            text = ouro.communicate(timeout=60)[1].decode()
            ended[how.name, ouro.returncode] = ended.get((how.name, ouro.returncode), 0) + 1
            allowed = (0, -how) if how == signal.SIGKILL else (0, -how, 128 + how, OTHER)
            check(ouro.returncode in allowed, 'round %d, %s: status %d: %s' % (i, how.name, ouro.returncode, text))
            if ouro.returncode == 0 or os.path.exists(path):
                check(targets.ouro('verify', path).returncode == 0, 'round %d: the file is damaged' % i)
                os.unlink(path)
            check(listing(folder) == [], 'round %d, %s: left behind: %s' % (i, how.name, listing(folder)))
            not_traced(t.pid)
            counter.goes_on()
    print('  %s' % ', '.join('%s %d: %d' % (*k, n) for k, n in sorted(ended.items())))


@test
def busy_target_goes_on_while_it_is_dumped(folder):
    with busy() as t:
        counter = Counter(t)
        for i in range(10):
            result = targets.ouro('dump', t.pid, '-f', '-o', 's.ouro', cwd=folder)
            check(result.returncode == 0, 'status %d: %s' % (result.returncode, result.stderr))
            not_traced(t.pid)
            counter.goes_on()
        exports_well(os.path.join(folder, 's.ouro'), folder)


@test
def collecting_target_gives_whole_snapshots(folder):
    """While gc.collect() runs, the collector's lists are not what they seem; no snapshot may be made of that."""
    with targets.target([python(), os.path.join(targets.FIXTURES, 'collecting.py'), '30000']) as t:
        stops = 0
        for i in range(10):
            result = targets.ouro('dump', t.pid, '-f', '-q', '--json', '--timeout', '60', '-o', 's.ouro', cwd=folder)
            check(result.returncode == 0, 'round %d: status %d: %s' % (i, result.returncode, result.stderr))
            answer = json.loads(result.stdout)
            stops += answer.get('stops', 1)
            export = exports_well(os.path.join(folder, 's.ouro'), folder)
            nodes = sum(line['type'] == 'Node' for line in export.lines)
            check(nodes >= 30000, 'round %d: only %d of 30000' % (i, nodes))
            torn = sum(answer['unreadable'].values()) + answer.get('torn', 0)
            check(not torn, 'round %d: %s' % (i, answer))
    print('  10 dumps took %d stops' % stops)


def how_long(folder, target=small):
    """Seconds that a whole dump takes, so that random moments fall into it."""
    with target() as t:
        started = time.monotonic()
        result = targets.ouro('dump', t.pid, '-q', '-o', os.path.join(folder, 'measure.ouro'))
        duration = time.monotonic() - started
    check(result.returncode == 0, 'status %d: %s' % (result.returncode, result.stderr))
    os.unlink(os.path.join(folder, 'measure.ouro'))
    return duration


def wait_until(moment):
    """The moment itself is what is random here: nothing is waited for."""
    while time.monotonic() < moment:
        pass


def main():
    print('seed %d' % SEED)
    wanted = sys.argv[1:]
    failed = 0
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            try:
                function(folder)
                verdict = 'ok  '
            except Skipped as reason:
                verdict = 'skip (%s)' % reason
            except (Failed, subprocess.TimeoutExpired) as error:
                verdict = 'FAIL (%s)' % error
                failed += 1
            print('%s %s (%.1f s)' % (verdict, function.__name__, time.monotonic() - started), flush=True)
    print('%d failed' % failed)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
