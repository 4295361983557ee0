"""The fault campaign: a process that checks itself is dumped again and again, in each mode, and we end the dump in every way at random
moments. Nothing may be lost, disturbed or left behind.

usage: campaign.py [MODE ...]

MODE is pause, live or fork (default: all that this ouro has). From the environment:

    OURO_CAMPAIGN_DUMPS    dumps in each mode (1000)
    OURO_CAMPAIGN_SECONDS  no dump but the first five is begun after so many, in each mode (no limit)
    OURO_SEED              the seed that a campaign printed: the same plans in the same order
    OURO_CAMPAIGN_PYTHON   the interpreter of the targets
    OURO_CAMPAIGN_PLAN     this plan only
    OURO_CAMPAIGN_PATIENCE seconds in which what a dump leaves has to be gone (20)

Each dump follows a plan:

    whole     nothing happens to it
    int, term, kill   the signal, at a random moment
    disk      a file may not grow beyond a random size
    memory    ouro's address space, or its cgroup, ends at a random size (with the address sanitizer: only its cgroup)
    target    the target dies at a random moment (one of its own, small)
    guardian  (fork) the processes that ouro left to watch over the copy get SIGKILL at a random moment: counted apart

After each: the target lives, is not traced nor stopped, nothing went wrong in any of its threads and all have gone on; no file but a whole
snapshot, no process of ouro's; with all threads parked the mappings, threads, descriptors and children of the target are what they were at
first.
"""
import collections
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

DUMPS = int(os.environ.get('OURO_CAMPAIGN_DUMPS') or 1000)
SECONDS = float(os.environ.get('OURO_CAMPAIGN_SECONDS') or 'inf')
SEED = int(os.environ.get('OURO_SEED') or random.SystemRandom().randrange(10**6))
PYTHON = os.environ.get('OURO_CAMPAIGN_PYTHON') or targets.pythons()[0]
LEAST = 5  # dumps, whatever the time
PATIENCE = float(os.environ.get('OURO_CAMPAIGN_PATIENCE') or 20)
MARK = 'OURO_CAMPAIGN_%d' % os.getpid()  # in the environment of all that we start as ouro
PLANS = {'whole': 20, 'int': 15, 'term': 15, 'kill': 30, 'disk': 7, 'memory': 8, 'target': 5, 'guardian': 0}
SIGNALS = {'int': signal.SIGINT, 'term': signal.SIGTERM, 'kill': signal.SIGKILL}
TARGET, OTHER = 3, 5
# Calls that any stop of the kernel's ends with EINTR: signal(7).
ANY_STOP = {'epoll_wait', 'semtimedop', 'sigtimedwait', 'wait4'}


class Harm(Exception):
    """What must not be: (kind, text); kind is lost, disturbed or left behind."""


def fields_of(path):
    with open(path) as status:
        return dict(line.split(':\t', 1) for line in status.read().splitlines() if ':\t' in line)


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


def of_ours():
    """Processes that carry our mark: pid -> name."""
    found = {}
    for name in os.listdir('/proc'):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open('/proc/%s/environ' % name, 'rb') as environment:
                if MARK.encode() in environment.read():
                    with open('/proc/%s/comm' % name) as comm:
                        found[int(name)] = comm.read().strip()
        except OSError:
            continue
    return found


