"""Builds and their files: deleted or replaced after the start, stripped, without section headers, started through the loader,
embedded (shared, static, position-independent or not), debug builds, other allocators. The graph of each equals its interpreter's
own account.

usage: test_builds.py [--case PART] [PYTHON ...]
"""
import argparse
import glob
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import equal  # noqa: E402
import targets  # noqa: E402

LOADER = '/lib64/ld-linux-x86-64.so.2'


def out(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()


class Build:
    """Copies of an interpreter's executable and, if it has one, its library, in a folder that everybody can read."""

    def __init__(self, python, folder):
        self.python = python
        self.files = [shutil.copy(os.path.realpath(python), folder)]
        for library in libraries(python):  # by the name under which it is looked for
            self.files.append(shutil.copyfile(library, os.path.join(folder, os.path.basename(library))))
        for file in self.files:
            os.chmod(file, 0o755)
        self.home = home(python)
        self.environment = {'PYTHONHOME': self.home, 'LD_LIBRARY_PATH': folder}
        self.start = [self.files[0]]


def home(python):
    return out(python, '-c', 'import sys; print(sys.base_prefix)').strip()


def libraries(python):
    linked = subprocess.run(['ldd', os.path.realpath(python)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    return re.findall(r'libpython\S+ => (/\S+)', linked)


def is_elf(file):
    with open(file, 'rb') as content:
        return content.read(4) == b'\x7fELF'


def delete(build):
    for file in build.files:
        os.unlink(file)


def replace(build):
    """As an upgrade does: another build comes into the place of each file."""
    others = [p for p in map(os.path.realpath, targets.pythons()) if is_elf(p) and not os.path.samefile(p, build.python)]
    for file in build.files:
        other = others[0] if others else shutil.which('cat')
        if len(build.files) > 1 and file == build.files[1]:
            other = next((library for p in others for library in libraries(p)), other)
        os.rename(shutil.copy(other, file + '.new'), file)


def strip(build):
    for file in build.files:
        out('strip', '--strip-all', file)
        assert '.symtab' not in out('readelf', '--section-headers', '--wide', file)


def cut_section_headers(build):
    """As sstrip does: the kernel and the loader look at segments only."""
    for file in build.files:
        with open(file, 'r+b') as elf:
            elf.seek(40)
            elf.write(struct.pack('<Q', 0))
            elf.seek(58)
            elf.write(struct.pack('<HHH', 64, 0, 0))
        assert 'no sections' in out('readelf', '--section-headers', file)


def through_the_loader(build):
    build.start = [LOADER, build.files[0]]


CASES = [  # name, before the start, between start and dump
    ('deleted', None, delete),
    ('replaced', None, replace),
    ('stripped', strip, None),
    ('stripped and deleted', strip, delete),
    ('without section headers', cut_section_headers, None),
    ('through the loader', through_the_loader, None),
    ('through the loader, deleted', through_the_loader, delete),
]
EMBEDDED = [('as it is', None, None), ('stripped and replaced', strip, replace)]


def users(python, meanwhile):
    """Root may open what is mapped whatever became of it; others may not."""
    yield '', ()
    if not meanwhile:
        return
    command = [*equal.AS_NOBODY, 'test', '-r', home(python) + '/lib']
    if os.geteuid() == 0 and subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
        yield ', as nobody', equal.AS_NOBODY


def check(words, python, cases):
    good, count = True, 0
    for case, before, meanwhile in cases:
        for user, prefix in users(python, meanwhile):
            with tempfile.TemporaryDirectory(prefix='ouro-build-') as folder:
                os.chmod(folder, 0o755)
                build = Build(python, folder)
                build.python = python
                if before:
                    before(build)
                good = equal.run('%s: %s%s' % (words, case, user), equal.small(build.start), env=build.environment, prefix=prefix,
                                 meanwhile=meanwhile and (lambda pid: meanwhile(build))) and good  # noqa: B023
                count += 1
    return good, count


def embedded(folder):
    """(words, program, cases): fixtures/embed.c with the system's libpython, shared and static."""
    config = shutil.which('python3-config', path='/usr/bin:/usr/local/bin')
    if not config:
        print('skip: programs that embed Python: no python3-config')
        return
    flags = shlex.split(out(config, '--embed', '--cflags')), shlex.split(out(config, '--embed', '--ldflags'))
    configdir = out(config, '--configdir').strip()
    name = next((flag[2:] for flag in flags[1] if flag.startswith('-lpython')), '')
    rest = [flag for flag in flags[1] if not flag.startswith('-lpython')]
    archive, pic = ('%s/lib%s%s.a' % (configdir, name, suffix) for suffix in ('', '-pic'))
    # What extension modules need of a static one must be exported, as the interpreter itself does it.
    static = [*rest, '-Wl,--export-dynamic', '-lexpat', '-lz']
    for words, more in (('embedded, shared', flags[1]), ('embedded, shared, not position-independent', ['-no-pie', *flags[1]]),
                        ('embedded, static', ['-no-pie', archive, *static]),
                        ('embedded, static, position-independent', ['-pie', pic, *static])):
        program = os.path.join(folder, re.sub('[^a-z]+', '-', words))
        source = os.path.join(targets.FIXTURES, 'embed.c')
        pie = [] if '-no-pie' in more else ['-fPIE']
        command = [os.environ.get('CC', 'cc'), *flags[0], '-g0', *pie, source, '-o', program, *more]
        result = subprocess.run(command, stderr=subprocess.PIPE)
        if result.returncode:
            print('skip %s: does not link: %s' % (words, result.stderr.decode()[-300:]))
        else:
            kind = out('readelf', '--file-header', program)
            assert ('EXEC' in kind) == ('-no-pie' in more), kind
            yield words, program, EMBEDDED


def debug_builds():
    """Those of the system, and those that tests/get-python unpacked (it takes 3.11-dbg and so on)."""
    patterns = '/usr/bin/python3.*-dbg', os.path.join(os.environ.get('top_builddir', '.'), 'pythons/bin/python3.*-dbg')
    found = [os.path.abspath(python) for pattern in patterns for python in sorted(glob.glob(pattern))]
    for version in '3.11', '3.13', '3.14':
        if not any(python.endswith('python%s-dbg' % version) for python in found):
            print('skip a debug build of %s: there is none (tests/get-python . %s-dbg gets it)' % (version, version))
    return found


def check_allocators(python, wanted):
    """Debug hooks put bytes before each block, and fill what is freed; malloc has no arenas."""
    good, count = True, 0
    for words, options, environment in (('PYTHONMALLOC=debug', [], {'PYTHONMALLOC': 'debug'}), ('-X dev', ['-X', 'dev'], {}),
                                        ('PYTHONMALLOC=malloc', [], {'PYTHONMALLOC': 'malloc'})):
        if wanted in words:
            good = equal.run('%s: %s' % (python, words), equal.small([python, *options]), env=environment) and good
            count += 1
    return good, count


def check_debug_build(python, wanted):
    if wanted not in 'a debug build':
        return True, 0
    assert out(python, '-c', 'import sys; print(hasattr(sys, "gettotalrefcount"))') == 'True\n', python
    return equal.run('%s: a debug build' % python, equal.small([python])), 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--case', default='')
    parser.add_argument('pythons', nargs='*')
    options = parser.parse_args()
    good, count = True, 0
    with tempfile.TemporaryDirectory(prefix='ouro-builds-') as folder:
        os.chmod(folder, 0o755)
        pythons = [(python, python, CASES) for python in options.pythons or targets.pythons()]
        for words, python, cases in [*pythons, *(() if options.pythons else embedded(folder))]:
            if not is_elf(os.path.realpath(python)):
                print('skip %s: a script starts it' % words)
                continue
            equal_now, more = check(words, python, [case for case in cases if options.case in case[0]])
            good, count = equal_now and good, count + more
    for check_one, all_of in ((check_allocators, options.pythons or targets.pythons()),
                              (check_debug_build, () if options.pythons else debug_builds())):
        for python in all_of:
            equal_now, more = check_one(python, options.case)
            good, count = equal_now and good, count + more
    print('%d cases, %s' % (count, 'all equal' if good else 'some differ'))
    return 0 if good and count else 1


if __name__ == '__main__':
    sys.exit(main())
