"""ouro dump --children: every Python process of a tree, a file each; what is no Python, or ends meanwhile, is said."""
import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'src')]
import targets  # noqa: E402
from harness import check, main, ouro  # noqa: E402

PYTHONS = ['root', 'spawned', 'spawneds child', 'forked', 'below a shell']
OTHERS = ['shell', 'cat']


@contextlib.contextmanager
def family(*arguments, python=None):
    """The target, and its processes by name."""
    python = python or targets.pythons()[0]
    with tempfile.TemporaryDirectory() as folder:
        command = [python, os.path.join(targets.FIXTURES, 'family.py'), folder + '/pids', python, *arguments]
        with targets.target(command, start_new_session=True) as t:
            try:
                with open(folder + '/pids') as file:
                    yield t, json.load(file)
            finally:
                os.killpg(t.pid, signal.SIGKILL)


def is_tracker(pid):
    """multiprocessing's own helper, which comes with spawned processes: a Python process too."""
    with open('/proc/%d/cmdline' % pid, 'rb') as file:
        return b'resource_tracker' in file.read()


def dump(pid, *arguments, status=0, **kwargs):
    result = ouro('dump', '--children', str(pid), *arguments, **kwargs)
    check(result, status)
    return result


def captured(said, pids):
    """What a run said of each process that it captured, by the names of the fixture."""
    names = {pid: name for name, pid in pids.items()}
    found = {}
    for process in said['processes']:
        if process['pid'] in names:
            found[names[process['pid']]] = process
        else:
            assert is_tracker(process['pid']), process
    return found


def holds(path):
    """The marks that the process had in its memory."""
    result = ouro('objects', path, '--type', 'str', '--value', "'holds ?*'", '--json')
    check(result, 0)
    return {line['value'].strip("'\"")[len('holds '):] for line in json.loads(result.stdout)['objects']}


def check_whole(python):
    with tempfile.TemporaryDirectory() as folder, family(python=python) as (t, pids):
        out = os.path.join(folder, 'new')
        said = json.loads(dump(t.pid, '--json', '-q', '-o', out).stdout)
        found = captured(said, pids)
        assert sorted(found) == sorted(PYTHONS), found
        assert sorted(p['pid'] for p in said['not_python']) == sorted(pids[name] for name in OTHERS), said['not_python']
        assert [p['pid'] for p in said['ended']] == [pids['gone']], said['ended']
        assert os.stat(out).st_mode & 0o777 == 0o700
        assert len(os.listdir(out)) == len(said['processes'])
        for name, process in found.items():
            assert os.path.dirname(process['file']) == out and '-%d-' % pids[name] in process['file'], process
            check(ouro('verify', process['file']), 0)
            assert process['objects'] > 1000 and process['approximate'] == 0, process
            marks = holds(process['file'])
            # A forked process has what its parent had.
            assert name in marks and not marks - {name, 'root', 'spawned'}, (name, marks)
        assert 'root' not in holds(found['spawned']['file'])
        assert found['forked']['parent'] == pids['root'] and found['spawneds child']['parent'] == pids['spawned']
        assert found['below a shell']['parent'] == pids['shell']
        for pid in pids.values():
            with open('/proc/%d/status' % pid) as status:
                assert 'TracerPid:\t0\n' in status.read(), 'process %d was not let go' % pid


def test_each_python_process_has_a_snapshot_of_its_own(folder):
    for python in targets.pythons():
        print('  ' + python)
        check_whole(python)


def test_a_line_for_each_process_and_the_others_by_name(folder):
    with family() as (t, pids):
        result = dump(t.pid, cwd=folder)
        lines = result.stderr.decode().splitlines()
        assert lines[0].split()[:3] == ['PID', 'process', 'Python'], lines
        rows = {int(line.split()[0]): line for line in lines if line.split()[0].isdigit() and '.ouro' in line}
        files = sorted(os.listdir(folder))
        assert sorted(line.split()[-1] for line in rows.values()) == files, (rows, files)
        for name in PYTHONS:
            assert ' ms  ' in rows[pids[name]], rows
        assert '%d processes captured' % len(files) in lines, lines
        assert '2 are not Python: %d sh, %d cat' % (pids['shell'], pids['cat']) in lines, lines
        assert '1 ended meanwhile: %d true' % pids['gone'] in lines, lines
        assert list(rows)[0] == pids['root'] and list(rows).index(pids['spawned']) < list(rows).index(pids['spawneds child'])
        assert dump(t.pid, '-q', '-o', folder + '/q').stderr == b''


