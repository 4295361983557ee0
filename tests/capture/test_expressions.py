r"""Expressions as OBJECT arguments against the interpreter's own answers, on every interpreter.

usage: test_expressions.py [PYTHON ...]

fixtures/expressions.py tells for thousands of expressions which object each gives. What ouro finds must be that very object; what
would run code, or is not there, it must not find; and it must find everything else, but for what native code computes. What it says
of some is compared word by word, also of snapshots that hold less of the values; and what `ouro path` prints must lead back.
OURO_TEST_EXPRESSION_STEPS walks (default 1500) from OURO_TEST_EXPRESSION_SEED, OURO_TEST_EXPRESSION_PATHS paths (2000) besides.
"""
import collections
import json
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

STEPS = os.environ.get('OURO_TEST_EXPRESSION_STEPS', '1500')
SEED = os.environ.get('OURO_TEST_EXPRESSION_SEED', '1')
BATCH = 400
BATCH_BYTES = 100000
PATHS = int(os.environ.get('OURO_TEST_EXPRESSION_PATHS', '2000'))


def batches(items, text):
    """As many as a command takes; text gives an item's expression."""
    batch, size = [], 0
    for item in items:
        batch.append(item)
        size += len(text(item).encode(errors='replace'))
        if len(batch) == BATCH or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def ask(snapshot, expressions):
    """By expression the address, of those that are found; and what was said of the others."""
    result = targets.ouro('objects', '--json', snapshot, *expressions)
    if result.returncode not in (0, 2):
        raise AssertionError('ouro objects: status %d: %s' % (result.returncode, result.stderr.decode(errors='replace')[:2000]))
    found = {o['expression']: o['addr'] for o in json.loads(result.stdout)['objects']}
    said = [line for line in result.stderr.decode(errors='replace').splitlines() if line.startswith('ouro: ')]
    assert len(said) + len(found) == len(expressions), (len(said), len(found), len(expressions))
    assert (result.returncode == 2) == bool(said), result.returncode
    return found, iter(said)


def compare(snapshot, lines):
    wrong, counts, may = [], collections.Counter(), collections.Counter()
    for batch in batches(lines, lambda line: line['e']):
        found, said = ask(snapshot, [line['e'] for line in batch])
        for line in batch:
            address = found.get(line['e'])
            words = next(said) if address is None else None
            if address == line['id']:
                counts['found' if address else 'refused'] += 1
            elif address is None and 'may' in line:
                may[line['may']] += 1
            else:
                wrong.append('%s: true %s, ours %s' % (line['e'], line['id'], address or words))
    return wrong, counts, may


