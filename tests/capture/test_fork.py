"""A snapshot from a forked copy equals the truth as one from a pause does, nothing is left of the copy, and `auto` chooses and says why.

usage: test_fork.py [TEST ...]
Random moments come from OURO_TEST_SEED, which is printed; OURO_TEST_ROUNDS kills.
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402
import test_faults  # noqa: E402
import test_oracle  # noqa: E402

ROUNDS = int(os.environ.get('OURO_TEST_ROUNDS') or 40)
check = test_faults.check
TESTS = []

LARGE = '''
import os, sys
if 'seccomp' in sys.argv:
    import ctypes, struct
    libc = ctypes.CDLL(None, use_errno=True)
    program = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))  # allows everything
    head = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 1, ctypes.addressof(program)))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, head, 0, 0):
        sys.exit('no seccomp')
keep = [bytearray(os.urandom(1 << 20)) for _ in range(int(sys.argv[1]))]
print('READY', os.getpid(), flush=True)
sys.stdin.read()
'''


def test(function):
    TESTS.append(function)
    return function


def large(mib, *arguments):
    return targets.target([test_faults.python(), '-c', LARGE, str(mib), *arguments])


def processes():
    """pid -> (parent, name), zombies too."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/stat' % pid) as text:
                line = text.read()
        except OSError:
            continue
        found[int(pid)] = (int(line.rsplit(')', 1)[1].split()[1]), line[line.index('(') + 1:line.rindex(')')])
    return found


def nothing_left(pid, guardians=()):
    """No child of the target, no guardian of ours: at once, or as soon as the guardian has done its work."""
    end = time.monotonic() + 30
    while True:
        now = processes()
        left = [(p, name) for p, (parent, name) in now.items() if parent == pid or p in guardians]
        if not left:
            return
        check(time.monotonic() < end, 'left behind: %s' % left)
        os.sched_yield()


def dump(pid, folder, *options, **kwargs):
    result = targets.ouro('dump', pid, '-f', '-o', os.path.join(folder, 's.ouro'), '--json', *options, **kwargs)
    check(result.returncode == 0, 'status %d: %s' % (result.returncode, result.stderr.decode()))
    return json.loads(result.stdout), result.stderr.decode()


@test
def equals_the_truth(folder):
    for python in targets.few_pythons():
        for name, command in test_oracle.cases(python, False).items():
            if name != 'zoo' or os.environ.get('OURO_TEST_ALL'):  # else test_oracle.py has a zoo that is forked
                good = test_oracle.run(name, python, command, os.path.join(folder, 'kept'), '--mode', 'fork')
                check(good, '%s, %s differs' % (python, name))


@test
def tells_how_it_was_made(folder):
    with large(20) as t:
        answer, said = dump(t.pid, folder, '--mode', 'fork')
        check(answer['mode'] == 'fork' and 'mode_reason' not in answer, answer)
        check(0 < answer['reap_ns'] and 0 < answer['pause_ns'], answer)
        check(answer['stops'] == 1, answer)
        check('(fork)\n' in said and ' ms and ' in said, said)
        meta = json.loads(targets.ouro('info', os.path.join(folder, 's.ouro'), '--json').stdout)['meta']
        check(meta['capture.mode'] == 'fork' and int(meta['capture.reap_ns']) == answer['reap_ns'], meta)
        check(meta['capture.consistent'] == '1', meta)
        nothing_left(t.pid)
        test_faults.not_traced(t.pid)
        answer, said = dump(t.pid, folder, '--mode', 'pause')
        check(answer['mode'] == 'pause' and 'reap_ns' not in answer and 'mode_reason' not in answer, answer)


@test
def threads_stand_where_they_stand_in_a_pause(folder):
    with targets.target([test_faults.python(), os.path.join(targets.FIXTURES, 'waiting_threads.py'), '20', '5']) as t:
        stacks = []
        for mode in 'pause', 'fork', 'pause', 'fork':
            dump(t.pid, folder, '--mode', mode)
            said = json.loads(targets.ouro('stack', os.path.join(folder, 's.ouro'), '--json').stdout)
            check(len(said['threads']) == 21, said)
            check(all(thread['frames'] for thread in said['threads']), said)
            stacks.append(said['threads'])
        check(stacks[0] == stacks[2] and stacks[1] == stacks[0] and stacks[3] == stacks[0], 'differ: %s' % stacks)


@test
def auto_pauses_what_is_small_and_forks_what_is_large(folder):
    with large(5) as t:
        answer, said = dump(t.pid, folder)
        check(answer['mode'] == 'pause' and 'are copied in about' in answer['mode_reason'], answer)
        check('(pause: its ' in said, said)
    with large(300) as t:
        answer, said = dump(t.pid, folder)
        check(answer['mode'] == 'fork' and 'would take about' in answer['mode_reason'], answer)
        check('(fork: copying its ' in said, said)
        nothing_left(t.pid)
        # Between what a fork takes and what copying takes.
        answer, said = dump(t.pid, folder, '--mode', 'pause', '--max-pause', '30ms')
        check(answer['mode'] == 'fork', answer)
        answer, said = dump(t.pid, folder, '--max-pause', '1h')
        check(answer['mode'] == 'fork', answer)
        answer, said = dump(t.pid, folder, '--mode', 'pause', '--max-pause', '5s')
        check(answer['mode'] == 'pause' and 'mode_reason' not in answer, answer)
        check(answer['pause_ns'] < 5e9, answer)
        nothing_left(t.pid)


