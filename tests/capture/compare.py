"""Compares what `ouro export --format ndjson` says with what the interpreter itself says (fixtures/truth.py).

usage: compare.py TRUTH_FOLDER EXPORT.ndjson

There is no tolerance. What differs is printed grouped by check and type, with a few examples. A build that interprets the
code of types (OURO_TEST_SANDBOX, 1 unless set to 0) knows every tracked object exactly, and every size but that of a __sizeof__
written in Python. Without it objects that are marked `approximate` are counted by type, except those that are listed below.
Exit status 1 when anything differs.
"""
import collections
import json
import os
import re
import sys

EXAMPLES = 3
PSEUDO = ('<frame>', '<root>')

SANDBOX = os.environ.get('OURO_TEST_SANDBOX', '1') != '0'

# The types whose objects must be exact on every supported version, never `approximate`, even without the sandbox.
EXACT_MODULES = ('itertools',)
EXACT = {
    'builtins.' + name for name in (
        'list tuple dict dict_keys dict_values dict_items dict_keyiterator dict_valueiterator dict_itemiterator dict_reversekeyiterator '
        'dict_reversevalueiterator dict_reverseitemiterator set frozenset set_iterator list_iterator list_reverseiterator tuple_iterator '
        'str_iterator str_ascii_iterator bytes_iterator bytearray_iterator iterator callable_iterator enumerate reversed zip map filter type '
        'function code cell method builtin_function_or_method method_descriptor classmethod_descriptor getset_descriptor member_descriptor '
        'wrapper_descriptor method-wrapper classmethod staticmethod property generator coroutine async_generator '
        'async_generator_asend async_generator_athrow async_generator_wrapped_value coroutine_wrapper frame traceback slice memoryview '
        'managedbuffer mappingproxy super weakref weakproxy weakcallableproxy ReferenceType ProxyType CallableProxyType object str int float '
        'complex bytes bytearray bool NoneType ellipsis range range_iterator longrange_iterator BaseException Exception ValueError KeyError '
        'OSError AttributeError NameError ImportError SyntaxError StopIteration SystemExit UnicodeDecodeError UnicodeEncodeError TypeError '
        'IndexError RuntimeError ExceptionGroup BaseExceptionGroup odict_iterator odict_keys odict_values odict_items').split()
} | {
    'weakref.' + name for name in 'ReferenceType ProxyType CallableProxyType'.split()
} | {
    'collections.deque', 'collections.OrderedDict', 'collections.defaultdict', 'functools.partial', 'functools._lru_cache_wrapper',
    'collections._deque_iterator', 'collections._deque_reverse_iterator', '_collections._deque_iterator',
    '_collections._deque_reverse_iterator', 'functools._lru_list_elem', 'functools.KeyWrapper', 'types.SimpleNamespace',
}


def parse(path):
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            yield json.loads(line)


class Truth:
    def __init__(self, folder):
        lines = parse(os.path.join(folder, 'truth.jsonl'))
        self.head = next(lines)
        self.objects = {line['addr']: line for line in lines}
        self.unreachable = collected(os.path.join(folder, 'collected.txt'))


def collected(path):
    """The addresses of all that gc.collect() printed, as a set."""
    return set(collected_in_order(path))


def collected_in_order(path):
    """The same as a list, as it was printed: what is collectable, then what is not; the last line says that it came to its end."""
    with open(path, encoding='utf-8', errors='surrogateescape') as lines:
        text = lines.read()
    if not text.endswith('done\n'):
        raise ValueError('%s: the collecting twin did not come to its end: ...%r' % (path, text[-200:]))
    return re.findall(r'^gc: (?:un)?collectable <.* (0x[0-9a-f]+)>$', text, re.MULTILINE)


class Export:
    def __init__(self, path):
        lines = parse(path)
        self.head = next(lines)
        self.lines = list(lines)
        self.objects = {line['addr']: line for line in self.lines}


