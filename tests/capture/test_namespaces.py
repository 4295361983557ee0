"""A target in another mount and pid namespace, whose interpreter exists only there: at its path outside lies something else, or
nothing. As root, as an ordinary user, with a root of its own (pivot_root, chroot).

usage: test_namespaces.py [PYTHON ...]
"""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import equal  # noqa: E402
import targets  # noqa: E402
import test_oracle  # noqa: E402

NAMESPACES = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
USER = ['unshare', '--user', '--map-root-user', *NAMESPACES[1:]]

# What stands at the interpreter's path inside is a copy in a tmpfs that nobody outside sees.
OVER = '''set -e
mount -t tmpfs tmpfs "$1"
cp -L $3 "$1"
shift 3
exec "$@"'''

# The same below a root of its own, which has the rest of the system. HOW: pivot_root or chroot.
ROOT = '''set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/inside" "$1/old" "$1/proc"
cp -L $3 "$1/inside"
for d in /*/; do
    case $d in /proc/ | /sys/ | /dev/ | /run/ | /lost+found/) continue ;; esac
    mkdir -p "$1$d"; mount --rbind "$d" "$1$d"
done
how=$2 root=$1
shift 3
if [ "$how" = pivot_root ]; then
    cd "$root"
    pivot_root . old
    mount -t proc proc /proc
    umount -l /old
    exec "$@"
fi
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root$root"  # inside, the path that the files have from outside leads nowhere
exec chroot "$root" "$@"'''


def whole_interpreter(python):
    """The executable, its library if it has one, and the environment that a copy of them needs; None: a script starts it."""
    said = subprocess.run([python, '-c', 'import sys; print(sys.base_prefix)'], stdout=subprocess.PIPE, check=True).stdout.decode()
    files = [os.path.realpath(python)]
    with open(files[0], 'rb') as file:
        if file.read(4) != b'\x7fELF':
            return None
    linked = subprocess.run(['ldd', *files], stdout=subprocess.PIPE, check=False).stdout.decode()
    files += re.findall(r'(?:libpython\S+) => (/\S+)', linked)
    return files, {'PYTHONHOME': said.strip()}


@contextlib.contextmanager
def place(files, decoy):
    """A folder; with decoy, files of other content lie in it under the names that the interpreter has inside."""
    with tempfile.TemporaryDirectory(prefix='ouro-inside-') as folder:
        os.chmod(folder, 0o777)
        if decoy:
            for file in files:
                shutil.copy(decoy, os.path.join(folder, os.path.basename(file)))
        yield folder


def cases(python, nobody):
    """(name, namespaces, script, how, where the interpreter is inside)"""
    for words, namespaces in (('namespaces', NAMESPACES), ('namespaces of a user', USER)):
        if nobody and namespaces is NAMESPACES:
            continue
        if not may(namespaces):
            print('skip %s, %s: not permitted here (%s)' % (python, words, ' '.join(namespaces)))
            continue
        yield words, namespaces, OVER, '-', None
        how = 'chroot' if namespaces is NAMESPACES else 'pivot_root'
        yield '%s, %s' % (words, how), namespaces, ROOT, how, '/inside'
        if nobody:
            yield words + ', chroot', namespaces, ROOT, 'chroot', '/inside'


def may(namespaces):
    script = 'mount -t tmpfs tmpfs /tmp'
    return subprocess.run([*namespaces, 'sh', '-c', script], stderr=subprocess.DEVNULL).returncode == 0


def hide(folder, files, enter):
    """Mounts another file system, with other files of the same inode numbers, where the interpreter was."""
    def meanwhile(pid):
        script = 'mount -t tmpfs tmpfs "$1"; for f in $2; do cp "$3" "$1/${f##*/}"; done'
        subprocess.run([*enter, '-t', str(pid), 'sh', '-c', script, 'sh', folder, ' '.join(files), shutil.which('cat')], check=True)
        for file in files:
            path = os.path.join(folder, os.path.basename(file))
            inode = int(subprocess.run([*enter, '-t', str(pid), 'stat', '-c', '%i', path], stdout=subprocess.PIPE, check=True).stdout)
            with open('/proc/%d/maps' % pid) as maps:
                assert any(line.split()[4:] == [str(inode), path] for line in maps), 'the inode numbers differ: nothing is tested'
    return meanwhile


def check(python, prefix=()):
    found = whole_interpreter(python)
    if not found:
        print('skip %s: started by a script' % python)
        return True
    files, environment = found
    good = True
    for words, namespaces, script, how, inside in cases(python, bool(prefix)):
        for decoy in (shutil.which('cat'),) if inside or prefix else (shutil.which('cat'), None):
            with place(files, decoy) as folder:
                where = inside or folder
                start = os.path.join(where, os.path.basename(files[0]))

                def command(truth):
                    small = equal.small([start])(truth)
                    return [*namespaces, 'sh', '-c', script, 'sh', folder, how, ' '.join(files), *small]
                name = '%s, %s, %s outside%s' % (python, words, 'another file' if decoy else 'no file', ', as nobody' if prefix else '')
                options = {'prefix': prefix, 'env': {**environment, 'LD_LIBRARY_PATH': where}}
                good = equal.run(name, command, **options) and good
                if decoy and not inside and (prefix or namespaces is NAMESPACES):
                    enter = [*prefix, 'nsenter', '--mount', *(['--user', '--preserve-credentials'] if namespaces is USER else [])]
                    good = equal.run(name + ', hidden meanwhile', command, meanwhile=hide(folder, files, enter), **options) and good
    return good


def is_readable_by_nobody(python):
    found = whole_interpreter(python)
    return found and all(subprocess.run([*equal.AS_NOBODY, 'test', '-r', file]).returncode == 0 for file in found[0])


def main():
    good = True
    with tempfile.TemporaryDirectory(prefix='ouro-embedded-') as folder:
        os.chmod(folder, 0o755)
        pythons = sys.argv[1:] or targets.pythons()
        embedded, reason = test_oracle.embedded(folder)
        if not embedded:
            print('skip: a program with a shared libpython: ' + reason)
        elif not sys.argv[1:]:
            pythons.append(embedded)
        for python in pythons:
            good = check(python) and good
        if os.geteuid() == 0 and may([*equal.AS_NOBODY, *USER]):
            for python in filter(is_readable_by_nobody, pythons):
                good = check(python, equal.AS_NOBODY) and good
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