@test
def a_promise_that_can_not_be_kept_stops_nobody(folder):
    with large(300) as t:
        for options in [], ['--mode', 'pause'], ['--mode', 'fork']:
            test_faults.refused(folder, [t.pid, '-o', 'x.ouro', '--max-pause', '1ms', *options], test_faults.TARGET, 'longer than', '1 ms')
        nothing_left(t.pid)


@test
def a_filter_is_left_alone(folder):
    try:
        target = large(100, 'seccomp')
        with target as t:
            for options in [], ['--mode', 'fork']:
                answer, said = dump(t.pid, folder, *options)
                check(answer['mode'] == 'pause' and 'seccomp' in answer['mode_reason'], answer)
                check('no forked copy' in said, said)
            test_faults.refused(folder, [t.pid, '-o', 'x.ouro', '--max-pause', '2ms'], test_faults.TARGET, 'seccomp')
            with open('/proc/%d/stat' % t.pid) as text:
                check(text.read().rsplit(')', 1)[1].split()[0] == 'S', 'does not live')
    except RuntimeError as error:
        raise test_faults.Skipped(str(error))


@test
def stopped_stays_stopped(folder):
    with large(10) as t:
        os.kill(t.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, t.process.pid, os.WSTOPPED | os.WNOWAIT)
        answer, _ = dump(t.pid, folder, '--mode', 'fork')
        check(answer['mode'] == 'fork', answer)
        with open('/proc/%d/stat' % t.pid) as text:
            check(text.read().rsplit(')', 1)[1].split()[0] == 'T', 'it runs')
        nothing_left(t.pid)


@test
def options_that_contradict(folder):
    for options in (['1', '--mode', 'x'], ['1', '--mode'], ['--core', 'x', '--mode', 'pause'], ['--core', 'x', '--max-pause', '1s'],
                    ['1', '--max-pause', '0s'], ['1', '--max-pause', '5'], ['1', '--max-pause', '5x'], ['1', '--max-pause', '-1s']):
        test_faults.refused(folder, options, test_faults.USAGE)


def starting(pid, folder, *options):
    return subprocess.Popen([targets.OURO, 'dump', str(pid), '-f', '-q', '-o', os.path.join(folder, 's.ouro'), '--mode', 'fork', *options],
                            stderr=subprocess.PIPE)


def guardians_of(process):
    """The guardian, which is its child, if it has one by now."""
    return [p for p, (parent, _) in processes().items() if parent == process.pid]


@test
def killed_at_any_moment_it_leaves_nothing(folder):
    moments = random.Random(test_faults.SEED)
    with test_faults.busy() as t:
        counter = test_faults.Counter(t)
        before = time.monotonic()
        dump(t.pid, folder, '--mode', 'fork')
        lasts = time.monotonic() - before
        counts = {'ended before': 0, 'killed': 0}
        for i in range(ROUNDS):
            process = starting(t.pid, folder)
            end = time.monotonic() + moments.uniform(0, lasts)
            guardians = []
            while time.monotonic() < end and process.poll() is None:
                guardians = guardians or guardians_of(process)
            guardians += guardians_of(process)
            process.send_signal(moments.choice([signal.SIGKILL] * 3 + [signal.SIGTERM, signal.SIGINT]))
            process.communicate()
            counts['killed' if process.returncode else 'ended before'] += 1
            nothing_left(t.pid, guardians)
            test_faults.not_traced(t.pid)
            if i % 10 == 9:
                counter.goes_on()
        print('    %s' % counts)
        for name in test_faults.listing(folder):
            check(name == 's.ouro' or name.startswith('.') or '.ouro' in name, name)


@test
def a_target_that_dies_ends_the_dump_in_words(folder):
    moments = random.Random(test_faults.SEED)
    for _ in range(8):
        with large(40) as t:
            process = starting(t.pid, folder)
            time.sleep(moments.uniform(0, 0.15))  # any moment is a good one
            os.kill(t.pid, signal.SIGKILL)
            _, said = process.communicate(timeout=60)
            check(process.returncode in (0, test_faults.TARGET), 'status %d: %s' % (process.returncode, said))
            check(process.returncode == 0 or said.startswith(b'ouro'), said)


def main():
    failed = 0
    print('seed %d' % test_faults.SEED)
    for function in TESTS:
        if sys.argv[1:] and function.__name__ not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(folder)
                print('ok   %s' % function.__name__)
            except test_faults.Skipped as reason:
                print('skip %s: %s' % (function.__name__, reason))
            except test_faults.Failed as error:
                print('FAIL %s: %s' % (function.__name__, error))
                failed += 1
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