class Report:
    def __init__(self):
        self.groups = collections.OrderedDict()
        self.counts = collections.Counter()
        self.notes = collections.Counter()

    def differ(self, check, kind, text):
        group = self.groups.setdefault((check, kind), [0, []])
        group[0] += 1
        if len(group[1]) < EXAMPLES:
            group[1].append(text)

    def print(self, out=None):
        for (check, kind), (count, examples) in sorted(self.groups.items(), key=lambda g: -g[1][0]):
            print('DIFFERS %s: %s: %d' % (check, kind, count), file=out)
            for text in examples:
                print('    ' + text.replace('\n', '\n    '), file=out)
        for (check, kind), count in sorted(self.notes.items(), key=lambda n: (n[0][0], -n[1])):
            print('note %s: %s: %d' % (check, kind, count), file=out)
        print(', '.join('%s %d' % item for item in self.counts.items()), file=out)

    @property
    def good(self):
        return not self.groups


def type_of(line):
    return '%s.%s' % (line.get('module') or '?', line['type'])


def is_exact(kind, line):
    """Whether nothing of the object may be unknown."""
    if SANDBOX and line.get('gc') is not None:
        return True
    return kind in EXACT or line.get('module') in EXACT_MODULES


def clip(items, limit=40):
    items = list(items)
    return ' '.join(map(str, items[:limit])) + (' ... (%d)' % len(items) if len(items) > limit else '')


def compare(truth, export, report):
    check_form(export, report)
    check_known(export, report)
    missing = []
    for address, true in truth.objects.items():
        ours = export.objects.get(address)
        if ours is None:
            missing.append(address)
            continue
        check_object(true, ours, truth, export, report)
    check_missing(missing, truth, export, report)
    check_unreachable(truth, export, report)
    check_head(truth, export, report)
    report.counts['objects of the truth'] = len(truth.objects)
    report.counts['edges of the truth'] = sum(len(o['refs']) for o in truth.objects.values())
    report.counts['objects of the snapshot'] = len(export.objects)
    report.counts['unreachable'] = len(truth.unreachable)
    for line in export.lines:
        if line['type'] in PSEUDO:
            report.counts['pseudo objects'] += 1
        elif line['addr'] not in truth.objects:
            report.notes['beyond the truth', type_of(line)] += 1
    return report


def check_form(export, report):
    """What the contract says of the export by itself."""
    head, lines = export.head, export.lines
    if head.get('ouro') != 'objects' or head.get('version') != 1:
        report.differ('head', 'first line', repr(head))
    if head.get('objects') != len(lines):
        report.differ('head', 'objects', 'says %r, has %d lines' % (head.get('objects'), len(lines)))
    edges = sum(len(line['refs']) + len(line.get('hidden', ())) for line in lines)
    if head.get('edges') != edges:
        report.differ('head', 'edges', 'says %r, has %d' % (head.get('edges'), edges))
    if len(export.objects) != len(lines):
        twice = [a for a, n in collections.Counter(line['addr'] for line in lines).items() if n > 1]
        report.differ('addresses', 'not unique', clip(twice))
    last = -1
    for line in lines:
        address, kind = line['addr'], type_of(line)
        if int(address, 16) <= last:
            report.differ('addresses', 'order', '%s behind %#x' % (address, last))
        last = int(address, 16)
        for field in ('type', 'module', 'size', 'refcount', 'gc', 'refs', 'labels'):
            if field not in line and not (field == 'module' and line['type'] in PSEUDO):
                report.differ('field is not there', field, '%s %s' % (address, kind))
        for field, labels in (('refs', 'labels'), ('hidden', 'hidden_labels')):
            if len(line.get(field, ())) != len(line.get(labels, ())):
                report.differ('labels', kind, '%s: %d %s, %d %s' % (address, len(line.get(field, ())), field, len(line.get(labels, ())), labels))
            for i, target in enumerate(line.get(field, ())):
                if target not in export.objects:
                    label = line.get(labels, ())[i:i + 1]
                    report.differ('edge to nowhere', kind, '%s %s%s -> %s' % (address, field, list(label), target))
        for target in line.get('weak', ()):
            if target not in export.objects:
                report.differ('weak edge to nowhere', kind, '%s -> %s' % (address, target))
        for field in ('hidden', 'weak', 'hidden_labels'):
            if field in line and not line[field]:
                report.differ('empty array is left out', field, '%s %s' % (address, kind))