# Of objects of the fixture: the words on standard error, without "ouro: show: ".
WORDS = [
    ("CACHE['user:1']", "CACHE is a dict with 38 keys; none is 'user:1' (near: 'user:11', 'user:2')"),
    ("CACHE[4]", "CACHE is a dict with 38 keys; none is 4"),
    ("CACHE['3']", "CACHE is a dict with 38 keys; none is '3' (near: 3)"),
    ("__main__.LIST[7]", "__main__.LIST is a list of 4; index 7 is out of range"),
    ("LIST[-5]", "LIST is a list of 4; index -5 is out of range"),
    ("LIST['a']", "LIST is a list of 4; its items have numbers"),
    ("DEQUE[3]", "DEQUE is a collections.deque of 3; index 3 is out of range"),
    ("[*SET][20]", "[*SET] is a set of 20; index 20 is out of range"),
    ("LIST[0].nam", "LIST[0] is a __main__.User; it has no attribute 'nam' (near: 'name')"),
    ("LIST[0].name", "__main__.User.name is a property: reading it would run code; vars(LIST[0])['_name'] is what the instance holds"),
    ("LIST[0].run", "LIST[0].run is a method, bound anew each time that it is asked for; its function is type(LIST[0]).run"),
    ("User.of_class", "User.of_class is a method, bound anew each time that it is asked for; its function is vars(User)['of_class']"),
    ("ASKING.other", "ASKING is a __main__.Asking; it has no attribute 'other' of its own, and its class's __getattr__ would run"),
    ("GUARDED.age", "GUARDED is a __main__.Guarded, whose class has a __getattribute__ that would run; past it: "
                    "object.__getattribute__(GUARDED, 'age')"),
    ("ROW[0]", "ROW is a __main__.Row, whose __getitem__ would run; past it: list.__getitem__(ROW, 0)"),
    ("WEIRD['a']", "WEIRD is a __main__.Weird, whose __getitem__ would run; past it: dict.__getitem__(WEIRD, 'a')"),
    ("CHAIN['a']", "CHAIN is a collections.ChainMap; its __getitem__ would run"),
    ("SLOTTED.empty", "SLOTTED.empty is a slot that holds nothing"),
    ("MANAGED.managed", "MANAGED.managed is what a __main__.Data makes of it, which would run code"),
    ("LAZY.waiting", "LAZY.waiting is what a functools.cached_property makes of it, which would run code"),
    ("DEFAULT['z']", "DEFAULT is a collections.defaultdict with 1 key; none is 'z'; its default_factory would run"),
    ("GONE()", "GONE is a weak reference to what is gone"),
    ("LIST()", "LIST would be called: nothing but weak references is"),
    ("DEQUE.maxlen", "DEQUE.maxlen is made by native code when it is asked for, or not in the snapshot"),
    ("sys.modules['o']", "sys.modules is a dict with N keys; none is 'o'"),
    ("threadin.Thread", "sys.modules has no 'threadin' (near: 'threading', '_thread')"),
    ("collection.abc", "sys.modules has no 'collection' (near: 'collections'"),
    ("DEQE", "sys.modules has no 'DEQE', nor has __main__ (near: 'DEQUE')"),
    ("<Thread 'worker-2'>", "no thread of the snapshot is <Thread 'worker-2'> (near: 'worker-0', 'worker-1')"),
    ("<Thread 'worker-0'>.frames[0:other].locals['held']", "<Thread 'worker-0'>.frames[0] is "),
    ("<Thread 'worker-0'>.frames[0].locals['hel']", "<Thread 'worker-0'>.frames[0].locals has no 'hel' (near: 'held')"),
    ("<Thread 'worker-0'>.frames[99]", "<Thread 'worker-0'>.frames: the thread has "),
    ("<no root>", "<no root> is no named root of this snapshot"),
    ("GENERATOR.gi_frame.f_locals", "GENERATOR.gi_frame.f_locals is made when it is asked for; one variable is, for instance, ['self']"),
    ("0x10.a", "no object has the address 0x10"),
    ("0x10", "no object in "),
    ("CACHE[", "no OBJECT: an expression was expected\n  CACHE[\n        ^\n"),
    ("CACHE['a", "no OBJECT: a string that doesn't end\n  CACHE['a\n        ^\n"),
    ("CACHE[1", "no OBJECT: a bracket that isn't closed\n  CACHE[1\n         ^\n"),
    ("CACHE[1:2]", "no OBJECT: slices make new objects; one index was expected\n  CACHE[1:2]\n         ^\n"),
    ("CACHE.1", "no OBJECT: a name was expected behind the point\n  CACHE.1\n        ^\n"),
    ("CACHE user", "no OBJECT: a step (.name, ['key'], [0]) was expected\n  CACHE user\n        ^\n"),
    ("caf\u00e9['\u65e5' x]", "no OBJECT: a closing bracket was expected\n  caf\u00e9['\u65e5' x]\n            ^\n"),
    ("f(1)", "no OBJECT: nothing is called: that would run code\n  f(1)\n   ^\n"),
    ("", "no OBJECT: an expression was expected"),
    ("x['\\x4']", "no OBJECT: too few hexadecimal digits in an escape"),
    ("(" * 101 + "x", "no OBJECT: brackets are nested too deep"),
    ("x[" + "(" * 40, "no OBJECT: tuples are nested too deep"),
    ("x" + "[0]" * 43000, "sys.modules has no 'x'"),  # just below the limit of a program's argument
]

