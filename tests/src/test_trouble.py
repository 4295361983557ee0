"""The seeds of trouble that people know (fixtures/trouble.py) are what the reports make of them: the expected rows.

usage: test_trouble.py [PYTHON ...]
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'capture'))
import targets  # noqa: E402

FIXTURE = os.path.join(targets.FIXTURES, 'trouble.py')
LEGACY = os.path.join(targets.FIXTURES, 'legacy', 'build.py')
COUNT = 7
NAMES = ('parents', 'observers', 'closure', 'traceback', 'generator', 'lru_cache', 'lru_cache_of_module', 'finalizer', 'legacy',
         'legacy_held',         'native', 'sqlalchemy', 'django', 'freeze', 'saveall', 'resurrected')
# The cycle as `ouro cycles` must write it (a pattern), and the reference that it must say to cut (None: any).
CYCLES = {
    'parents': (r'Department\.employees\[\*\] -> Employee\.department', 'Employee.department'),
    'observers': (r'Subject\.observers\[\*\] -> Observer\.on_change\.__self__ -> Observer\.subject', 'Observer.subject'),
    'closure': (r'closure\.<locals>\.count_down\.__closure__\[count_down\]', None),
    'traceback': (r'<frame (traceback\.<locals>\.)?fail>\.kept -> LookupError\.__traceback__ -> traceback\.tb_frame', None),
    'generator': (r'<generator generator\.<locals>\.produce>\.box\[\*\]', None),
    'lru_cache': (r'(.* -> )?lru_cache\((lru_cache\.<locals>\.Page\.)?render\).*', None),
    'lru_cache_of_module': (r'(.* -> )?lru_cache\((Document\.)?render\).*', None),
    'finalizer': (r'Connection\.close\.__self__ -> Connection\.handlers\[\*\]|'
                  r'Connection\.handlers\[\*\] -> Connection\.close\.__self__', 'Connection.handlers[*]'),
    'legacy': (r'Legacy\.\S*\[\*\]', None),
    'legacy_held': (r'Handle\.me', 'Handle.me'),
    'native': (r'Handle\.me', 'Handle.me'),
    'sqlalchemy': (r'.*Author\.books -> InstrumentedList\[\*\] -> .*Book\.author', 'sqlalchemy_models.<locals>.Book.author'),
    'django': (r'ContentType\._prefetched_objects_cache\[\*\] -> .*', None),
    'freeze': (r'Department\.employees\[\*\] -> Employee\.department', 'Employee.department'),
    'saveall': (r'Department\.employees\[\*\] -> Employee\.department', 'Employee.department'),
    'resurrected': (r'Phoenix\.me', 'Phoenix.me'),
}
# Types of which the program has objects besides.
COMMON = {'function', 'generator', 'type', 'traceback'}


class Skip(Exception):
    pass


def fates(garbage):
    """fate -> addresses"""
    uncollectable = set(garbage['uncollectable']['addresses'])
    return {
        'garbage': set(garbage['unreachable']['addresses']) - uncollectable,
        'uncollectable': uncollectable,
        'frozen': set(garbage['frozen']['addresses']),
        'saved': set(garbage['gc_garbage']['addresses']),
        'resurrected': set(garbage['resurrected']['addresses']),
        'native': {item['addr'] for item in garbage['native']['items']},
    }


def check_rows(rows, truth):
    """All objects of a type of the fixture have one fate, so that the row is known to the last object."""
    for name, addresses in truth['addresses'].items():
        if name not in COMMON:
            row, = [row for row in rows if row['type'].rpartition('.')[2] == name]
            assert row['count'] == len(addresses), (row, len(addresses))


def check_garbage(garbage, truth):
    addresses = {address for some in truth['addresses'].values() for address in some}
    assert len(addresses) == sum(map(len, truth['addresses'].values())), truth
    for fate, found in fates(garbage).items():
        if fate == truth['fate']:
            assert addresses <= found, '%s: missing %s' % (fate, addresses - found)
        elif (fate, truth['fate']) != ('native', 'frozen'):
            assert not addresses & found, '%s: not %s: %s' % (truth['fate'], fate, addresses & found)
    if truth['fate'] == 'garbage':
        check_rows(garbage['unreachable']['types'], truth)
    elif truth['fate'] in ('uncollectable', 'frozen', 'resurrected'):
        check_rows(garbage[truth['fate']]['types'], truth)
    elif truth['fate'] == 'saved':
        assert garbage['gc_garbage']['saveall'] and garbage['interpreters'][0]['debug_flags'] == ['SAVEALL']
        assert addresses <= set(garbage['gc_garbage']['holds']['addresses'])
        check_rows(garbage['gc_garbage']['types'], truth)
    assert garbage['exact'] and not garbage['hidden']['objects'], garbage['doubts']


def check_details(garbage, truth):
    items = garbage['finalizers']['items']
    kinds = garbage['finalizers']['kinds']
    if truth['live']:
        assert not any(kinds.values()), kinds
        return
    if truth['trouble'] == 'finalizer':
        assert kinds['del'] == COUNT == len(items), kinds
        assert [item['order'] for item in items] == list(range(1, COUNT + 1))
        assert all(item['does'].startswith('runs Connection.__del__ (%s:' % FIXTURE) for item in items), items
    elif truth['trouble'] == 'generator':
        assert kinds['generator'] == COUNT == len(items), kinds
        assert {item['addr'] for item in items} == set(truth['addresses']['generator'])
    elif truth['trouble'] == 'legacy':
        assert garbage['uncollectable']['legacy'] == COUNT, garbage['uncollectable']
        assert garbage['unreachable']['freed_objects'] == 0, garbage['unreachable']
    elif truth['trouble'] == 'legacy_held':
        assert set(garbage['released']['addresses']) >= {*truth['addresses']['Legacy'], *truth['addresses']['Department']}
        assert not garbage['uncollectable']['objects'], garbage['uncollectable']
        assert kinds['legacy'] == COUNT and {item['addr'] for item in items} == set(truth['addresses']['Legacy']), items
        assert garbage['unreachable']['freed_objects'] >= garbage['unreachable']['objects'], garbage['unreachable']
    elif truth['trouble'] == 'native':
        row, = [row for row in garbage['native']['types'] if row['type'] == 'Handle']
        assert (row['count'], row['unexplained']) == (COUNT, COUNT * truth['references']), row
        assert {item['unexplained'] for item in garbage['native']['items'] if item['type'] == 'Handle'} == {truth['references']}
    elif truth['trouble'] == 'freeze':
        # The first of a garbage cycle that nobody looks at again.
        assert garbage['frozen']['frozen'] == garbage['frozen']['objects'], garbage['frozen']


def check_cycles(path, truth):
    """One row, with the right count, alive or not; and what to cut."""
    result = targets.ouro('cycles', path, '--json', '--advise')
    assert not result.returncode, result.stderr
    page = json.loads(result.stdout)
    wanted, cut = CYCLES[truth['trouble']]
    unreachable = truth['fate'] not in ('frozen', 'saved', 'resurrected', 'native', 'reachable')
    rows = [r for r in page['patterns'] if r['unreachable'] == unreachable and re.fullmatch(wanted, r['pattern'])]
    assert len(rows) == 1, (wanted, [(r['pattern'], r['unreachable']) for r in page['patterns']])
    assert rows[0]['count'] == (1 if truth['trouble'] == 'lru_cache_of_module' else truth['count']), rows
    weaken = [c['reference'] for c in rows[0]['advice']['weaken']]
    assert rows[0]['advice']['acyclic'] and weaken, rows
    assert cut is None or weaken == [cut], weaken
    if 'lru_cache' in truth['trouble']:
        assert {c['how'] for c in rows[0]['advice']['weaken']} == {'cache'}, rows


def check_text(path):
    result = targets.ouro('garbage', path, env=dict(os.environ, COLUMNS='80'))
    assert not result.returncode and not result.stderr, result.stderr
    for line in result.stdout.decode().split('\n'):
        assert len(line) <= 80, line


def check(python, name, live, modules):
    command = [python, FIXTURE, name, str(COUNT), *(['live'] if live else [])]
    with tempfile.TemporaryDirectory() as folder:
        try:
            with targets.target(command, env={'PYTHONPATH': modules}) as t:
                truth = json.loads(t.process.stdout.readline())
                path = folder + '/s.ouro'
                result = targets.ouro('dump', t.pid, '-o', path)
                assert not result.returncode, result.stderr
        except RuntimeError as error:
            if 'status 77' in str(error):
                raise Skip('a package is missing')
            raise
        result = targets.ouro('garbage', path, '--json')
        assert not result.returncode, result.stderr
        garbage = json.loads(result.stdout)
        assert (garbage['ouro'], garbage['version'], truth['live']) == ('garbage', 1, live), garbage
        check_garbage(garbage, truth)
        check_details(garbage, truth)
        check_cycles(path, truth)
        check_text(path)


def check_hidden(python, modules):
    """Garbage behind objects whose references were only guessed is told of, and not called garbage."""
    with tempfile.TemporaryDirectory() as folder:
        with targets.target([python, FIXTURE, 'legacy', str(COUNT)], env={'PYTHONPATH': modules}) as t:
            truth = json.loads(t.process.stdout.readline())
            path = folder + '/s.ouro'
            result = targets.ouro('dump', '--no-sandbox', t.pid, '-o', path)
            assert not result.returncode, result.stderr
        garbage = json.loads(targets.ouro('garbage', path, '--json').stdout)
        addresses = {address for some in truth['addresses'].values() for address in some}
        assert addresses <= set(garbage['hidden']['addresses']), garbage['hidden']
        assert not addresses & set(garbage['unreachable']['addresses']), garbage['unreachable']
        assert not garbage['exact'] and 'approximate' in {doubt['kind'] for doubt in garbage['doubts']}, garbage['doubts']
        assert garbage['hidden']['approximate'] >= COUNT, garbage['hidden']
        text = targets.ouro('garbage', path).stdout
        assert b'may be garbage too' in text and b'How far this can be trusted' in text, text


def main():
    good, count = True, 0
    for python in sys.argv[1:] or targets.pythons():
        with tempfile.TemporaryDirectory() as modules:
            built = subprocess.run([sys.executable, LEGACY, python, modules], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            reason = built.stdout.decode().strip() if built.returncode == 77 else None
            cases = [(name, live) for name in NAMES for live in (False, True)] + [('legacy, hidden', None)]
            for name, live in cases:
                said = '%s, %s%s' % (python, name, ' live' if live else '')
                try:
                    if name.startswith('legacy') and reason:
                        raise Skip(reason)
                    if live is None:
                        check_hidden(python, modules)
                    else:
                        check(python, name, live, modules)
                    print('ok  ', said)
                    count += 1
                except Skip as skipped:
                    print('skip %s: %s' % (said, skipped))
                except Exception:
                    good = False
                    print('FAIL', said)
                    traceback.print_exc(file=sys.stdout)
                sys.stdout.flush()
    return 0 if good and count else 1


if __name__ == '__main__':
    sys.exit(main())