def check_known(export, report):
    for line in export.lines:
        if line.get('approximate') and is_exact(type_of(line), line):
            report.differ('approximate though it can be known', type_of(line), line['addr'])


def check_missing(missing, truth, export, report):
    """An object may be missing where only objects refer to it whose references are approximate, or such that are missing
    for the same reason."""
    absent, held = set(missing), set()
    for true in truth.objects.values():
        if true['addr'] in absent:
            continue
        held_exactly = not export.objects[true['addr']].get('approximate')
        if held_exactly:
            held.update(absent.intersection(true['refs']))
    todo = list(held)
    for address in todo:  # what hangs off them is missing for no better reason
        for target in absent.intersection(truth.objects[address]['refs']) - held:
            held.add(target)
            todo.append(target)
    for address in missing:
        true = truth.objects[address]
        if address in held or true['gc'] is not None:
            report.differ('missing object', type_of(true), '%s refs %s' % (address, clip(true['refs'])))
        else:
            report.notes['missing, held by approximate objects only', type_of(true)] += 1


def check_object(true, ours, truth, export, report):
    address, kind = true['addr'], type_of(true)
    approximate = ours.get('approximate', False)
    report.counts['objects compared'] += 1
    if (true['type'], true['module']) != (ours['type'], ours.get('module')):
        # A class without a __module__ that is a str has none; there is no right answer.
        if true['module'] is None and true['type'] == ours['type']:
            report.notes['class without a module', true['type']] += 1
        else:
            report.differ('type', kind, '%s: true %r, ours %r' % (address, (true['module'], true['type']), (ours.get('module'), ours['type'])))
    if true['gc'] != ours.get('gc'):
        report.differ('generation', kind, '%s: true %r, ours %r' % (address, true['gc'], ours.get('gc')))
    if true.get('own_sizeof') or true['size'] is None:
        report.notes['size not compared: __sizeof__ written in Python, or failing', kind] += 1
    elif ours.get('size_estimated') and (SANDBOX or is_exact(kind, ours)):
        report.differ('size estimated though it can be known', kind, '%s: true %r, ours %r' % (address, true['size'], ours.get('size')))
    elif true['size'] != ours.get('size'):
        if ours.get('size_estimated'):
            report.notes['size estimated, and different', kind] += 1
        else:
            report.differ('size', kind, '%s: true %r, ours %r' % (address, true['size'], ours.get('size')))
    if 'refcount' in true and true['refcount'] != ours.get('refcount'):
        report.differ('reference count', kind, '%s: true %r, ours %r' % (address, true['refcount'], ours.get('refcount')))
    if approximate:
        report.notes['approximate, edges %s' % ('equal' if true['refs'] == ours['refs'] else 'different'), kind] += 1
        return
    report.counts['edges compared'] += len(true['refs'])
    if true['refs'] != ours['refs']:
        report.differ(*edge_difference(true, ours, truth, export))


def edge_difference(true, ours, truth, export):
    def name(address, label=None):
        line = truth.objects.get(address) or export.objects.get(address)
        text = '%s(%s)' % (address, line['type'] if line else 'not an object')
        return '%s=%s' % (label, text) if label is not None else text
    want, have = collections.Counter(true['refs']), collections.Counter(ours['refs'])
    text = '%s:\ntrue %s\nours %s' % (true['addr'], clip((name(a) for a in true['refs']), 20),
                                      clip((name(a, label) for a, label in zip(ours['refs'], ours['labels'])), 20))
    if want == have:
        return 'order of edges', type_of(true), text
    missing, extra = want - have, have - want
    text += '\nmissing %s\nextra %s' % (clip(map(name, missing.elements()), 8), clip(map(name, extra.elements()), 8))
    what = 'missing edges' if not extra else 'extra edges' if not missing else 'other edges'
    return what, type_of(true), text