def test_a_pattern_names_the_files(folder):
    with family() as (t, pids):
        dump(t.pid, '-o', folder + '/a%%b-%p.ouro')
        for name in PYTHONS:
            assert os.path.exists('%s/a%%b-%d.ouro' % (folder, pids[name]))
        for pattern in '%p-%d', '%p%', '%p' + 'x' * 5000, '':
            check(ouro('dump', '--children', str(t.pid), '-o', pattern, cwd=folder), 2, b'', b'no usable f')
        open(folder + '/file', 'w').close()
        check(ouro('dump', '--children', str(t.pid), '-o', folder + '/file'), 2, b'', b'is no folder')
        check(ouro('dump', '--children', str(t.pid), '-o', folder + '/none/such'), 5, b'', b"can't make the folder")


def test_the_others_are_captured_when_one_can_not_be_written(folder):
    with family() as (t, pids):
        there = '%s/%d' % (folder, pids['spawned'])
        with open(there, 'w') as file:
            file.write('mine')
        result = dump(t.pid, '-q', '--json', '-o', folder + '/%p', status=2)
        assert b'%d' % pids['spawned'] in result.stderr and b'-f overwrites it' in result.stderr, result.stderr
        found = captured(json.loads(result.stdout), pids)
        assert [name for name in PYTHONS if 'error' in found[name]] == ['spawned'], found
        with open(there) as file:
            assert file.read() == 'mine'
        dump(t.pid, '-f', '-o', folder + '/%p')
        check(ouro('verify', there), 0)


def test_the_others_are_captured_when_one_is_traced(folder):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    with family() as (t, pids):
        assert libc.ptrace(0x4206, pids['forked'], None, None) == 0, os.strerror(ctypes.get_errno())  # PTRACE_SEIZE
        result = dump(t.pid, '-q', '--json', '--mode', 'pause', '-o', folder, status=3)
        assert b'is traced by process %d' % os.getpid() in result.stderr, result.stderr
        found = captured(json.loads(result.stdout), pids)
        assert [name for name in PYTHONS if 'error' in found[name]] == ['forked'], found


def test_a_process_that_ends_meanwhile_is_said_and_no_failure(folder):
    with family('held') as (t, pids):
        command = [targets.OURO, 'dump', '--children', str(t.pid), '-o', folder]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
            try:
                # The first line comes with the first process. The second stands in a collection, so ouro waits for that.
                assert b'PID' in run.stderr.readline()
                with open('/proc/%d/comm' % pids['forked'], 'rb') as file:  # of an interpreter that its loader starts: the loader's
                    name = file.read().strip()
                os.kill(pids['forked'], signal.SIGKILL)
                pidfd = os.pidfd_open(pids['forked'])
                select.select([pidfd], [], [])
                os.close(pidfd)
                t.process.stdin.write(b'.')
                t.process.stdin.flush()
                said = run.stderr.read()
            finally:
                run.kill()
        assert run.returncode == 0, said
        assert b'2 ended meanwhile: ' in said and b'%d %s' % (pids['forked'], name) in said, said


def test_a_name_that_becomes_too_long_is_said(folder):
    python, deep = folder + '/a_name_of_more_than_15', folder
    os.symlink(targets.pythons()[0], python)
    while len(deep) < 4056:  # a process "python" with the longest pid has just room there
        deep += '/' + 'd' * min(200, max(1, 4056 - len(deep) - 1))
    os.makedirs(deep)
    script = "import os, sys; print('READY', os.getpid(), flush=True); sys.stdin.read()"
    with targets.target([python, '-c', script]) as t:
        result = dump(t.pid, '--json', '-o', deep, status=2)
        assert b'too long' in result.stderr and b'process %d' % t.pid in result.stderr, result.stderr
        assert b'1 could not be' in result.stderr, result.stderr
        assert 'too long' in json.loads(result.stdout)['processes'][0]['error']


def test_no_python_at_all(folder):
    with subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as cat:
        check(ouro('dump', '--children', str(cat.pid), cwd=folder), 3, b'', b'there is no Python process')
        cat.stdin.close()
        pid = cat.pid
    check(ouro('dump', '--children', str(pid), cwd=folder), 3, b'', b'there is no process %d' % pid)
    assert os.listdir(folder) == []


if __name__ == '__main__':
    main(globals())
