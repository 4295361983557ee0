#!/usr/bin/env python3
"""ouro watch of a real process: on an interval, as its memory grows, until it ends or we are asked to stop, and never so that
the disk fills up."""
import contextlib
import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'src')]
import targets  # noqa: E402
from harness import check, main, ouro  # noqa: E402

# Each line of its input is a number of MiB that it has more from then on; it answers when it has them.
GROWING = """
import os, sys
CACHE = []
print('READY %d' % os.getpid(), flush=True)
for line in sys.stdin:
    CACHE.extend(os.urandom(1 << 16) for _ in range(16 * int(line)))
    print('done', flush=True)
"""


def growing():
    return targets.target([targets.pythons()[0], '-c', GROWING])


def grow(target, mebibytes):
    target.process.stdin.write(b'%d\n' % mebibytes)
    target.process.stdin.flush()
    assert target.process.stdout.readline() == b'done\n'


@contextlib.contextmanager
def watching(pid, *arguments):
    """ouro watch at work: its standard error is read line by line, which is how we know what it has done."""
    process = subprocess.Popen([targets.OURO, 'watch', str(pid), *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_snapshot(process):
    line = process.stderr.readline()
    assert b' objects, ' in line and b'stood still' in line, line + process.stderr.read()
    return line


def end(process, status=0):
    out, err = process.communicate(timeout=targets.TIMEOUT_S)
    assert process.returncode == status, (process.returncode, out, err)
    return out, err


def snapshots(folder):
    names = sorted(os.listdir(folder))
    assert all(name.endswith('.ouro') for name in names), names  # no unfinished file either
    for name in names:
        check(ouro('verify', os.path.join(folder, name)), 0)
    return names


def refused(result, words):
    assert result.returncode == 5 and words in result.stderr.splitlines()[-1], result


def test_so_many_on_an_interval_and_then_what_grew(folder):
    with growing() as target, watching(target.pid, '--every', '0.5s', '--count', '3', '-o', folder + '/new/') as process:
        for _ in range(2):
            next_snapshot(process)
            grow(target, 4)
        next_snapshot(process)
        out, err = end(process)
        assert b'->' in out and b'What grew' in out and b"sys.modules['__main__'].CACHE: " in out, out
    names = snapshots(folder + '/new')
    assert len(names) == 3 and all('-%d-' % target.pid in name for name in names), names


def test_when_memory_crosses_a_line(folder):
    with growing() as target:
        with open('/proc/%d/statm' % target.pid) as file:
            rss = int(file.read().split()[1]) * os.sysconf('SC_PAGESIZE')
        line = 'rss>%dK' % (rss // 1024 + 8192)
        with watching(target.pid, '--when', line, '--when', 'rss+1000%', '--count', '2', '-o', folder + '/w') as process:
            assert line.encode() not in next_snapshot(process)
            grow(target, 16)
            assert b'(%s)' % line.encode() in next_snapshot(process)
            out, _ = end(process)
        assert b'CACHE' in out, out
    assert snapshots(folder) == ['w-001.ouro', 'w-002.ouro']


def test_when_memory_has_grown_since_the_last(folder):
    with growing() as target, watching(target.pid, '--when', 'rss+50%', '--count', '3', '-o', folder, '--json') as process:
        next_snapshot(process)
        for more in 64, 128:
            grow(target, more)
            assert b'(rss+50%)' in next_snapshot(process)
        out, _ = end(process)
    answer = json.loads(out)
    assert answer['ouro'] == 'diff' and answer['same_process'], answer
    assert len(snapshots(folder)) == 3


def test_it_ends_with_the_process(folder):
    with growing() as target, watching(target.pid, '--every', '0.5s', '-o', folder) as process:
        next_snapshot(process)
        next_snapshot(process)
        target.process.kill()
        target.process.wait()
        out, err = end(process)
        assert b'process %d has ended' % target.pid in err and b'of one process' in b' '.join(out.split()), (out, err)


def test_it_notices_the_end_long_before_the_interval(folder):
    with growing() as target, watching(target.pid, '--every', '10h', '-o', folder) as process:
        next_snapshot(process)
        target.process.kill()
        _, err = end(process)  # the target is a zombie until we wait for it
        assert b'has ended' in err and b'one snapshot only' in err, err


def test_signals_stop_it_and_what_there_is_is_compared(folder):
    for number in signal.SIGINT, signal.SIGTERM:
        place = os.path.join(folder, str(int(number)))
        with growing() as target, watching(target.pid, '--every', '0.5s', '-o', place + '/') as process:
            next_snapshot(process)
            grow(target, 4)
            next_snapshot(process)
            process.send_signal(number)
            out, _ = end(process)
            assert b'What grew' in out and len(snapshots(place)) >= 2, out
            grow(target, 1)  # it goes on as it was


def test_conditions_are_those_of_the_comparison(folder):
    condition = "path=sys.modules['__main__'].CACHE* bytes>+1M"
    for more, status in (4, 1), (0, 0):
        place = '%s/%d/' % (folder, more)
        with growing() as target, watching(target.pid, '--every', '0.5s', '--count', '2', '-o', place, '--fail-on', condition) as process:
            next_snapshot(process)
            if more:
                grow(target, more)
            next_snapshot(process)
            _, err = end(process, status)
            assert (b'--fail-on ' + condition.encode() in err) == bool(status), err
    with open(folder + '/known', 'w') as file:
        file.write("path=sys.modules['__main__'].CACHE*\n")
    with growing() as target, watching(target.pid, '--every', '0.5s', '--count', '2', '-o', folder + '/suppressed/', '--fail-on', condition,
                                       '--suppress', folder + '/known') as process:
        next_snapshot(process)
        grow(target, 4)
        next_snapshot(process)
        out, _ = end(process)
        assert b'suppressed' in out, out


def test_a_condition_that_is_none_is_said_at_once(folder):
    with growing() as target:
        for option, text in ('--fail-on', 'bogus>0'), ('--fail-on', 'suspects>0'), ('--suppress', folder + '/none'):
            check(ouro('watch', str(target.pid), '--every', '10h', '-o', folder + '/w/', option, text), 2, stdout=b'')
        check(ouro('watch', str(target.pid), '--mode', 'live', '--max-pause', '1s'), 2, stdout=b'', stderr=b'ouro: watch: --mode live')
        assert not os.path.exists(folder + '/w')
        with watching(target.pid, '--every', '10h', '-o', folder, '--fail-on', 'garbage>0') as process:
            next_snapshot(process)
            process.send_signal(signal.SIGINT)
            _, err = end(process, 5)
            assert b'one snapshot only' in err, err


def test_modes_are_those_of_a_dump(folder):
    with growing() as target:
        for mode, words in ('fork', b'(fork)'), ('live', b'the process was not stopped'), ('pause', b'stood still for'):
            with watching(target.pid, '--mode', mode, '--count', '1', '-o', '%s/%s/' % (folder, mode)) as process:
                _, err = end(process)
                assert words in err, err
            assert len(snapshots('%s/%s' % (folder, mode))) == 1


def test_a_signal_ends_a_long_wait(folder):
    with growing() as target, watching(target.pid, '--every', '10h', '-o', folder) as process:
        next_snapshot(process)
        process.send_signal(signal.SIGINT)
        _, err = end(process)
        assert b'one snapshot only' in err, err


def test_files_that_are_there_stay(folder):
    with open(folder + '/w-001.ouro', 'w') as file:
        file.write('mine')
    with growing() as target:
        check(ouro('watch', str(target.pid), '--count', '1', '-o', folder + '/w'), 0, stdout=b'')
    with open(folder + '/w-001.ouro') as file:
        assert file.read() == 'mine'
    assert os.path.getsize(folder + '/w-002.ouro') > 1000


def test_what_can_not_be_watched_is_said(folder):
    with growing() as target:
        dead = subprocess.Popen(['/bin/true'])
        dead.wait()
        check(ouro('watch', str(dead.pid), '-o', folder), 3, stderr=b'there is no process')
        check(ouro('watch', str(target.pid), '-o', folder + '/none/w', '--count', '1'), 5, stderr=b'none does not exist')
        sleeper = subprocess.Popen(['sleep', '1000'])
        try:
            check(ouro('watch', str(sleeper.pid), '-o', folder), 3, stderr=b'not a CPython process')
        finally:
            sleeper.kill()
            sleeper.wait()
        if os.geteuid() == 0:  # somebody without rights
            os.chmod(folder, 0o777)
            result = subprocess.run([targets.OURO, 'watch', str(target.pid), '-o', folder], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, user=65534, group=65534, extra_groups=[])
            check(result, 3, stdout=b'', stderr=b'belongs to uid 0')
    assert not os.listdir(folder)


def test_usage_errors_are_pointed_at(folder):
    for arguments, said, column in ((['--every', '10'], b'unit is missing', 2), (['--every', '1x'], b'no unit', 1),
                                    (['--when', 'rss>2X'], b'can follow', 5), (['--when', 'vms>1G'], b'only rss', 0)):
        result = ouro('watch', '1', *arguments)
        check(result, 2, stdout=b'', stderr=said)
        assert result.stderr.splitlines()[-1] == b'ouro:   ' + b' ' * column + b'^', result.stderr
    check(ouro('watch'), 2, stderr=b'an argument is missing')
    check(ouro('watch', 'x'), 2, stderr=b'is not a PID')
    check(ouro('watch', '1', '--count', '0'), 2, stderr=b'from 1 on')
    check(ouro('watch', '1', '-o', ''), 2, stderr=b'no usable folder')


def test_the_disk_is_not_filled(folder):
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], stderr=subprocess.DEVNULL).returncode:
        print('skip: no right to mount a small file system')
        return
    try:
        disk = os.statvfs(folder)
        whole = disk.f_blocks * disk.f_frsize
        with growing() as target:
            for arguments in [], ['--keep-free', '1M']:
                result = ouro('watch', str(target.pid), '--every', '0.1s', '-o', folder, *arguments)
                refused(result, b'stopped before the disk')
                disk = os.statvfs(folder)
                keep = 1 << 20 if arguments else whole // 10
                assert disk.f_bavail * disk.f_frsize >= keep, (arguments, disk)
                assert arguments or (b'->' in result.stdout and len(snapshots(folder)) > 1), result
                for name in os.listdir(folder):
                    os.unlink(os.path.join(folder, name))
            # The first one is larger than anybody could know: it ends where the rest is to be kept, and leaves nothing.
            grow(target, 8)
            result = ouro('watch', str(target.pid), '--values', 'full', '-o', folder, '--keep-free', str(whole - (1 << 20)))
            check(result, 5, stdout=b'', stderr=b'stopped before the disk')
            # Nothing is kept free: then the disk's own end is what stops it.
            result = ouro('watch', str(target.pid), '--values', 'full', '--every', '0.1s', '-o', folder, '--keep-free', '0')
            refused(result, b'No space left')
            snapshots(folder)
    finally:
        subprocess.run(['umount', folder], check=True)


if __name__ == '__main__':
    main(globals())