# What a snapshot without, or with cut, values can tell of these: an address, or the words.
LONG = 'k' * 300
LESS = {
    'none': [("CACHE['user:11'].age", "CACHE is a dict with 38 keys; none is 'user:11', as far as can be told: it was captured without values"),
             ("LIST[0].age", None), ("STRINGS['%s']" % LONG, "as far as can be told"), ("LIST[0]._name[0]", None),
             ("CACHE[3]", "as far as can be told"), ("CACHE[None]", None), ("<Thread 'worker-0'>.frames[0].locals['held']", "no thread of the snapshot is <Thread 'worker-0'>"),
             ("sys.modules['os'].environ", None), ("collections.abc.Mapping", None)],
    'short': [("CACHE[3]", None), ("STRINGS['%s']" % LONG, "as far as can be told"), ("CACHE[b'q']", None), ("CACHE[2**70]", "no OBJECT"),
              ("CACHE[%d]" % 2 ** 70, None), ("STRINGS['%s']" % LONG[:-1], "as far as can be told"), ("STRINGS['kk']", "STRINGS is a dict with 8 keys; none is 'kk'")],
}


def check_words(snapshot, words, wrong):
    for expression, wanted in words:
        result = targets.ouro('show', '--fast', snapshot, expression)
        said = result.stderr.decode(errors='replace')
        number = next((w for w in said.split() if w.isdigit()), '')
        if wanted is None:
            good = result.returncode == 0
        elif said.startswith('ouro: show: '):
            said = said[len('ouro: show: '):]
            plain = said.replace(number, 'N', 1) if ' N ' in wanted else said
            good = result.returncode == 2 and (wanted in plain if wanted.startswith('as far') else plain.startswith(wanted))
        else:
            good = False
        if not good:
            wrong.append('%s: status %d: %s\n    wanted %s' % (expression[:80], result.returncode, said[:400], wanted))


def check_paths(snapshot, lines, wrong):
    """What `ouro path` prints of an object leads to it."""
    needed = {line['id']: line['e'] for line in lines if line.get('path')}
    assert needed
    addresses = {line['id'] for line in lines if line['id']}
    exported = targets.ouro('export', snapshot).stdout.decode(errors='surrogateescape').splitlines()
    everything = [o['addr'] for o in map(json.loads, exported) if 'addr' in o and not o['addr'].startswith('0xffff8')]
    addresses |= set(random.Random(SEED).sample(everything, PATHS))
    addresses, paths = sorted(addresses), []
    for i in range(0, len(addresses), 1000):
        result = targets.ouro('path', '--json', snapshot, *addresses[i:i + 1000])
        if result.returncode:
            raise AssertionError('ouro path: %s' % result.stderr.decode(errors='replace'))
        paths += [(o['addr'], path) for o in json.loads(result.stdout)['objects'] for path in o['paths']]
    exact = [(address, path[form]) for address, path in paths for form in ('expression', 'python') if path['exact'] and path[form]]
    exact = list(dict.fromkeys(exact))
    for address in needed.keys() - {address for address, _ in exact}:
        wrong.append('path of %s: none that is an expression' % needed[address])
    for part in batches(exact, lambda item: item[1]):
        found, said = ask(snapshot, [text for _, text in part])
        for address, text in part:
            # The object of a thread's frame is written as the frame itself.
            frame = text.startswith('<Thread') and text.endswith(']') and '.frames[' in text and found.get(text, '').startswith('0xffff8')
            if found.get(text) != address and not frame:
                wrong.append('path of %s: %s: %s' % (address, text, found.get(text) or next(said)))
    return len(exact)


def line_of(text):
    with open(os.path.join(targets.FIXTURES, 'expressions.py'), encoding='utf-8') as source:
        return next(number for number, line in enumerate(source, 1) if text in line)


