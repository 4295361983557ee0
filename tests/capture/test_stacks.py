"""Lines, states, locks and waits of a snapshot equal what the interpreter itself says of fixtures/stacks.py.

usage: test_stacks.py [--keep FOLDER] [PYTHON ...]
"""
import argparse
import collections
import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'snapshot'))
import compare  # noqa: E402
import reader  # noqa: E402
import targets  # noqa: E402

STACKS = os.path.join(targets.FIXTURES, 'stacks.py')
STATES = ['unknown', 'created', 'suspended', 'awaiting', 'executing', 'finished']
KINDS = ['other', 'lock', 'gil', 'thread']
EPOLL = {232, 281}
SPUN = 10  # tries to meet a thread that waits for the GIL while it sleeps: it looks around every few milliseconds


class Heap:
    """A snapshot by addresses: the export's objects, and the tables that it does not show."""
    def __init__(self, path):
        snapshot = reader.Snapshot(path)
        exported = targets.ouro('export', path, '--format', 'ndjson').stdout.decode('utf-8').splitlines()
        self.lines_of_export = list(map(json.loads, exported[1:]))
        self.by_address = {o['addr']: o for o in self.lines_of_export}
        node = self.lines_of_export
        self.lines = {node[n]['addr']: (line, STATES[state]) for n, line, state in snapshot.lines}
        self.locks = {node[n]['addr']: [owner, count] for n, owner, count in snapshot.locks}
        self.threads = {}  # by ident and by number
        for i, (_, ident, tid, _, _, state, call, gil, root) in enumerate(snapshot.threads):
            frames = [self.by_address[a] for a, label in self.edges(node[root]) if label.startswith('frames[')]
            self.threads[ident] = {'tid': tid, 'state': chr(state), 'call': call, 'gil': gil, 'wait': (None, None), 'frames': frames}
            self.threads[i] = self.threads[ident]
        for thread, kind, n in snapshot.waits:
            self.threads[thread]['wait'] = KINDS[kind], n is not None and node[n]['addr'] or None

    @staticmethod
    def edges(o):
        return list(zip(o['refs'] + o.get('hidden', []), o['labels'] + o.get('hidden_labels', [])))

    def field(self, o, name):
        return next((a for a, label in self.edges(o) if label == name), None)

    def holder(self, pseudo):
        """What holds the local variables of a frame: itself, a frame object, a generator."""
        if 'weak' in pseudo:
            generator = self.by_address[pseudo['weak'][0]]
            frame = self.field(generator, 'gi_frame')
            return [pseudo, generator] if frame is None else [self.by_address[frame]]
        frame = self.field(pseudo, 'frame')
        return [pseudo] if self.field(pseudo, 'f_code') or frame is None else [self.by_address[frame]]

    def local(self, holders, name):
        for holder in holders:
            address = self.field(holder, name)
            if address is not None:
                cell = self.by_address[address]
                return {address} | {a for a, label in self.edges(cell) if cell['type'] == 'cell'}
        return set()

    def awaited(self, address):
        """The last of the value stack of a generator."""
        o = self.by_address[address]
        if self.field(o, 'gi_frame'):
            o = self.by_address[self.field(o, 'gi_frame')]
        stack = [(int(label[len('<stack['):-2]), a) for a, label in self.edges(o) if label.startswith('<stack[')]
        return max(stack)[1] if stack else None


def check_frame(true, ours, line, report, where):
    """The name of a pseudo object: function (file:line)."""
    name = re.match(r'(?s)(.*) \((.*):(\d+)\)$', ours['name'])
    function = name.group(1).split('.')[-1] if true['function'] != '<lambda>' else '<lambda>'
    if [function, name.group(2)] != [true['function'], true['file']]:
        report.differ('frame', true['function'], '%s: true %r, ours %r' % (where, true, ours['name']))
    if not (line == true['line'] == int(name.group(3))):
        report.differ('line', true['function'], '%s: true %d, ours %d (%s)' % (where, true['line'], line, ours['name']))


def check_locals(true, ours, heap, report, where):
    holders = heap.holder(ours)
    if 'namespace' in true:
        if not any(heap.field(holder, 'f_locals') == true['namespace'] for holder in holders):
            report.differ('namespace', true['function'], '%s: true %s' % (where, true['namespace']))
        return
    report.counts['locals compared'] += len(true['locals'])
    for name, address in true['locals'].items():
        if address not in heap.local(holders, name):
            ours = heap.local(holders, name)
            report.differ('local', true['function'], '%s: %s is %s, ours %s' % (where, name, address, ours))


