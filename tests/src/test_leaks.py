#!/usr/bin/env python3
"""ouro leaks: programs with one thing each that must be the first suspect (fixtures/suspects.py), an idle one without any; and what
the command says, its conditions, its page.

Each kind once with one of two interpreters, in turns, and idle with both; OURO_TEST_LEAKS_ALL=1: all with all of OURO_TEST_PYTHONS.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'capture')]
import harness  # noqa: E402
import targets  # noqa: E402
from harness import check, main, ouro  # noqa: E402

FIXTURE = os.path.join(targets.FIXTURES, 'suspects.py')
WASTE = {'strings', 'empty', 'sparse'}


def interpreters():
    pythons = targets.pythons()
    return pythons if os.environ.get('OURO_TEST_LEAKS_ALL') else list(dict.fromkeys(pythons[:1] + pythons[-1:]))


def capture(python, kind, path):
    with targets.target([python, FIXTURE, kind]) as target:
        check(ouro('dump', str(target.pid), '-o', path), 0)


def suspects(path, *arguments):
    result = ouro('leaks', path, '--json', *arguments)
    check(result, 0)
    answer = json.loads(result.stdout)
    assert answer['ouro'] == 'leaks' and answer['version'] == 1
    return answer['suspects']


def paths_of(suspect):
    return [suspect[key].get('expression', '') for key in ('object', 'accumulation_point') if key in suspect]


def check_commands(found):
    for suspect in found:
        result = subprocess.run(['/bin/sh', '-c', re.sub('^ouro', '"$OURO"', suspect['command'])], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=dict(os.environ, OURO=targets.OURO), timeout=120)
        assert result.returncode == 0 and result.stdout, (suspect['command'], result)


def check_suspects(python, kind, truth, path):
    found = suspects(path)
    check_commands(found)
    leaking = [s for s in found if not s['waste']]
    if kind == 'idle':
        assert not found, (python, found)
        return
    first = [s for s in found if s['waste']][0] if truth['kind'] in WASTE else leaking[0]
    said = (python, kind, truth, found)
    assert first['kind'] == truth['kind'], said
    assert truth['count'] in (None, first['count']), said
    assert truth['path'] is None or any(re.search(truth['path'], p) for p in paths_of(first)), said
    assert first['bytes'] > 0 and first['text'] and first['object']['addr'], said


def test_each_kind_is_the_first_suspect_and_idle_processes_have_none(folder):
    truths = json.loads(subprocess.run([sys.executable, FIXTURE, '--truth'], stdout=subprocess.PIPE, check=True).stdout)
    pythons = interpreters()
    everything = os.environ.get('OURO_TEST_LEAKS_ALL')
    jobs = [(python, kind) for i, kind in enumerate(truths)
            for python in (pythons if everything or kind == 'idle' else [pythons[i % len(pythons)]])]

    def run(job):
        path = '%s/a file of %d.ouro' % (folder, jobs.index(job))  # with blanks: commands quote it
        capture(*job, path)
        check_suspects(*job, truths[job[1]], path)
        os.unlink(path)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        failed = [(job, future.exception()) for job, future in [(job, pool.submit(run, job)) for job in jobs] if future.exception()]
    assert not failed, '\n'.join('%s: %s' % pair for pair in failed)


def test_conditions_suppressions_and_the_page(folder):
    path = folder + '/group.ouro'
    capture(targets.pythons()[0], 'group', path)
    check(ouro('leaks', path, '--fail-on', 'suspects>0'), 1, stderr=b'--fail-on suspects>0')
    check(ouro('leaks', path, '--fail-on', 'type=*.Session suspects>=1'), 1)
    check(ouro('leaks', path, '--fail-on', 'type=*.Session retained>100M'), 0)
    check(ouro('leaks', path, '--fail-on', 'type=*.Session retained>100K'), 1)
    check(ouro('leaks', path, '--fail-on', 'suspects>many'), 2, stdout=b'', stderr=b'^')
    check(ouro('leaks', path, '--fail-on', 'garbage>0'), 2, stdout=b'')
    with open(folder + '/known', 'w') as file:
        file.write('# known\ntype=*.Session  # since forever\n')
    result = ouro('leaks', path, '--suppress', folder + '/known', '--fail-on', 'type=*.Session suspects>0')
    check(result, 0, stdout=b'suppressed')
    assert b'__main__.Session' not in result.stdout, result
    found = json.loads(ouro('leaks', path, '--suppress', folder + '/known', '--json', '--fail-on', 'suspects>0').stdout)
    assert [s['suppressed'] for s in found['suspects'] if s['kind'] == 'group'] == [True], found
    assert found['fail_on'][0]['holds'] is False, found
    check(ouro('leaks', path, '--min-size', '1G'), 0, stdout=b'no suspects; of ')
    check(ouro('leaks', path, '--min-size', 'x'), 2, stdout=b'')
    check(ouro('leaks', folder + '/none.ouro'), 4, stdout=b'')
    limited = ouro('leaks', path, '--min-size', '1K', '--limit', '1')
    check(limited, 0, stdout=b'more (--limit)')
    os.chdir(folder)
    for width in 80, 60:
        page = ouro('leaks', 'group.ouro', '--min-size', '1K', columns=width)
        check(page, 0)
        for line in page.stdout.decode().splitlines():
            assert len(line) <= width or ' ' not in line.strip(), line


def test_a_made_snapshot_and_what_is_left_of_it(folder):
    path = folder + '/made.ouro'
    harness.make_snapshot(path)
    check(ouro('leaks', path, '--min-size', '1'), 0)
    with open(path, 'rb') as file:
        data = file.read()
    with open(path, 'wb') as file:
        file.write(data[:len(data) * 2 // 3])
    check(ouro('leaks', path), 4, stdout=b'')
    result = ouro('leaks', path, '--salvage')
    assert result.returncode in (0, 4), result
    check(ouro('leaks'), 2, stdout=b'', stderr=b'an argument is missing')
    check(ouro('leaks', path, path), 2, stdout=b'', stderr=b'too many')


if __name__ == '__main__':
    main(globals())