def check_unreachable(truth, export, report):
    ours = {line['addr'] for line in export.lines if line.get('unreachable')}
    for address in truth.unreachable - ours:
        line = export.objects.get(address) or {'type': 'not in the snapshot', 'module': ''}
        report.differ('unreachable, but not for us', type_of(line), '%s count %s' % (address, line.get('refcount')))
    for address in ours - truth.unreachable:
        line = export.objects[address]
        report.differ('reachable, but not for us', type_of(line), '%s count %s' % (address, line['refcount']))


def check_collection(path, garbage, export, report):
    """What a collection printed equals what `ouro garbage` says of it, in this order."""
    true, ours = collected_in_order(path), garbage['unreachable']['addresses']
    what = 'a collection of generation %d' % garbage['generation']
    report.counts['found by ' + what] += len(true)
    if true == ours:
        return
    kinds = collections.Counter(type_of(export.objects.get(a) or {'type': 'not in the snapshot', 'module': ''})
                                for a in set(true) ^ set(ours))
    if not kinds:
        first = next(i for i in range(len(true)) if true[i] != ours[i])
        report.differ(what, 'order', 'from number %d of %d on: true %s, ours %s' % (
            first, len(true), clip(true[first:], 4), clip(ours[first:], 4)))
    for kind, count in kinds.items():
        report.differ(what, kind, '%d; true %d in all, ours %d' % (count, len(true), len(ours)))


def check_head(truth, export, report):
    if export.head.get('pid') != truth.head['pid']:
        report.differ('head', 'pid', 'true %r, ours %r' % (truth.head['pid'], export.head.get('pid')))
    if export.head.get('python') != truth.head['python']:
        report.differ('head', 'python', 'true %r, ours %r' % (truth.head['python'], export.head.get('python')))


def interned_tables(export):
    return {target for line in export.lines if line['type'] == '<root>' and line.get('name') == 'interned strings' for target in line['refs']}


def check_interned(true, ours, export, report):
    """The table of interned strings, where it is no object of the collector's: it keeps some, refers weakly to the others, and both are what
    it refers to. While the twin answers it interns a few strings that there were, and mortal ones end, but none of those that it keeps."""
    has, said = set(ours['refs']) | set(ours.get('weak', ())), set(true['refs'])
    report.counts['interned strings compared'] += len(has & said)
    missing, extra = (said - has) & set(export.objects), set(ours['refs']) - said
    if len(missing) > 20 or extra or len(has & said) < 1000:
        report.differ('interned strings (asked)', type_of(true), '%s: missing %s, extra %s' % (true['addr'], clip(missing, 8), clip(extra, 8)))


def check_asked(answers, export, report):
    """Objects of the snapshot that the collector does not lead to: the twin told what they are."""
    tables = interned_tables(export)
    for true in answers:
        ours = export.objects[true['addr']]
        kind = type_of(true)
        report.counts['objects asked for'] += 1
        if (true['type'], true['module']) != (ours['type'], ours.get('module')) and true['module'] is not None:
            report.differ('type (asked)', kind, '%s: true %r, ours %r' % (true['addr'], (true['module'], true['type']),
                                                                          (ours.get('module'), ours['type'])))
        if true['size'] is not None and true['size'] != ours['size'] and not ours.get('size_estimated'):
            report.differ('size (asked)', kind, '%s: true %r, ours %r' % (true['addr'], true['size'], ours['size']))
        if true['addr'] in tables:
            check_interned(true, ours, export, report)
        elif true['refs'] != ours['refs'] and not ours.get('approximate'):
            missing = collections.Counter(true['refs']) - collections.Counter(ours['refs'])
            extra = collections.Counter(ours['refs']) - collections.Counter(true['refs'])
            report.differ('edges (asked)', kind, '%s: missing %s, extra %s' % (true['addr'], clip(missing.elements(), 8), clip(extra.elements(), 8)))


def main():
    report = compare(Truth(sys.argv[1]), Export(sys.argv[2]), Report())
    report.print()
    return 0 if report.good else 1


if __name__ == '__main__':
    sys.exit(main())
