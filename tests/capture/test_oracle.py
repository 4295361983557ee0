"""The snapshot of a zoo equals what the interpreter itself says, on every interpreter of OURO_TEST_PYTHONS.

usage: test_oracle.py [--keep FOLDER] [PYTHON ...]

A case is a program that ends in truth.stand: it is dumped while it stands still, exported, and compared object by object.
Objects of the snapshot that the collector does not lead to are described by the twin afterwards, and compared as well.
"""
import argparse
import concurrent.futures
import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import targets  # noqa: E402

ZOO = os.path.join(targets.FIXTURES, 'zoo.py')
SMALL = os.path.join(targets.FIXTURES, 'small.py')
LEGACY_GRAPH = os.path.join(targets.FIXTURES, 'legacy_graph.py')
TRUTH = os.path.join(targets.FIXTURES, 'truth.py')
FORKED = ['frozen zoo', 'graph 2']  # the others are paused, as all small processes are
SEEDS = [int(s) for s in os.environ.get('OURO_TEST_SEEDS', '1 2 3').split()]


def cases(python, whole=True, legacy=None):
    """name -> command of the folder; not the whole: of a version that another interpreter stands for already, of a debug build.
    legacy: a folder with the module of fixtures/legacy."""
    count = [] if whole else ['--count', '3000']
    found = {'zoo': lambda folder: [python, '-W', 'ignore', ZOO, '--seed', '1', *count, '--truth', folder]}
    if whole:
        found['frozen zoo'] = lambda folder: [python, '-W', 'ignore', ZOO, '--seed', '2', '--count', '3000', '--freeze', '--truth', folder]
    for seed in SEEDS if whole else SEEDS[:1]:
        found['graph %d' % seed] = lambda folder, seed=seed: [python, TRUTH, folder, SMALL, str(seed), '3000']
    if legacy:
        found['legacy finalizers'] = lambda folder: ['env', 'PYTHONPATH=' + legacy, python, TRUTH, folder, LEGACY_GRAPH]
    return found


def build_legacy(python, folder):
    """The folder, or None and why there is none."""
    os.makedirs(folder)
    command = [sys.executable, os.path.join(targets.FIXTURES, 'legacy', 'build.py'), python, folder]
    built = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if built.returncode not in (0, 77):
        raise RuntimeError('fixtures/legacy does not build: %s' % built.stdout.decode(errors='replace'))
    return (None, built.stdout.decode().strip()) if built.returncode else (folder, None)


def snapshot(pid, folder, *options):
    """Dumps (with these options) and exports; the words of whatever goes wrong."""
    for arguments, out in ((('dump', pid, '-o', folder + '/s.ouro', '-f', *options), None), (('verify', folder + '/s.ouro'), None),
                           (('export', folder + '/s.ouro', '--format', 'ndjson'), folder + '/export.ndjson')):
        with (open(out, 'wb') if out else contextlib.nullcontext(subprocess.PIPE)) as stdout:
            result = targets.ouro(*arguments, stdout=stdout)
        if result.returncode:
            return 'ouro %s: status %d: %s' % (' '.join(map(str, arguments)), result.returncode, result.stderr.decode(errors='replace').strip())
    return None


def known(truth, export):
    """The addresses of what the truth's objects and the roots lead to without a guess: a guessed reference may lead to what
    was an object once, and to ask the twin about that would kill it. Nor what only the table of interned strings refers to, weakly: who holds
    it we don't know, and the twin's collections may have freed it."""
    seen, tables = set(), compare.interned_tables(export)
    todo = [line['addr'] for line in export.lines
            if line['addr'] in truth.objects or line['type'] in compare.PSEUDO and line.get('name') != 'native']
    while todo:
        address = todo.pop()
        if address in seen or address not in export.objects:
            continue
        seen.add(address)
        line = export.objects[address]
        if not line.get('approximate'):
            todo += line['refs'] + line.get('hidden', []) + (line.get('weak', []) if address not in tables else [])
    return seen


def ask(folder, truth, export, report):
    """What the twin says of the objects that only the snapshot has."""
    askable = known(truth, export)
    addresses = [line['addr'] for line in export.lines
                 if line['type'] not in compare.PSEUDO and line['addr'] not in truth.objects and line['addr'] in askable]
    if compare.SANDBOX and not any(line.get('approximate') for line in export.lines):
        interned = {target for table in compare.interned_tables(export) for target in export.objects[table].get('weak', [])}
        beyond = [line['addr'] for line in export.lines
                  if line['addr'] not in askable and line['addr'] not in interned and line['type'] not in compare.PSEUDO]
        if beyond:
            report.differ('held by nothing', 'no object leads there', ' '.join(beyond[:10]))
    with open(folder + '/ask', 'w') as questions:
        questions.writelines(a + '\n' for a in addresses)
    part, whole = folder + '/asked.jsonl.part', folder + '/asked.jsonl'
    # The twin renames the file when it is whole. Should it die, the file grows no more, and its last line names the address that
    # killed it.
    grown, end = -1, 0
    while not os.path.exists(whole):
        try:
            size = os.path.getsize(part)
        except FileNotFoundError:  # not yet, or renamed
            size = 0
        if size != grown:
            grown, end = size, time.monotonic() + 60
        if time.monotonic() > end:
            with open(part) as text:
                report.differ('the twin died over an address', 'no object', text.read()[-200:])
            return
        time.sleep(0.001)
    with open(whole) as text:
        answers = [line for line in text if not line.startswith('#')]
    compare.check_asked(list(map(compare.json.loads, answers)), export, report)


