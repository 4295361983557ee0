"""A process that stays inside a garbage collection is captured with all that the collection works on, and the thread is named. On every
interpreter of OURO_TEST_PYTHONS.

usage: test_stuck.py [PYTHON ...]
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402
import test_core  # noqa: E402

STUCK = os.path.join(targets.FIXTURES, 'stuck.py')
SAID = re.compile(r'^gc: (?:un)?collectable <(\S+) (0x[0-9a-f]+)>$')
FAILED = []


def expect(condition, *words):
    if not condition:
        FAILED.append(words)
        print('FAIL', *words)
        sys.stdout.flush()


class Capture:
    """The target `how`, what it and its collector said, and the snapshot of it. of_core: of a core that this made of it."""

    def __init__(self, python, folder, how, *arguments, timeout_s=60, of_core=None):
        self.name = '%s, %s %s:' % (python, how, ' '.join(map(str, arguments)))
        said, path = os.path.join(folder, 'collectable.txt'), os.path.join(folder, 's.ouro')
        self.path = path
        with targets.target([python, STUCK, how, said, *map(str, arguments)]) as t:
            line = b''
            while not line.endswith(b'\n'):
                line += os.read(t.process.stdout.fileno(), 1)
            self.about, self.pid = json.loads(line), t.pid
            started = time.monotonic()
            source = ('--core', of_core(folder, self)) if of_core else (t.pid, '--timeout', timeout_s)
            result = targets.ouro('dump', *source, '-f', '-o', path)
            self.duration_s = time.monotonic() - started
            if result.returncode:
                raise RuntimeError('%s %s' % (self.name, result.stderr.decode()))
            self.stderr = result.stderr.decode()
            with open('/proc/%d/status' % t.pid) as status:
                expect('TracerPid:\t0' in status.read(), self.name, 'still traced')
        with open(said) as text:
            self.collectable = {m.group(2): m.group(1) for m in map(SAID.match, text.read().splitlines()) if m}
        self.objects = {o['addr']: o for o in map(json.loads, targets.ouro('export', path).stdout.splitlines()[1:])}
        self.unreachable = {a for a, o in self.objects.items() if o.get('unreachable')}
        self.info = json.loads(targets.ouro('info', path, '--json').stdout)
        finding = [f for f in self.info['findings'] if f['kind'] == 'collecting']
        self.finding = finding[0]['text'] if finding else ''

    def reached_from(self, address):
        seen, todo = set(), [address]
        while todo:
            at = todo.pop()
            if at not in seen and at in self.objects:
                seen.add(at)
                todo += self.objects[at]['refs']
        return seen

    def expect(self, condition, *words):
        expect(condition, self.name, *words)

    def check_thread(self):
        thread = self.about['thread']
        self.expect(('thread %d' % thread) in self.finding, 'the finding does not name thread', thread, self.finding)
        self.expect(("'collecting thread'" in self.finding) == (thread != self.pid), 'its name', self.finding)
        self.expect('(thread %d)' % thread in self.stderr, 'dump does not name it', self.stderr)
        interpreter = self.info['interpreters'][0]
        self.expect(interpreter['gc_collecting'] and interpreter.get('gc_collecting_thread') == thread, '--json', interpreter)
        self.expect(not any(f['kind'] in ('unreadable', 'inconsistent', 'torn') for f in self.info['findings']), self.info['findings'])

    def check_all_found(self, generation=2):
        alive = self.reached_from(self.about['stuck'])
        # Up to 3.10 a generator that was closed has freed its frame, which another function may use.
        there = {a for a, name in self.collectable.items()
                 if name != 'frame' or self.objects.get(a, {'gc': None})['gc'] is not None}
        self.expect(len(there) > 1000, 'the collector named only', len(there))
        missing = there - alive - self.unreachable
        self.expect(not missing, len(missing), 'of', len(there), 'are not unreachable:', [(a, self.collectable[a], a in self.objects) for a in sorted(missing)[:5]])
        more = self.unreachable - there
        self.expect(not more, len(more), 'more are:', [(a, self.objects[a]['type']) for a in sorted(more)[:5]])
        self.expect(all(self.objects[a]['gc'] is not None for a in there if a in self.objects), 'some are not tracked')
        self.expect(all(self.objects[a]['type'] == self.collectable[a] for a in there if a in self.objects), 'some have become others')
        named = 'generation %d' % generation
        self.expect(named in self.finding, named, self.finding)
        nodes = [o for o in self.objects.values() if o['type'] == 'Kept']
        self.expect(len(nodes) == 1000 and not any(o.get('unreachable') for o in nodes), len(nodes), 'kept objects')


    def check_reports(self):
        """What it would go on with, and that it is stuck and where: garbage and cycles say so too."""
        garbage = json.loads(targets.ouro('garbage', self.path, '--json').stdout)
        self.expect(set(garbage['unreachable']['addresses']) == self.unreachable, 'garbage finds others')
        self.expect(self.about['stuck'] in set(garbage['resurrected']['addresses']), 'the stuck one', garbage['resurrected'])
        for page in garbage, json.loads(targets.ouro('cycles', self.path, '--json').stdout):
            doubts = [d['text'] for d in page['doubts'] if d['kind'] == 'collecting']
            self.expect(len(doubts) == 1 and 'thread %d' % self.about['thread'] in doubts[0], page['ouro'], doubts)


def a_finalizer_that_waits_for_a_lock(python, folder):
    capture = Capture(python, folder, 'lock')
    capture.check_thread()
    capture.check_all_found()
    capture.check_reports()
    capture.expect(capture.duration_s < 50, 'waited until its time was over:', capture.duration_s)


def in_a_collection_of_a_young_generation(python, folder):
    code = 'import sys; print(sys.version_info[:2] == (3, 14) and sys.version_info[2] < 5)'
    if subprocess.run([python, '-c', code], stdout=subprocess.PIPE).stdout == b'True\n':
        return  # the incremental collector takes what it likes
    for generation in (0, 1):
        capture = Capture(python, folder, 'lock', generation)
        capture.check_thread()
        capture.check_all_found(generation)


def a_callback_of_a_weak_reference_that_waits(python, folder):
    capture = Capture(python, folder, 'callback')
    capture.check_thread()
    capture.check_all_found()


def garbage_that_is_half_taken_apart(python, folder):
    capture = Capture(python, folder, 'clear')
    capture.check_thread()
    behind = [a for a in capture.unreachable if capture.objects[a]['type'] in ('Node', 'Finalized')]
    capture.expect(len(behind) >= 80, 'only', len(behind), 'of what is behind')
    more = capture.unreachable - set(capture.collectable)
    capture.expect(not more, len(more), 'that the collector did not name:', [capture.objects[a]['type'] for a in sorted(more)[:5]])


def the_main_thread_collects(python, folder):
    capture = Capture(python, folder, 'main')
    capture.check_thread()
    capture.check_all_found()


def nobody_gives_up_the_gil(python, folder):
    """The dump waits until its time is over, and takes it as it is."""
    for how in ('busy', 'memory'):
        capture = Capture(python, folder, how, timeout_s=2)
        capture.check_thread()
        capture.check_all_found()
        capture.expect(capture.duration_s >= 2, 'did not wait:', capture.duration_s)


def core_of(folder, capture):
    capture.lost = []  # gdb writes the stacks of some threads as zeroes, and says so
    return test_core.gcore(folder, capture.pid, capture.lost)


def core_without_the_stack(folder, capture):
    """Takes the segment with the stack of the thread that collects out of a core: its ident is an address there."""
    path = core_of(folder, capture)
    taken = 0
    with open(path, 'r+b') as core:
        header = core.read(64)
        at, size, count = struct.unpack_from('<Q', header, 32)[0], *struct.unpack_from('<HH', header, 54)
        for i in range(count):
            core.seek(at + i * size)
            kind, flags, offset, start, physical, in_file, in_memory = struct.unpack('<IIQQQQQ', core.read(48))
            if kind == 1 and start <= capture.about['ident'] < start + in_memory:
                core.seek(at + i * size + 32)
                core.write(struct.pack('<Q', 0))
                taken += 1
    expect(taken == 1, 'segments with the stack of the thread:', taken)
    return path


def a_core_of_it(python, folder):
    capture = Capture(python, folder, 'lock', of_core=core_of)
    if not capture.lost:
        capture.check_thread()
    capture.check_all_found()


def without_the_lists_heads(python, folder):
    """Where the stack isn't there, what the collection works on is found in memory."""
    capture = Capture(python, folder, 'lock', of_core=core_without_the_stack)
    capture.check_all_found()
    found = re.search(r'(\d+) objects were found by its own lists and (\d+) in memory', capture.finding)
    capture.expect(found and found.group(1) == '0' and int(found.group(2)) >= len(capture.unreachable), capture.finding)
    capture.expect('in thread' not in capture.finding, capture.finding)


def main():
    tests = [a_finalizer_that_waits_for_a_lock, a_callback_of_a_weak_reference_that_waits, garbage_that_is_half_taken_apart,
             the_main_thread_collects]
    more = [in_a_collection_of_a_young_generation, nobody_gives_up_the_gil, a_core_of_it, without_the_lists_heads]
    versions = set()
    for python in sys.argv[1:] or targets.pythons():
        whole = targets.version(python) not in versions and not targets.version(python).endswith('d') or len(sys.argv) > 1
        versions.add(targets.version(python))
        for test in tests + more * whole:
            with tempfile.TemporaryDirectory() as folder:
                before, started = len(FAILED), time.monotonic()
                test(python, folder)
                print('%s %s, %s (%.1f s)' % ('FAIL' if len(FAILED) > before else 'ok  ', python, test.__name__, time.monotonic() - started),
                      flush=True)
    print('%d failed' % len(FAILED))
    return 1 if FAILED else 0


if __name__ == '__main__':
    sys.exit(main())