def check_threads(truth, heap, mode, report):
    for thread in truth['threads']:
        ours = heap.threads.get(thread['ident'])
        main = thread['ident'] == truth['main']
        if not ours:
            report.differ('thread', 'is not there', str(thread['ident']))
            continue
        true, frames = thread['frames'], ours['frames']
        if main:  # what the twin and the process each do on their own
            while frames and not re.match(r'(stand|spin) \(', frames[0]['name']):
                frames = frames[1:]
        if len(true) != len(frames):
            report.differ('depth', str(true[0]['function'] if true else '?'), 'true %d, ours %d: %s' % (
                len(true), len(frames), [f['name'] for f in frames][:5]))
        for depth, (frame, pseudo) in enumerate(zip(true, frames)):
            line, state = heap.lines[pseudo['addr']]
            where = 'thread of %s, frame %d' % (true[-4]['function'] if len(true) > 3 else 'main', depth)
            if main and mode == 'spin' and not depth:
                if not frame['line'] < line <= frame['line'] + 4:  # somewhere in its loop
                    report.differ('line', 'spin', pseudo['name'])
                frame = dict(frame, line=line)
            check_frame(frame, pseudo, line, report, where)
            if not (main and mode == 'spin' and not depth):
                check_locals(frame, pseudo, heap, report, where)
            if state != 'executing':
                report.differ('state', frame['function'], '%s: %s' % (where, state))
            report.counts['frames compared'] += 1


def check_lines(truth, heap, mode, report):
    spinning = next(t['frames'][0]['addr'] for t in truth['threads'] if t['ident'] == truth['main'])
    for address, true in truth['lines'].items():
        if address not in heap.by_address:
            continue  # made for the account: a frame object
        kind = heap.by_address[address]['type']
        ours = heap.lines.get(address)
        report.counts['%ss compared' % kind] += 1
        if true is None or ours is None:
            if true != ours:
                report.differ('line', kind, '%s: true %r, ours %r' % (address, true, ours))
            continue
        line, state, awaited = true
        if mode == 'spin' and kind == 'frame' and address == spinning:
            continue  # somewhere in its loop
        if [line, state] != list(ours):
            report.differ('line or state', kind, '%s: true %r, ours %r' % (address, true, ours))
        if awaited is not None and heap.awaited(address) != awaited:
            report.differ('awaited', kind, '%s: true %s, ours %s' % (address, awaited, heap.awaited(address)))
    for address in heap.lines.keys() - truth['lines'].keys():
        o = heap.by_address[address]
        if o['type'] != '<frame>' and not stands(heap, address):
            report.differ('line', 'of what the interpreter does not know', '%s %s' % (address, o['type']))


def stands(heap, address):
    """Whether it is the frame object of what only the process does below the function where it stands."""
    return heap.by_address[address]['type'] == 'frame'


def check_locks(truth, heap, report):
    for address, true in truth['locks'].items():
        report.counts['locks compared'] += 1
        if address not in heap.by_address:
            report.differ('lock', 'is not there', address)
        elif heap.locks.get(address) != true:
            kind, ours = heap.by_address[address]['type'], heap.locks.get(address)
            report.differ('lock', kind, '%s: true %r, ours %r' % (address, true, ours))
    for address in heap.locks.keys() - truth['locks'].keys():
        report.differ('lock', 'that the interpreter does not know', repr(heap.by_address[address]))


def check_waits(truth, heap, mode, report, names):
    for ident, true in truth['waits'].items():
        ours = heap.threads[int(ident)]
        report.counts['waits compared'] += 1
        if tuple(true) != ours['wait'] and not (true[0] == 'other' and ours['wait'][0] == 'other'):
            report.differ('wait', names[ident], 'true %r, ours %r' % (true, ours['wait']))
    for ident, calls in truth['calls'].items():
        ours = heap.threads[int(ident)]
        if ours['state'] != 'S' or ours['call'] not in calls:
            report.differ('call', names[ident], 'true %r, ours %r' % (calls, (ours['state'], ours['call'])))
    main = heap.threads[truth['main']]
    expected = ('R', -1) if mode == 'spin' else ('S', 0)
    if (main['state'], main['call']) != expected or main['wait'] != (None, None):
        report.differ('call', 'main thread', 'true %r, ours %r' % (expected, main))
    holders = sorted(ident for ident, thread in heap.threads.items() if thread['gil'] and ident in map(int, names))
    if holders != ([] if mode == 'blocked' else [truth['main']]):
        report.differ('holder of the GIL', mode, 'ours %r' % holders)