class Checked:
    """The target that checks itself."""

    def __init__(self, library):
        environment = {**os.environ, 'PYTHONDONTWRITEBYTECODE': '1'}
        command = [PYTHON, os.path.join(targets.FIXTURES, 'selfcheck.py'), library]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.pid = targets.ready(self.process, command, 60)
        self.interrupted, self.wrong_count = collections.Counter(), 0
        self.at_first = self.parked()

    def ask(self, what):
        try:
            self.process.stdin.write(what.encode() + b'\n')
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = b''
        if not line:
            raise Harm('lost', 'the target ended')
        return json.loads(line)

    def goes_on(self):
        """Nothing is wrong, also after a whole round of every thread that was begun after the call."""
        end, first = time.monotonic() + 60, None
        while True:
            said = self.ask('report')
            if said['wrong_count'] != self.wrong_count:
                self.wrong_count = said['wrong_count']
                raise Harm('disturbed', '; '.join(said['wrong'][-3:]))
            first = first or said['rounds']
            behind = [name for name, n in said['rounds'].items() if n < first[name] + 2]
            if not behind:
                break
            if time.monotonic() > end:
                raise Harm('disturbed', 'stand still: %s' % behind)
        self.interrupted = collections.Counter(said['interrupted'])

    def is_let_go(self):
        """No thread is stopped or traced; the kernel may take a moment to detach after a kill."""
        states = []

        def free():
            states[:] = []
            for task in os.listdir('/proc/%d/task' % self.pid):
                try:
                    fields = fields_of('/proc/%d/task/%s/status' % (self.pid, task))
                except OSError:  # a thread that ended
                    continue
                if fields['TracerPid'].strip() != '0' or fields['State'][0] in 'tT':
                    states.append((task, fields['State'], fields['TracerPid']))
            return not states
        try:
            if not wait_until(free, PATIENCE):
                raise Harm('left behind', 'stopped or traced: %s' % states)
        except OSError as error:
            raise Harm('lost', 'the target ended') from error

    def parked(self):
        """What it has while all of its threads are parked: what must be the same before and after."""
        self.ask('rest')
        with open('/proc/%d/maps' % self.pid) as maps:
            lines = [line.split(None, 5) for line in maps]
        mappings = [(range_, rights, rest[-1].strip() if len(rest) == 4 else '') for range_, rights, *rest in lines]
        tasks = sorted(os.listdir('/proc/%d/task' % self.pid), key=int)
        children = {}
        for task in tasks:
            with open('/proc/%d/task/%s/children' % (self.pid, task)) as file:
                for child in file.read().split():
                    with open('/proc/%s/stat' % child) as stat:
                        children[child] = stat.read().rsplit(')', 1)[1].split()[0]
        descriptors = {}
        for fd in os.listdir('/proc/%d/fd' % self.pid):
            descriptors[fd] = os.readlink('/proc/%d/fd/%s' % (self.pid, fd))
        self.ask('go')
        return {'mappings': mappings, 'threads': tasks, 'children': children, 'descriptors': descriptors}

    def is_as_it_was(self):
        now = self.parked()
        for name, before in self.at_first.items():
            if name == 'mappings':
                self.compare_mappings(before, now[name])
            elif before != now[name]:
                raise Harm('left behind', '%s: %s, and at first %s' % (name, now[name], before))

    def compare_mappings(self, before, after):
        """Its own heap and arenas may grow or shrink; nothing else comes or goes, and no code."""
        def fixed(mappings):
            return {m for m in mappings if m[2] not in ('', '[heap]', '[stack]') or 'x' in m[1]}
        come, gone = fixed(after) - fixed(before), fixed(before) - fixed(after)
        if come or gone:
            raise Harm('left behind', 'mappings that came: %s; that went: %s' % (sorted(come), sorted(gone)))
        if len(after) > len(before) + 24:
            raise Harm('left behind', '%d mappings, and at first %d' % (len(after), len(before)))

    def end(self):
        try:
            self.process.stdin.write(b'end\n')
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def limit_of_files(size):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def limit_of_addresses(size):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))


class Cgroup:
    """A memory cgroup of version 1 or 2, in which ouro is killed when it takes too much; path None: none can be made."""

    def __init__(self):
        self.path = None
        for point, kind, options in [line.split()[1:4] for line in open('/proc/mounts')]:
            if kind == 'cgroup' and 'memory' in options.split(','):
                self.file = 'memory.limit_in_bytes'
            elif kind == 'cgroup2' and 'memory' in open(os.path.join(point, 'cgroup.subtree_control')).read().split():
                self.file = 'memory.max'
            else:
                continue
            path = os.path.join(point, MARK)
            try:
                os.mkdir(path)
            except OSError:
                continue
            self.path = path
            try:
                self.limit(64 << 20)
                return
            except OSError:
                self.remove()

    def limit(self, size):
        with open(os.path.join(self.path, self.file), 'w') as out:
            out.write(str(size))

    def enter(self):
        with open(os.path.join(self.path, 'cgroup.procs'), 'w') as out:
            out.write('0')

    def remove(self):
        if self.path:
            wait_until(lambda: not open(os.path.join(self.path, 'cgroup.procs')).read(), 20)
            os.rmdir(self.path)
        self.path = None


