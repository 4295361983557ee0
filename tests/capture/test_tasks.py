"""asyncio's tasks as `ouro stack` shows them, against what the interpreter itself says, on every interpreter.

usage: test_tasks.py [PYTHON ...]

Fixture and program are the oracle: asyncio.all_tasks, names, coroutines, cr_await with lines, what each waits for. Who waits for whom
the fixture knows as well, and from 3.14 on the interpreter (awaited_by; `python -m asyncio pstree`).
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

FIXTURE = os.path.join(targets.FIXTURES, 'tasks.py')

# What `python -m asyncio pstree` is made from.
PSTREE = r'''
import json, sys
from asyncio import tools
result = {}
for thread in tools.get_all_awaited_by(int(sys.argv[1])):
    for task in thread.awaited_by:
        result[hex(task.task_id)] = [task.task_name, sorted({hex(coro.task_name) for coro in task.awaited_by})]
print(json.dumps(result))
'''


def run(*arguments):
    result = targets.ouro(*arguments)
    assert result.returncode == 0, 'ouro %s: %s' % (' '.join(map(str, arguments)), result.stderr.decode(errors='replace'))
    return result.stdout


def read_truth(process):
    lines = []
    while True:
        line = json.loads(process.stdout.readline())
        if line == 'end':
            return lines
        lines.append(line)


def pstree(python, pid):
    """By address: name and who waits for it, or None where it cannot be asked."""
    result = subprocess.run([python, '-c', PSTREE, str(pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode:
        return None, result.stderr.decode().strip().splitlines()[-1]
    return json.loads(result.stdout), None


class Comparison:
    def __init__(self, page, truth):
        self.page, self.truth = page, truth
        self.tasks = {task['addr']: task for task in page['tasks']}
        self.names = {task['addr']: task['name'] for task in page['tasks']}

    def of(self, name):
        return next(task for task in self.page['tasks'] if task['name'] == name)

    def awaited(self, task):
        waits = task['waits_for']
        return sorted(self.names[addr] for addr in waits['tasks']) if waits else []

    def check_tasks(self):
        theirs = {line['addr']: line['name'] for line in self.truth}
        assert set(self.tasks) == set(theirs), 'only ours: %s; only theirs: %s' % (
            [self.tasks[a] for a in set(self.tasks) - set(theirs)], [theirs[a] for a in set(theirs) - set(self.tasks)])
        for line in self.truth:
            task = self.tasks[line['addr']]
            for key in 'name', 'state', 'coroutine', 'loop':
                assert task[key] == line[key], '%s is %r instead of %r: %s' % (key, task[key], line[key], line)
            self.check_stack(task, line)
            waits = task['waits_for']
            assert (waits is not None) == (line['state'] == 'waiting'), task
            if waits:
                assert waits['future'] == line['future'], task
            if line['expect']:
                assert [waits and waits['kind'], self.awaited(task)] == line['expect'], '%s waits for %r, %r instead of %r' % (
                    line['name'], waits, self.awaited(task), line['expect'])

    def check_stack(self, task, line):
        found = [[f['function'], f['line'], {v['name']: v['addr'] for v in f['locals']}] for f in reversed(task['stack'])]
        if line['state'] == 'running':
            # It has called what wrote the truth; the lines are later ones.
            assert [f['function'] for f in task['stack']] == ['stand', 'main'], task['stack']
            return
        assert [f[:2] for f in found] == [f[:2] for f in line['stack']], '%s: %r instead of %r' % (line['name'], found, line['stack'])
        for ours, theirs in zip(found, line['stack']):
            for name, addr in theirs[2].items():
                assert ours[2].get(name) == addr, 'local %s of %s in %s: %r' % (name, ours[0], line['name'], ours)

    def check_inverse(self):
        edges = {(addr, other) for addr, task in self.tasks.items() if task['waits_for'] for other in task['waits_for']['tasks']}
        back = {(other, addr) for addr, task in self.tasks.items() for other in task['awaited_by']}
        assert edges == back, edges ^ back

    def edges(self):
        """(who is waited for, who waits), of what are tasks and no locks."""
        return {(other, addr) for addr, task in self.tasks.items()
                if task['waits_for'] and task['waits_for']['kind'] == 'task' for other in task['waits_for']['tasks']}

    def named(self, edges):
        return sorted('%s <- %s' % (self.names.get(a, a), self.names.get(b, b)) for a, b in edges)

    def check_awaited_by(self, unknown):
        """unknown: edges that the interpreter does not know of, because the program made them itself."""
        known = {(line['addr'], other) for line in self.truth for other in line['awaited_by']}
        ours = {(a, b) for a, b in self.edges() if self.names[b] not in unknown}
        if not any(self.names.get(b) == 'as_completed' for _, b in known):
            unknown = unknown | {'as_completed'}  # up to 3.14.4
            ours = {(a, b) for a, b in ours if self.names[b] not in unknown}
        known = {(a, b) for a, b in known if b in self.tasks and self.names[b] not in unknown}
        assert ours == known, 'only ours: %s; only theirs: %s' % (self.named(ours - known), self.named(known - ours))

    def check_deadlocks(self):
        found = sorted(sorted(self.names[member['task']] for member in deadlock) for deadlock in self.page['deadlocks'])
        expected = [['circle-1', 'circle-2'], ['crossed-1', 'crossed-2'], ['twice'], ['twice bounded']]
        assert found == expected, found
        assert self.of('behind the circle')['deadlock'] == 'behind', self.of('behind the circle')
        assert 'deadlock' not in self.of('timed circle-1') and self.of('timed circle-1')['timeout'], self.of('timed circle-1')


def check_words(comparison, version, is_live=False):
    def text(name):
        return comparison.of(name)['waits_for']['text']
    assert text('sleep') == 'sleep(100000)', text('sleep')
    assert text('put').startswith('Queue.put 0x'), text('put')
    assert text('event').startswith('Event.wait 0x'), text('event')
    assert text('locked').startswith('Lock.acquire 0x') and text('locked').endswith(', held by task holder'), text('locked')
    assert 'Shapes.future ' in text('future'), text('future')
    assert is_live or 'Shapes.held ' in text('held future'), text('held future')
    assert text('executor').startswith('an executor that runs Event.wait'), text('executor')
    assert text('gather').startswith('tasks '), text('gather')
    assert text('wait any').startswith('any of tasks '), text('wait any')
    for name in 'socket', 'accept', 'stream':
        assert text(name).startswith('file descriptor ') and comparison.of(name)['waits_for']['fd'] > 2, text(name)
    for name in 'cancelled', 'cancelled python', 'asked':
        assert comparison.of(name)['cancelling'], comparison.of(name)
    assert not comparison.of('event')['cancelling'] and not comparison.of('ready')['cancelling']
    assert comparison.of('wait_for')['timeout'] and not comparison.of('event')['timeout']
    if version >= (3, 11):
        assert comparison.of('timeout')['timeout'], comparison.of('timeout')


def check_text(snapshot, workers):
    text = run('stack', snapshot).decode()
    assert 'Deadlock of 2 tasks' in text and 'Deadlock: a task waits for itself' in text, text
    folded = [line for line in text.splitlines() if 'tasks (worker-0 ' in line]
    assert len(folded) == 1 and ('%d tasks' % workers if workers < 1000 else '{:,} tasks'.format(workers)) in folded[0], folded
    assert 'worker (tasks.py:' in text, text
    single = run('stack', '--all-tasks', snapshot).decode()
    assert all('worker-%d 0x' % i in single for i in range(workers)), single
    assert '\n        local ' not in text and 'local_of_stand' in run('stack', '-l', snapshot).decode()
    assert run('stack', snapshot) == run('stack', snapshot)


def check(python, folder, workers):
    snapshot = os.path.join(folder, 'tasks.ouro')
    with targets.target([python, FIXTURE, str(workers)]) as target:
        truth = read_truth(target.process)
        run('dump', '-q', '-o', snapshot, target.pid)
        theirs, why = pstree(python, target.pid)
        live = json.loads(run('stack', '--json', target.pid))
    page = json.loads(run('stack', '--json', snapshot))
    version = tuple(map(int, page['python'].split('.')[:2]))
    comparison = Comparison(page, truth)
    comparison.check_tasks()
    comparison.check_inverse()
    comparison.check_deadlocks()
    check_words(comparison, version)
    check_text(snapshot, workers)
    # Containers in containers in objects are not opened there.
    lines = [dict(line) for line in truth]
    for line in lines:
        line['expect'] = None if line['name'] == 'held future' else line['expect']
    straight = Comparison(live, lines)
    straight.check_tasks()
    straight.check_inverse()
    straight.check_deadlocks()
    check_words(straight, version, True)
    threads = {thread['tid'] for thread in page['threads']}
    assert len({task['thread'] for task in page['tasks']}) == 2 and {task['thread'] for task in page['tasks']} <= threads
    note = ''
    if version >= (3, 14):
        comparison.check_awaited_by(UNKNOWN_TO_INTERPRETER)
        note = '; pstree: ' + (check_pstree(comparison, theirs) if theirs else 'not asked, ' + why)
    os.unlink(snapshot)
    print('%s: %d tasks, %d edges%s' % (python, len(truth), len(comparison.edges()), note), flush=True)


# The program's own ways, and what one kind of task does for the other.
UNKNOWN_TO_INTERPRETER = {'own', 'closure', 'remote', 'python gather'}


def check_pstree(comparison, theirs):
    """It knows C's tasks of running loops."""
    for addr, (name, awaited_by) in theirs.items():
        task = comparison.tasks[addr]
        assert task['name'] == name, (task['name'], name)
        ours = {b for a, b in comparison.edges() if a == addr and comparison.names[b] not in UNKNOWN_TO_INTERPRETER}
        ours -= {b for b in ours if comparison.names[b] == 'as_completed' and b not in awaited_by}
        assert ours == set(awaited_by), '%s: %s instead of %s' % (name, sorted(ours), sorted(awaited_by))
    return '%d tasks' % len(theirs)


def main():
    pythons = sys.argv[1:] or targets.few_pythons()
    with tempfile.TemporaryDirectory() as folder:
        for i, python in enumerate(pythons):
            try:
                check(python, folder, 2000 if i == 0 else 20)
            except AssertionError:
                print('%s:' % python, file=sys.stderr)
                raise


if __name__ == '__main__':
    main()