def check_show(snapshot, wrong):
    """What `ouro show` tells of some because of what they are."""
    def shown(expression, *options):
        result = targets.ouro('show', '--json', snapshot, expression, *options)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def expect(what, got, wanted):
        if got != wanted:
            wrong.append('show: %s: %r, not %r' % (what, got, wanted))

    user = shown('User')
    expect('instances', user['instances']['count'], 6)
    expect('bytes', user['instances']['bytes'],
           sum(o['size'] + o.get('native', 0) for o in json.loads(targets.ouro(
               'objects', '--json', '--type', '__main__.User', snapshot).stdout)['objects']))
    expect('file', os.path.basename(shown('os')['file']), 'os.py')
    expect('generator', [shown('GENERATOR')[f] for f in ('function', 'line', 'state')],
           ['generator', line_of('yield (lambda: local)'), 'suspended'])
    expect('fresh', shown('FRESH')['state'], 'created')
    expect('coroutine', [shown('COROUTINE')[f] for f in ('function', 'line', 'state')],
           ['coroutine', line_of('await Awaited()'), 'awaiting'])
    expect('traceback', [shown('ERROR.__traceback__')[f] for f in ('function', 'line')],
           ['raised', line_of("raise ValueError(['outer'])")])
    lock = shown('RLOCK')['lock']
    expect('RLock', [lock['locked'], lock['count'], lock['owner']['name']], [True, 2, 'MainThread'])
    lock = shown('LOCK')['lock']
    expect('Lock', [lock['locked'], 'owner' in lock], [True, False])
    expect('free', shown('FREE')['lock'], {'locked': False})
    first = shown('LIST[0]')
    expect('weak', sorted(w['callback'] and w['callback']['type'] or '' for w in first['weak_references']), ['', 'function'])
    expect('path', first['path']['expression'], "sys.modules['__main__'].LIST[0]")
    expect('idom', 'idom' in first and 'retained' in first and first['unexplained'] == 0, True)
    expect('brief', shown('LIST')['brief'][:2], '[<')
    fast = shown('LIST[0]', '--fast')
    expect('fast', ['retained' in fast, fast['path']], [False, first['path']])
    text = targets.ouro('show', snapshot, 'LIST[0]', env={**os.environ, 'COLUMNS': '80'}).stdout.decode()
    for title in 'Shortest path:', 'Dominated by:', 'Refers to:', 'Referred to by:', 'Weak references: 2':
        expect(title, title in text, True)


def check_less(target, folder, wrong):
    for values, words in LESS.items():
        snapshot = os.path.join(folder, values + '.ouro')
        result = targets.ouro('dump', '--values', values, target.pid, '-o', snapshot)
        if result.returncode:
            raise AssertionError('ouro dump: %s' % result.stderr.decode(errors='replace'))
        check_words(snapshot, words, wrong)


def check(python, folder, *extra):
    truth = os.path.join(folder, 'truth.jsonl')
    snapshot = os.path.join(folder, 'snapshot.ouro')
    with targets.target([python, os.path.join(targets.FIXTURES, 'expressions.py'), truth, SEED, STEPS, *extra]) as target:
        result = targets.ouro('dump', '--values', 'full', target.pid, '-o', snapshot)
        if result.returncode:
            raise AssertionError('ouro dump: %s' % result.stderr.decode(errors='replace'))
        less = []
        if not extra:
            check_less(target, folder, less)
    with open(truth, encoding='utf-8') as lines:
        lines = [json.loads(line) for line in lines]
    # A surrogate is no argument of a program; written as \ud800 it is.
    lines = [line for line in lines if line['e'].isascii() or not any(0xd800 <= ord(c) < 0xe000 for c in line['e'])]
    wrong, counts, may = compare(snapshot, lines)
    wrong += less
    if not extra:
        check_words(snapshot, WORDS, wrong)
        check_show(snapshot, wrong)
    paths = check_paths(snapshot, lines, wrong)
    name = '%s%s' % (targets.version(python), ' with the zoo' if extra else '')
    print('%s: %d found, %d rightly not, %d paths led back; native code computes %d (%s)' % (
        name, counts['found'], counts['refused'], paths, sum(may.values()), ', '.join('%s %d' % m for m in may.most_common(4))))
    for line in wrong[:20]:
        print('  ' + line)
    if wrong:
        print('%s: %d wrong' % (name, len(wrong)))
    enough = counts['found'] > int(STEPS) // 2 and counts['refused'] > int(STEPS) // 20
    if not enough:
        print('%s: too few to tell' % name)
    return not wrong and enough


def main():
    good = True
    for python in sys.argv[1:] or targets.few_pythons():
        with tempfile.TemporaryDirectory(prefix='ouro-expressions-') as folder:
            good &= check(python, folder)
    for python in sys.argv[1:] or targets.few_pythons()[:1]:
        with tempfile.TemporaryDirectory(prefix='ouro-expressions-') as folder:
            good &= check(python, folder, 'zoo')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
