"""The comparer can fail: an export made from the truth itself passes, and each way of spoiling it is noticed."""
import copy
import io
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import targets  # noqa: E402


def perfect(truth):
    """An export as it should be, of a truth."""
    lines = []
    for o in sorted(truth.objects.values(), key=lambda o: int(o['addr'], 16)):
        line = {'addr': o['addr'], 'type': o['type'], 'module': o['module'] or '', 'size': o['size'] or 0, 'refcount': o.get('refcount'),
                'gc': o['gc'], 'refs': list(o['refs']), 'labels': ['x'] * len(o['refs'])}
        if o['addr'] in truth.unreachable:
            line['unreachable'] = True
        lines.append(line)
    lines.append({'addr': '0xffff800000000000', 'type': '<root>', 'name': 'r', 'size': 0, 'refcount': 0, 'gc': None, 'refs': [lines[0]['addr']],
                  'labels': ['x']})
    head = {'ouro': 'objects', 'version': 1, 'python': truth.head['python'], 'pid': truth.head['pid'], 'objects': len(lines),
            'edges': sum(len(line['refs']) for line in lines)}
    return [head] + lines


def check(truth, lines, folder):
    path = os.path.join(folder, 'export.ndjson')
    with open(path, 'w') as out:
        out.writelines(json.dumps(line) + '\n' for line in lines)
    return compare.compare(truth, compare.Export(path), compare.Report())


def some(lines, condition=lambda line: True):
    return next(line for line in lines[len(lines) // 2:] if condition(line))


def ways_to_spoil():
    """(what must be noticed, or None where nothing may be; how)"""
    two = lambda line: line['type'] in ('list', 'tuple') and len(set(line['refs'])) > 1  # noqa: E731

    def drop_object(lines):
        victim = some(lines, lambda line: line['type'] == 'float')
        lines.remove(victim)
    yield 'missing object', drop_object
    yield 'order of edges', lambda lines: some(lines, two)['refs'].reverse()

    def drop_edge(lines):
        line = some(lines, two)
        line['refs'].pop(), line['labels'].pop()
    yield 'missing edges', drop_edge

    def repeat_edge(lines):
        line = some(lines, two)
        line['refs'].append(line['refs'][-1]), line['labels'].append('x')
    yield 'extra edges', repeat_edge

    def move_edge(lines):
        some(lines, two)['refs'][0] = lines[1]['addr']
    yield 'other edges', move_edge
    yield 'edge to nowhere', lambda lines: some(lines, two)['refs'].__setitem__(0, '0x10')
    yield 'weak edge to nowhere', lambda lines: some(lines).__setitem__('weak', ['0x10'])
    yield 'size', lambda lines: some(lines, two).__setitem__('size', 1)
    yield 'type', lambda lines: some(lines, two).__setitem__('type', 'wrong')
    yield 'type', lambda lines: some(lines, two).__setitem__('module', 'wrong')
    yield 'generation', lambda lines: some(lines, lambda line: line['gc'] == 0).__setitem__('gc', 1)
    yield 'generation', lambda lines: some(lines, lambda line: line['gc'] is None).__setitem__('gc', 0)
    yield 'reference count', lambda lines: some(lines, lambda line: line['refcount']).__setitem__('refcount', -1)
    yield 'unreachable, but not for us', lambda lines: next(line for line in lines if line.get('unreachable')).pop('unreachable')
    yield 'reachable, but not for us', lambda lines: some(lines, lambda line: not line.get('unreachable')).__setitem__('unreachable', True)
    yield 'labels', lambda lines: some(lines, two)['labels'].pop()
    yield 'head', lambda lines: lines[0].__setitem__('objects', 1)
    yield 'head', lambda lines: lines[0].__setitem__('edges', 1)
    yield 'head', lambda lines: lines[0].__setitem__('pid', 1)
    yield 'head', lambda lines: lines[0].__setitem__('python', '2.7.18')
    yield 'addresses', lambda lines: lines.append(copy.deepcopy(lines[5]))
    yield 'addresses', lambda lines: lines.insert(9, lines.pop(5))
    yield 'field is not there', lambda lines: some(lines).pop('gc')
    yield 'empty array is left out', lambda lines: some(lines).__setitem__('hidden', [])
    yield 'approximate though it can be known', lambda lines: some(lines, two).__setitem__('approximate', True)
    yield 'size estimated though it can be known', lambda lines: some(lines, two).__setitem__('size_estimated', True)

    def unlisted(lines):
        some(lines, lambda line: line['gc'] is not None and not listed(line))['approximate'] = True
    yield 'approximate though it can be known' if compare.SANDBOX else None, unlisted


def listed(line):
    return compare.type_of(line) in compare.EXACT or line['module'] in compare.EXACT_MODULES


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        command = [targets.pythons()[0], os.path.join(targets.FIXTURES, 'truth.py'), folder, os.path.join(targets.FIXTURES, 'small.py')]
        with targets.target(command, stderr=None):
            truth = compare.Truth(folder)
        lines = perfect(truth)
        report = check(truth, lines, folder)
        if not report.good:
            text = io.StringIO()
            report.print(text)
            print('FAIL the truth differs from itself:', text.getvalue())
            failed += 1
        if not truth.unreachable or report.counts['objects compared'] != len(truth.objects):
            print('FAIL nothing was compared')
            failed += 1
        for expected, spoil in ways_to_spoil():
            spoiled = copy.deepcopy(lines[:1]) + [dict(line, refs=list(line['refs']), labels=list(line['labels'])) for line in lines[1:]]
            spoil(spoiled)
            report = check(truth, spoiled, folder)
            noticed = {name for name, _ in report.groups}
            if expected is None and noticed or expected is not None and expected not in noticed:
                print('FAIL not noticed: %s; noticed instead: %s' % (expected, noticed))
                failed += 1
    print('%d failed; %d objects' % (failed, len(truth.objects)))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
