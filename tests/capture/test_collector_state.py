"""What a snapshot says of the state of the collector is what the interpreter's gc module says: thresholds, counts, statistics, debug flags,
whether it is enabled, its lists of garbage and callbacks, the lengths of its own. On every interpreter of OURO_TEST_PYTHONS.

usage: test_collector_state.py [PYTHON ...]
"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'snapshot'))
import reader  # noqa: E402
import targets  # noqa: E402

# Collections of each generation, some of which find garbage. 3.15 keeps the figures of the last 11, 3 and 3 of them.
RUNS = [(0, 0, 0), (1, 1, 1), (5, 2, 3), (11, 3, 4), (30, 10, 7)]
SETTINGS = [
    {'threshold': (5000, 7, 9), 'enabled': True, 'debug': 0, 'frozen': False, 'young': 700},
    {'threshold': (123456, 3, 1000), 'enabled': False, 'debug': 32, 'frozen': True, 'young': 3000},
]
PROGRAM = r'''
import gc, json, os, sys
runs, settings = json.loads(sys.argv[1])
class Node:
    pass
def garbage(count):
    for i in range(count):
        n = Node()
        n.me = n
def callback(phase, info):
    pass
gc.disable()
for generation, times in enumerate(runs):
    for i in range(times):
        garbage(i * 3)
        gc.collect(generation)
gc.callbacks.append(callback)
gc.callbacks.append(callback)
if settings['debug']:
    garbage(11)
    gc.set_debug(settings['debug'])
    gc.collect()
if settings['frozen']:
    gc.freeze()
gc.set_threshold(*settings['threshold'])
kept = [[i] for i in range(settings['young'])]
if settings['enabled']:
    gc.enable()
lengths = [len(gc.get_objects(i)) for i in range(3)]
text = json.dumps({'threshold': gc.get_threshold(), 'stats': gc.get_stats(), 'debug': gc.get_debug(), 'enabled': gc.isenabled(),
                   'frozen': gc.get_freeze_count(), 'garbage': [hex(id(gc.garbage)), len(gc.garbage)], 'lengths': lengths,
                   'callbacks': [hex(id(gc.callbacks)), len(gc.callbacks)], 'pid': os.getpid()})
count = gc.get_count()
os.write(1, ('READY %d\n%s\n' % (os.getpid(), text[:-1] + ', "count": %s}' % list(count))).encode())
os.read(0, 1)
'''
SLACK = 60  # objects that come and go between the question and the stop
FAILED = []


def expect(condition, *words):
    if not condition:
        FAILED.append(words)
        print('FAIL', *words)


def check(python, folder, runs, settings):
    path = os.path.join(folder, 's.ouro')
    with targets.target([python, '-c', PROGRAM, json.dumps([runs, settings])]) as t:
        line = b''
        while not line.endswith(b'\n'):
            line += os.read(t.process.stdout.fileno(), 1)
        truth = json.loads(line)
        result = targets.ouro('dump', t.pid, '-q', '-f', '--codec', 'zlib', '-o', path)
        if result.returncode:
            raise RuntimeError(result.stderr.decode())
    snapshot = reader.Snapshot(path)
    record = snapshot.interpreters[0]
    _, enabled, debug, collecting = record[:4]
    generations = [record[4 + 6 * i:10 + 6 * i] for i in range(3)]
    frozen = record[22]
    garbage, callbacks = record[-2:]
    name = '%s %s %s:' % (python, runs, settings)
    expect(bool(enabled) == truth['enabled'], name, 'enabled', enabled)
    expect(debug == truth['debug'] == settings['debug'], name, 'debug', debug)
    expect(not collecting, name, 'collecting')
    expect([g[0] for g in generations] == truth['threshold'], name, 'thresholds', generations, truth['threshold'])
    counts = [g[1] for g in generations]
    expect(counts[1:] == truth['count'][1:] and abs(counts[0] - truth['count'][0]) < SLACK, name, 'counts', counts, truth['count'])
    expect(counts[0] > settings['young'] - SLACK or not any(runs), name, 'nothing was counted')
    for i, key in ((2, 'collections'), (3, 'collected'), (4, 'uncollectable')):
        expect([g[i] for g in generations] == [s[key] for s in truth['stats']], name, key, generations, truth['stats'])
    expect(all(abs(g[5] - n) < SLACK for g, n in zip(generations, truth['lengths'])), name, 'lengths', generations, truth['lengths'])
    expect(abs(frozen - truth['frozen']) < SLACK and (frozen > 1000 or not settings['frozen']), name, 'frozen', frozen, truth['frozen'])
    for key, node in (('garbage', garbage), ('callbacks', callbacks)):
        addr, length = truth[key]
        expect(node is not None and hex(snapshot.objects[node][0]) == addr, name, key, 'is not at', addr)
        expect(sum(slot is not None for slot in snapshot.objects[node][8]) >= length, name, key, 'holds', length)
    expect(truth['garbage'][1] >= (11 if settings['debug'] else 0) and truth['callbacks'][1] == 2, name, truth)
    info = json.loads(targets.ouro('info', path, '--json').stdout)['interpreters'][0]
    expect(info['thresholds'] == truth['threshold'] and info['collections'] == [s['collections'] for s in truth['stats']], name, 'info', info)
    expect(info['collected'] == [s['collected'] for s in truth['stats']] and info['gc_enabled'] == truth['enabled'], name, 'info', info)


def main():
    for python in sys.argv[1:] or targets.pythons():
        before = len(FAILED)
        for i, runs in enumerate(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                check(python, folder, runs, SETTINGS[i % len(SETTINGS)])
        print('%s %s' % ('FAIL' if len(FAILED) > before else 'ok  ', python), flush=True)
    print('%d failed' % len(FAILED))
    return 1 if FAILED else 0


if __name__ == '__main__':
    sys.exit(main())
