"""The finalizers and callbacks that `ouro garbage` foretells are those that run when a twin collects, in this order.

usage: test_finalizer_order.py [PYTHON ...]
"""
import collections
import json
import os
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

FIXTURE = os.path.join(targets.FIXTURES, 'finalizer_order.py')
SEEDS = [int(s) for s in os.environ.get('OURO_TEST_SEEDS', '1 2 3').split()]
LOGGED = ('on_end', 'on_end_of', 'Listener.on_end')


def foretold(garbage):
    """Groups of (word, address): the order among those of a group is not known."""
    groups, last = [], None
    for item in garbage['finalizers']['items']:
        if item['kind'] == 'weakref_callback':
            if not any('calls %s (' % name in item['does'] for name in LOGGED):
                assert 'WeakValueDictionary' in item['does'], item
                continue
            said = 'ref', item['weakref']
        elif item['kind'] == 'weakref_finalize':
            assert item['does'] == 'calls say (%s:%s' % (FIXTURE, item['does'].rpartition(':')[2]), item
            assert item['does'].endswith('), by weakref.finalize'), item
            said = 'finalize', item['addr']
        elif item['stage'] == 'when_freed':
            assert (item['kind'], item['type'], item['order']) == ('del', 'Slim', None), item
            said = 'freed', item['addr']
        elif item['kind'] == 'del':
            assert '__del__ (' in item['does'], item
            said = 'del', item['addr']
        else:
            assert item['kind'] == 'generator' and 'closes generator (' in item['does'], item
            said = 'close', item['addr']
        group = item['addr'] if item.get('unsure') else 'freed' if item['stage'] == 'when_freed' else None
        if group and group == last:
            groups[-1].append(said)
        else:
            groups.append([said])
        last = group
    return groups


def compare(said, groups):
    at = 0
    for group in groups:
        there = said[at:at + len(group)]
        if collections.Counter(there) != collections.Counter(group):
            return 'from line %d on: foretold %s, said %s' % (at + 1, group, there)
        at += len(group)
    return None if at == len(said) else 'more was said than foretold: %s' % said[at:]


def check(python, seed, generation):
    with tempfile.TemporaryDirectory() as folder:
        log = folder + '/log'
        with targets.target([python, FIXTURE, log, str(seed), str(generation)]) as t:
            result = targets.ouro('dump', t.pid, '-o', folder + '/s.ouro')
            assert not result.returncode, result.stderr
        result = targets.ouro('garbage', folder + '/s.ouro', '--json', '--generation', generation)
        assert not result.returncode, result.stderr
        with open(log) as text:
            said = [tuple(line.split()) for line in text]
        assert said.pop() == ('done',), 'the twin did not come to its end'
        garbage = json.loads(result.stdout)
        words = {word for word, _ in said}
        assert words >= {'ref', 'del', 'close', 'finalize'} if generation == 2 else 'del' in words, words
        assert garbage['finalizers']['finished'] == (generation == 2), garbage['finalizers']
        return compare(said, foretold(garbage))


def main():
    good, count = True, 0
    for python in sys.argv[1:] or targets.pythons():
        for seed in SEEDS:
            for generation in (2, 0):
                name = '%s, seed %d, generation %d' % (python, seed, generation)
                count += 1
                try:
                    problem = check(python, seed, generation)
                except Exception:
                    problem = traceback.format_exc()
                print('FAIL %s: %s' % (name, problem) if problem else 'ok   ' + name, flush=True)
                good = good and not problem
    return 0 if good and count else 1


if __name__ == '__main__':
    sys.exit(main())
