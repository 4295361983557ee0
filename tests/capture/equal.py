"""One program against its truth, for tests that start it in their own ways: in another namespace, from a file that is deleted
meanwhile, as another user.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import targets  # noqa: E402
import test_oracle  # noqa: E402

NOBODY = 65534
AS_NOBODY = ['setpriv', '--reuid', str(NOBODY), '--regid', str(NOBODY), '--clear-groups']


def small(python, count=300):
    """The command for a folder that starts a small heap with its truth."""
    return lambda folder: [*python, test_oracle.TRUTH, folder, test_oracle.SMALL, '1', str(count)]


def outside(launcher, inner):
    """The pid, as we see it, of the process below `launcher` that has the pid `inner` in its own namespace."""
    for name in os.listdir('/proc'):
        try:
            with open('/proc/%s/status' % name) as status:
                fields = dict(line.split(':\t', 1) for line in status.read().splitlines() if ':\t' in line)
            if int(fields['NSpid'].split()[-1]) == inner and is_below(int(name), launcher):
                return int(name)
        except (OSError, KeyError, ValueError):  # no process, or it ended
            continue
    raise RuntimeError('no process %d below %d' % (inner, launcher))


def is_below(pid, ancestor):
    while pid > 1 and pid != ancestor:
        with open('/proc/%d/stat' % pid) as stat:
            pid = int(stat.read().rpartition(')')[2].split()[1])
    return pid == ancestor


def problem(prefix, folder, arguments, out=None):
    result = subprocess.run([*prefix, targets.OURO, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                            timeout=targets.TIMEOUT_S, cwd=folder)
    said = result.stderr.decode(errors='replace')
    return 'ouro %s: status %d: %s' % (' '.join(arguments), result.returncode, said) if result.returncode else None


def run(name, command, meanwhile=None, prefix=(), python=None, **options):
    """Whether all is equal; says what is not. command: of the folder. meanwhile: what happens before the dump, with the pid.
    prefix: of ouro's command and the target's. python: the version that it must be; the rest is for Popen."""
    folder = tempfile.mkdtemp(prefix='ouro-equal-')
    if prefix:
        os.chown(folder, NOBODY, NOBODY)
    try:
        with targets.target([*prefix, *command(folder)], cwd=folder, **options) as t:
            pid = t.pid if t.pid == t.process.pid else outside(t.process.pid, t.pid)
            if meanwhile:
                meanwhile(pid)
            wrong = problem(prefix, folder, ['dump', str(pid), '-o', folder + '/s.ouro'])
            with open(folder + '/export.ndjson', 'wb') as out:
                wrong = wrong or problem(prefix, folder, ['export', folder + '/s.ouro'], out)
            if wrong:
                print('FAIL %s: %s' % (name, wrong))
                return False
            truth, export = compare.Truth(folder), compare.Export(folder + '/export.ndjson')
            truth.head['pid'] = pid  # it knows the number of its own namespace only
            report = compare.compare(truth, export, compare.Report())
            if python and not truth.head['python'].startswith(python):
                report.differ('python', python, truth.head['python'])
            test_oracle.ask(folder, truth, export, report)
        print('%s %s' % ('ok  ' if report.good else 'FAIL', name))
        if not report.good:
            report.print()
        return report.good
    finally:
        sys.stdout.flush()
        shutil.rmtree(folder)