class Campaign:
    def __init__(self, mode, folder, library, cgroup):
        self.mode, self.folder, self.library, self.cgroup = mode, folder, library, cgroup
        self.source = random.Random('%d %s' % (SEED, mode))
        self.path = os.path.join(folder, 's.ouro')
        self.counts = collections.Counter()
        self.interrupted, self.harm, self.apart = collections.Counter(), [], 0
        self.checked, self.duration = None, 0.0

    def start_ouro(self, pid, before=None):
        command = [targets.OURO, 'dump', str(pid), '-q', '--mode', self.mode, '-o', self.path]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=before,
                                env={**os.environ, MARK: '1'})

    def measure(self):
        """How long a whole dump takes: within that lie the random moments."""
        times = []
        for i in range(3):
            started = time.monotonic()
            ouro = self.start_ouro(self.checked.pid)
            text = ouro.communicate()[1].decode()
            times.append(time.monotonic() - started)
            if ouro.returncode:
                raise RuntimeError('--mode %s: status %d: %s' % (self.mode, ouro.returncode, text))
            os.unlink(self.path)
        self.duration = sorted(times)[1]

    def at_random(self, ouro, act):
        moment = time.monotonic() + self.source.uniform(0, self.duration * 1.1)
        while time.monotonic() < moment:
            time.sleep(0.0002)
        act()

    def kill_guardians(self, ouro):
        for pid in of_ours():
            if pid != ouro.pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                    self.counts['guardian', 'killed'] += 1
                except ProcessLookupError:
                    pass

    def run_ouro(self, plan):
        """Status, its words, and the statuses that are allowed."""
        before, act, allowed = None, None, {0}
        if plan in SIGNALS:
            number = SIGNALS[plan]
            allowed |= {-number} if plan == 'kill' else {-number, 128 + number, OTHER}
        elif plan == 'disk':
            before, allowed = limit_of_files(self.source.randrange(0, 600000)), {0, OTHER}
        elif plan == 'memory' and self.cgroup.path and (self.source.random() < 0.5 or targets.sanitized()):
            self.cgroup.limit(self.source.randrange(1 << 20, 48 << 20))
            before, allowed = self.cgroup.enter, {0, -signal.SIGKILL, OTHER, TARGET, 127}
        elif plan == 'memory':
            before, allowed = limit_of_addresses(self.source.randrange(16 << 20, 256 << 20)), {0, OTHER, TARGET, 127, -signal.SIGSEGV}
        elif plan == 'guardian':
            allowed = {0, OTHER, TARGET}
        try:
            ouro = self.start_ouro(self.checked.pid, before)
        except subprocess.SubprocessError:  # not even that much memory
            return OTHER, 'not started', allowed
        if plan in SIGNALS:
            self.at_random(ouro, lambda: ouro.send_signal(SIGNALS[plan]))
        elif plan == 'guardian':
            self.at_random(ouro, lambda: self.kill_guardians(ouro))
        text = ouro.communicate(timeout=120)[1].decode(errors='replace')
        return ouro.returncode, text, allowed

    def target_dies(self):
        command = [PYTHON, os.path.join(targets.FIXTURES, 'small.py')]
        with targets.target(command) as target:
            ouro = self.start_ouro(target.pid)
            self.at_random(ouro, lambda: os.kill(target.pid, signal.SIGKILL))
            text = ouro.communicate(timeout=120)[1].decode(errors='replace')
        if os.path.exists('/proc/%d' % target.pid):
            raise Harm('left behind', 'the dead target is a zombie')
        return ouro.returncode, text, {0, TARGET}

    def one(self, number, plan):
        status, text, allowed = self.target_dies() if plan == 'target' else self.run_ouro(plan)
        self.counts[plan, 'whole' if status == 0 else 'given up'] += 1
        where = 'dump %d, %s: status %d: %s' % (number, plan, status, text.strip()[-500:])
        if status not in allowed:
            raise Harm('disturbed', 'unexpected end: ' + where)
        there = os.listdir(self.folder)
        if there not in ([], ['s.ouro']) or (there and status and plan not in SIGNALS):
            for name in there:
                os.unlink(os.path.join(self.folder, name))
            raise Harm('left behind', 'files %s: %s' % (there, where))
        if there:
            if self.source.random() < 0.2 or status:
                verified = targets.ouro('verify', self.path)
                if verified.returncode:
                    raise Harm('left behind', 'a damaged file: %s: %s' % (where, verified.stderr))
            os.unlink(self.path)
        elif status == 0:
            raise Harm('disturbed', 'no file: ' + where)
        if not wait_until(lambda: not of_ours(), PATIENCE):
            raise Harm('left behind', 'processes %s: %s' % (of_ours(), where))
        self.checked.is_let_go()
        self.checked.goes_on()
        self.checked.is_as_it_was()

    def begin(self):
        self.checked = Checked(self.library)
        if not self.duration:
            self.measure()
            self.checked.goes_on()

    def run(self):
        only = os.environ.get('OURO_CAMPAIGN_PLAN')
        plans = {only: 1} if only else dict(PLANS, guardian=10 if self.mode == 'fork' else 0)
        if targets.sanitized() and not self.cgroup.path:  # the sanitizer reserves more addresses than any limit leaves
            plans.pop('memory', None)
        self.begin()
        started = time.monotonic()
        try:
            for number in range(DUMPS):
                if number >= LEAST and time.monotonic() - started > SECONDS:
                    break
                plan = self.source.choices(list(plans), list(plans.values()))[0]
                try:
                    self.one(number, plan)
                except Harm as harm:
                    self.note(harm, plan, number)
        finally:
            self.interrupted.update(self.checked.interrupted)
            self.checked.end()
        unexpected = set(self.interrupted) - (ANY_STOP if self.mode != 'live' else set())
        for name in unexpected:
            self.harm.append('disturbed: %s gave EINTR %d times' % (name, self.interrupted[name]))

    def note(self, harm, plan, number):
        kind, text = harm.args
        if kind == 'lost':
            self.interrupted.update(self.checked.interrupted)
            self.checked.end()
        if plan == 'guardian':  # stated in docs/production.md: what is left when the guardian itself is killed
            self.apart += 1
            print('  apart: dump %d: %s: %s' % (number, kind, text), flush=True)
            if kind != 'lost':
                self.checked.end()
            self.checked = Checked(self.library)
            return
        self.counts[plan, kind] += 1
        self.harm.append('%s: dump %d, %s: %s' % (kind, number, plan, text))
        print('  HARM ' + self.harm[-1], flush=True)
        if kind != 'lost':  # another target: what one dump did is not the fault of the next
            self.interrupted.update(self.checked.interrupted)
            os.kill(self.checked.pid, signal.SIGCONT)
            self.checked.end()
        self.checked = Checked(self.library)

    def print_table(self):
        columns = ['whole', 'given up', 'lost', 'disturbed', 'left behind']
        print('%-8s %-10s %s' % ('mode', 'plan', ' '.join('%11s' % c for c in columns)))
        plans = [plan for plan in PLANS if any(self.counts[plan, c] for c in columns)]
        for plan in plans:
            print('%-8s %-10s %s' % (self.mode, plan, ' '.join('%11d' % self.counts[plan, c] for c in columns)))
        print('%-8s %-10s %s' % (self.mode, 'all', ' '.join('%11d' % sum(self.counts[p, c] for p in plans) for c in columns)))
        said = ', '.join('%s %d' % item for item in sorted(self.interrupted.items())) or 'none'
        print('%-8s EINTR of calls that any stop interrupts: %s' % (self.mode, said))
        if self.mode == 'fork':
            print('%-8s the guardian killed: %d times, of which the target did not stay as it was: %d' %
                  (self.mode, self.counts['guardian', 'killed'], self.apart))
        print(flush=True)