def names_of(truth):
    return {str(thread['ident']): thread['frames'][-4]['function'] if len(thread['frames']) > 3 else 'main'
            for thread in truth['threads']}


def dump(target, arguments, path):
    result = targets.ouro('dump', *arguments(target), '-q', '-f', '--codec', 'zlib', '-o', path)
    if result.returncode:
        raise RuntimeError('ouro dump: %s' % result.stderr.decode(errors='replace'))
    return Heap(path)


def run(python, mode, folder, arguments):
    report = compare.Report()
    with targets.target([python, '-W', 'ignore', STACKS, folder, mode]) as target:
        with open(os.path.join(folder, 'stacks.json')) as text:
            truth = json.load(text)
        heap = dump(target, arguments, os.path.join(folder, 's.ouro'))
        for _ in range(SPUN if mode == 'gil' else 0):
            waits = [ident for ident, wait in truth['waits'].items() if wait[0] == 'gil']
            if all(heap.threads[int(ident)]['wait'][0] for ident in waits):
                break
            heap = dump(target, arguments, os.path.join(folder, 's.ouro'))
            # Being stopped ends an epoll_wait (EINTR, whatever the stop is for): by now that thread may wait for the GIL.
            for ident in [ident for ident, calls in truth['calls'].items() if set(calls) & EPOLL]:
                del truth['calls'][ident], truth['waits'][ident]
    check_threads(truth, heap, mode, report)
    check_lines(truth, heap, mode, report)
    check_locks(truth, heap, report)
    check_waits(truth, heap, mode, report, names_of(truth))
    for kind in ('frames', 'locals', 'generators', 'coroutines', 'async_generators', 'tracebacks', 'locks', 'waits'):
        if report.counts[kind + ' compared'] < 3:
            report.differ('nothing to compare', kind, repr(report.counts))
    return report


def of_process(target):
    return [target.pid]


class Skip(Exception):
    pass


def of_core(target):
    command = ['gcore', '-o', 'core', str(target.pid)]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    failed = re.findall(rb'Memory read failed for corefile section, \d+ bytes at (0x[0-9a-f]+)', made.stdout)
    if any(int(address, 16) < 1 << 47 for address in failed):  # guard pages of glibc 2.42 on; vsyscall never matters
        raise Skip('gcore leaves out the stacks of threads')
    return ['--core', 'core.%d' % target.pid]


def of_crash(target):
    """A core of Linux: it ends the target."""
    with open('/proc/sys/kernel/core_pattern') as file:
        if file.read().strip() != 'core':
            raise Skip('Linux does not write cores here')
    resource.prlimit(target.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    os.kill(target.pid, signal.SIGSEGV)
    target.process.wait(timeout=targets.TIMEOUT_S)
    return ['--core', glob.glob('core*')[0]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--keep')
    parser.add_argument('--mode', default='')
    parser.add_argument('pythons', nargs='*')
    options = parser.parse_args()
    pythons = options.pythons or targets.pythons()
    versions = collections.OrderedDict()
    for python in pythons:
        versions.setdefault(targets.version(python), python)
    few = options.pythons or targets.few_pythons()
    # Line tables and frames differ by version: each once. The rest, and second builds of a version, with OURO_TEST_ALL=1.
    each = pythons if few == pythons else [python for version, python in versions.items() if not version.endswith('d')]
    cases = [(python, mode, of_process) for python in each for mode in ('blocked', 'gil', 'spin')
             if mode == 'blocked' or python in few]
    if shutil.which('gcore'):
        cases += [(versions[version], mode, of_core) for version in ('3.11',) if version in versions
                  for mode in ('blocked', 'gil')]
    else:
        print('skip: cores: no gcore')
    cases += [(versions[version], 'blocked', of_crash) for version in ('3.8', '3.11', '3.14')
              if version in versions]
    good = bool(cases)
    for python, mode, arguments in cases:
        if options.mode not in mode:
            continue
        folder = tempfile.mkdtemp(dir=options.keep)
        before = os.getcwd()
        os.chdir(folder)
        try:
            report = run(python, mode, folder, arguments)
        except Skip as reason:
            print('skip: %s, %s, %s: %s' % (python, mode, arguments.__name__, reason))
            continue
        finally:
            os.chdir(before)
            if not options.keep:
                shutil.rmtree(folder)
        print('%s %s, %s, %s' % ('ok  ' if report.good else 'FAIL', python, mode, arguments.__name__))
        report.print()
        sys.stdout.flush()
        good = good and report.good
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