def check_collections(folder, export, report):
    """Partial collections and full ones: what they find and in which order."""
    for generation in range(3):
        result = targets.ouro('garbage', folder + '/s.ouro', '--json', '--generation', generation)
        if generation == 1 and b'incremental' in result.stderr:  # 3.14.0 to 3.14.4
            report.notes['not predictable', 'generation 1'] += 1
            continue
        if result.returncode:
            report.differ('ouro garbage', 'generation %d' % generation, result.stderr.decode(errors='replace'))
            continue
        name = '/collected%s.txt' % (generation if generation < 2 else '')
        compare.check_collection(folder + name, compare.json.loads(result.stdout), export, report)


def run(name, python, command, keep, *options):
    folder = keep or tempfile.mkdtemp()
    if keep:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    try:
        started = time.monotonic()
        with targets.target(command(folder), cwd=folder) as t:
            problem = snapshot(t.pid, folder, *options)
            if problem:
                print('FAIL %s, %s: %s' % (python, name, problem))
                return False
            truth, export = compare.Truth(folder), compare.Export(folder + '/export.ndjson')
            report = compare.compare(truth, export, compare.Report())
            check_collections(folder, export, report)
            ask(folder, truth, export, report)
        print('%s %s, %s (%.0f s)' % ('ok  ' if report.good else 'FAIL', python, name, time.monotonic() - started))
        report.print()
        sys.stdout.flush()
        return report.good
    finally:
        if not keep:
            shutil.rmtree(folder)


def embedded(folder):
    """The program of fixtures/embed.c, or None and why there is none."""
    config = shutil.which('python3-config', path='/usr/bin:/usr/local/bin')
    if not config:
        return None, 'no python3-config'
    flags = subprocess.run([config, '--embed', '--cflags', '--ldflags'], stdout=subprocess.PIPE, check=True).stdout.decode()
    program = os.path.join(folder, 'embed')
    command = [os.environ.get('CC', 'cc'), os.path.join(targets.FIXTURES, 'embed.c'), '-o', program, *shlex.split(flags), '-g0']
    result = subprocess.run(command, stderr=subprocess.PIPE)
    if result.returncode:
        return None, 'does not compile: ' + result.stderr.decode()[-300:]
    return program, None


def run_case(python, whole, legacy, name, keep):
    """As a process of its own: whether it is good, and what it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            keep = keep and os.path.join(keep, os.path.abspath(python).replace('/', '_') + '.' + name.replace(' ', '_'))
            good = run(name, python, cases(python, whole, legacy)[name], keep, *(['--mode', 'fork'] if name in FORKED else []))
        except Exception:
            good = False
            traceback.print_exc(file=said)
            print('FAIL %s, %s' % (python, name))
    return good, said.getvalue()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--keep')
    parser.add_argument('--case', default='')
    parser.add_argument('pythons', nargs='*')
    options = parser.parse_args()
    good, count, versions = True, 0, set()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ProcessPoolExecutor(min(2, os.cpu_count())) as pool:
        todo = []
        for python in options.pythons or targets.pythons():
            version = targets.version(python)
            whole = bool(options.pythons) or version not in versions and not version.endswith('d')
            legacy, reason = build_legacy(python, os.path.join(folder, 'legacy%d' % len(todo))) if whole else (None, None)
            if reason:
                print('%s: %s' % (python, reason))
            todo += [(python, whole, legacy, name) for name in cases(python, whole, legacy)]
            versions.add(version)
        if not options.pythons:
            program, reason = embedded(folder)
            if program:
                todo += [(program, False, None, name) for name in cases(program, False)]
            else:
                print('skip: a program that embeds Python: %s' % reason)
        results = [pool.submit(run_case, *case, options.keep) for case in todo if options.case in case[-1]]
        for result in results:
            case_good, said = result.result()
            sys.stdout.write(said)
            sys.stdout.flush()
            good = good and case_good
            count += 1
    print('%d cases, %s' % (count, 'all equal' if good else 'some differ'))
    return 0 if good and count else 1


if __name__ == '__main__':
    sys.exit(main())
