"""Programs of some size as targets: nothing crashes, no edge leads nowhere, what is exact is equal, what is not is counted.

Run on the system's interpreter, for which Debian has python3-django, python3-sqlalchemy, python3-numpy, python3-pandas and
python3-matplotlib.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402
import test_oracle  # noqa: E402

PYTHON = '/usr/bin/python3'
PROGRAMS = ['django', 'sqlalchemy', 'numpy', 'pandas', 'matplotlib']


def main():
    if not os.path.exists(PYTHON):
        print('skip: no %s' % PYTHON)
        return 77
    good, count = True, 0
    keep = sys.argv[1] if len(sys.argv) > 1 else None
    for name in PROGRAMS:
        if subprocess.run([PYTHON, '-c', 'import ' + name], stderr=subprocess.DEVNULL).returncode:
            print('skip: %s is not installed (package python3-%s)' % (name, name))
            continue
        script = os.path.join(targets.FIXTURES, 'program_%s.py' % name)
        command = lambda folder: [PYTHON, '-W', 'ignore', test_oracle.TRUTH, folder, script]  # noqa: E731, B023
        good = test_oracle.run(name, PYTHON, command, keep and os.path.join(keep, name)) and good
        count += 1
    print('%d programs, %s' % (count, 'all equal' if good else 'some differ'))
    if not count:
        return 77
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