def library(folder):
    path = os.path.join(folder, 'selfcheck.so')
    compiler = os.environ.get('CC', '').split() or [shutil.which('cc') or 'gcc']
    source = os.path.join(targets.FIXTURES, 'selfcheck_library.c')
    subprocess.run(compiler + ['-shared', '-fPIC', '-O1', '-pthread', '-o', path, source], check=True)
    return path


def modes():
    with targets.target([PYTHON, os.path.join(targets.FIXTURES, 'small.py')]) as target, tempfile.TemporaryDirectory() as folder:
        return [mode for mode in ('pause', 'live', 'fork')
                if targets.ouro('dump', target.pid, '-q', '-f', '--mode', mode, '-o', os.path.join(folder, 's.ouro')).returncode == 0]


def main():
    print('seed %d, %s' % (SEED, PYTHON), flush=True)
    harm, cgroup = [], Cgroup()
    if not cgroup.path:
        print('no memory cgroup can be made: nobody is killed by the kernel for memory')
    if targets.sanitized():
        print('ouro has the address sanitizer in it: its address space is not limited')
    try:
        for mode in sys.argv[1:] or modes():
            with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as build:
                campaign = Campaign(mode, folder, library(build), cgroup)
                campaign.run()
                campaign.print_table()
                harm += campaign.harm
    finally:
        cgroup.remove()
    print('%d harmed (OURO_SEED=%d)' % (len(harm), SEED))
    return 1 if harm else 0


if __name__ == '__main__':
    sys.exit(main())
