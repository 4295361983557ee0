"""Starts programs that stand still when they say READY, for the tests that dump them."""
import contextlib
import os
import select
import signal
import subprocess
import sys

TOP = os.environ.get('top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(TOP, 'fixtures')
OURO = os.environ.get('OURO') or './ouro'
TIMEOUT_S = 300
USAGE, TARGET, OTHER = 2, 3, 5  # exit statuses: usage; the target can't be read; anything else


class Failed(Exception):
    """What a test expects is not so."""


class Skipped(Exception):
    """What a test needs is not here."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def adds_to(tests):
    """The decorator of a file's tests: adds them to its list."""
    def test(function):
        tests.append(function)
        return function
    return test


def pythons():
    """The interpreters to test: a colon-separated list of commands."""
    return [p for p in os.environ.get('OURO_TEST_PYTHONS', '/usr/bin/python3').split(':') if p]


def version(python):
    """'3.11', or '3.11d' of a debug build: what an interpreter stands for in the matrix."""
    code = 'import sys; print("%d.%d" % sys.version_info[:2] + getattr(sys, "abiflags", ""))'
    return subprocess.run([python, '-c', code], stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def few_pythons():
    """For tests that take long on each: the oldest and the newest release and one between them, without debug builds.
    OURO_TEST_ALL=1: all."""
    every = pythons()
    if os.environ.get('OURO_TEST_ALL'):
        return every
    one_of_each = {}
    for python in every:
        number = version(python)
        if not number.endswith('d'):
            one_of_each.setdefault(tuple(map(int, number.split('.'))), python)
    chosen = sorted(one_of_each)
    few = sorted({chosen[0], chosen[len(chosen) // 2], chosen[-1]}) if chosen else []
    return [one_of_each[number] for number in few] or every[:1]


class Target:
    def __init__(self, process, pid):
        self.process = process
        self.pid = pid


def sanitized():
    """Whether the command under test has the address sanitizer in it, which takes memory of its own."""
    with open(OURO, 'rb') as binary:
        return b'libasan' in binary.read()


@contextlib.contextmanager
def target(command, timeout_s=TIMEOUT_S, **kwargs):
    """Runs command until it prints 'READY pid', yields it, and ends it."""
    environment = {**os.environ, 'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONHASHSEED': '0', **kwargs.pop('env', {})}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, **kwargs)
    try:
        yield Target(process, ready(process, command, timeout_s))
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


def ready(process, command, timeout_s):
    line = b''
    while not line.endswith(b'\n'):
        if not select.select([process.stdout], [], [], timeout_s)[0]:
            raise RuntimeError('%s: not ready within %d s' % (command, timeout_s))
        piece = os.read(process.stdout.fileno(), 1)
        if not piece:
            raise RuntimeError('%s: ended with status %s before it was ready' % (command, process.wait()))
        line += piece
    word, pid = line.split()
    if word != b'READY':
        raise RuntimeError('%s: said %r' % (command, line))
    return int(pid)


def ouro(*arguments, timeout_s=TIMEOUT_S, **kwargs):
    """Runs the command under test; the caller looks at returncode, stdout and stderr. OURO_TEST_MODE: the --mode of dumps that ask for none."""
    mode = os.environ.get('OURO_TEST_MODE')
    if mode and arguments[0] == 'dump' and not {'--mode', '--core'} & set(map(str, arguments)):
        arguments += '--mode', mode
    return subprocess.run([OURO, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=kwargs.pop('stdout', subprocess.PIPE),
                          stderr=subprocess.PIPE, timeout=timeout_s, **kwargs)


if __name__ == '__main__':
    # usage: targets.py COMMAND ...: shows that the command gets ready
    with target(sys.argv[1:]) as t:
        print('ready', t.pid)
