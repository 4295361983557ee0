"""ouro refs and backrefs draw what objgraph draws in the target itself: the same boxes and arrows, and the labels that it has
right. objgraph (Debian's python3-objgraph, pure Python) is right on 3.8 to 3.10 only: later it does not know instance dicts
that are not there as objects, nor what frames are."""
import json
import os
import re
import subprocess
import sys
import tempfile

from targets import FIXTURES, ouro, pythons, target, version

BUILD = os.environ.get('top_builddir') or '.'
OPTIONS = {'max_depth': '--max-depth', 'too_many': '--too-many', 'filter': '--filter'}
# Where the module lies: of Debian's package, or of one that is unpacked elsewhere.
PLACES = [p for p in (os.environ.get('OURO_TEST_OBJGRAPH'), '/usr/lib/python3/dist-packages') if p]


def read(path):
    return json.loads(subprocess.run([os.path.join(BUILD, 'tests', 'read_picture'), path], stdout=subprocess.PIPE, check=True).stdout)


def labels_agree(theirs, ours):
    """objgraph names an attribute, a key that is an identifier, or the key's type and value."""
    if not theirs:
        return True
    kind, _, key = theirs.partition('\\n')
    if kind == 'tuple': # of which it shows the number of items
        return ours.startswith('[(')
    key = key or kind
    return any(line in (key, '.' + key, "['%s']" % key, '[%s]' % key) for line in ours.replace('\\\\', '\\').split('\\n'))


def first_line(node):
    return node['label'].split('\\n')[0]


def compare(python, case, theirs, ours):
    where = (python, case)
    extra = set(ours['nodes']) - set(theirs['nodes'])
    missing = set(theirs['nodes']) - set(ours['nodes'])
    assert not missing, (where, 'not drawn', {n: theirs['nodes'][n] for n in missing})
    if case['direction'] == 'refs':
        assert not extra, (where, 'too much', {n: ours['nodes'][n] for n in extra})
    # gc.get_referrers does not know roots, running frames, nor references that nobody traverses (dashed), nor what lies behind.
    outside = {e[0] for e in ours['edges'] if e[2].get('style') == 'dashed'}
    outside |= {n for n in extra if re.match('<|frame$', first_line(ours['nodes'][n]))}
    for _ in extra:
        outside |= {e[0] for e in ours['edges'] if e[1] in outside and e[0] in extra}
    assert extra <= outside, (where, 'too much', {n: ours['nodes'][n] for n in extra - outside})
    their_edges, our_edges = ({(e[0], e[1]) for e in picture['edges']} for picture in (theirs, ours))
    assert their_edges <= our_edges, (where, 'no arrow', their_edges - our_edges)
    assert all(tail in outside or head in outside for tail, head in our_edges - their_edges), (where, our_edges - their_edges)
    for name, node in theirs['nodes'].items():
        mine = ours['nodes'][name]
        count, mine_count = (re.match(r'(\d+) more (back)?references?$', first_line(n)) for n in (node, mine))
        if count and case['direction'] == 'backrefs':  # roots and the like are among ours
            assert int(mine_count.group(1)) >= int(count.group(1)), (where, node, mine)
        elif count:
            assert mine_count.group(1) == count.group(1), (where, node, mine)
        else:
            assert first_line(node) == first_line(mine), (where, node, mine)
        for attribute in 'fillcolor', 'fontcolor', 'shape':
            if attribute == 'fillcolor' and node.get(attribute, '').count(',') == 2:
                a, b = ([float(x) for x in n[attribute].split(',')] for n in (node, mine))
                assert all(abs(x - y) < 1e-5 for x, y in zip(a, b)), (where, node, mine)
            else:
                assert node.get(attribute) == mine.get(attribute), (where, attribute, node, mine)
    ours_by = {(e[0], e[1]): e[2].get('label', '') for e in ours['edges']}
    for tail, head, attributes in theirs['edges']:
        label = attributes.get('label', '')
        if first_line(theirs['nodes'][head]) == 'NoneType' and label.startswith('__'):
            continue  # it takes the first attribute of a function that is None, whichever tp_traverse meant
        assert labels_agree(label, ours_by[tail, head]), (where, label, ours_by[tail, head])
    return len(theirs['nodes'])


def check(python):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'heap.ouro')
        with target([python, os.path.join(FIXTURES, 'pictures.py'), folder, *PLACES]) as t:
            result = ouro('dump', '-q', '-f', t.pid, '-o', path)
            assert result.returncode == 0, result.stderr
        cases = os.path.join(folder, 'cases.json')
        if not os.path.exists(cases):
            return 0
        drawn = 0
        for case in json.load(open(cases)):
            mine = os.path.join(folder, 'mine.dot')
            options = [str(x) for name, value in case['options'].items() for x in (OPTIONS[name], value)]
            result = ouro(case['direction'], path, case['id'], '-q', '-o', mine, '--budget', '0', *options)
            assert result.returncode == 0, result.stderr
            drawn += compare(python, case, read(case['file']), read(mine))
        return drawn


def main():
    wanted = {'3.8', '3.9', '3.10'}
    done = 0
    for python in pythons():
        if version(python) not in wanted:
            continue
        wanted.discard(version(python))
        drawn = check(python)
        if not drawn:
            print('skipped: no objgraph (Debian: python3-objgraph)')
            sys.exit(77)
        print('%s: %d boxes as objgraph draws them' % (python, drawn))
        done += 1
    if not done:
        print('skipped: no Python 3.8, 3.9 or 3.10 among OURO_TEST_PYTHONS')
        sys.exit(77)


if __name__ == '__main__':
    main()
