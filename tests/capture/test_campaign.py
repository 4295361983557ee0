"""The fault campaign, in its bounded form; and that it finds harm where there is some.

usage: test_campaign.py [TEST ...]
OURO_SEED repeats a campaign; `make check-faults` runs the long one.
"""
import os
import re
import stat
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CAMPAIGN = os.path.join(HERE, 'campaign.py')
SECONDS = 12  # for all modes
FAILED = []

# Stands for ouro: it does to the target, or leaves behind, what a dump must not.
FAKE = '''#!%s
import os, signal, subprocess, sys, time
if sys.argv[1] != 'dump':
    sys.exit(0)
pid, path = int(sys.argv[2]), sys.argv[-1]
open(os.environ['FAKE_FILE'], 'a').write('x')
open(path, 'w').close()
calls = len(open(os.environ['FAKE_FILE']).read())
if calls <= 3:
    sys.exit(0)  # those by which the campaign learns how long it takes
how = os.environ['FAKE_HARMS'].split(',')[calls - 4]
if how == 'stops':
    os.kill(pid, signal.SIGSTOP)
elif how == 'kills':
    os.kill(pid, signal.SIGKILL)
elif how == 'signals':
    for _ in range(3):  # one that meets a child's own becomes one with it
        os.kill(pid, signal.SIGCHLD)
        time.sleep(0.002)
elif how == 'litters':
    open(path + '.tmp', 'w').close()
elif how == 'lingers':
    subprocess.Popen(['sleep', '30'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
elif how == 'fails':
    sys.exit(4)
'''
HARMS = {'stops': 'left behind: .*stopped or traced', 'kills': 'lost: ', 'signals': 'disturbed: .*SIGCHLD of nobody', 'litters': 'left behind: .*files',
         'fails': 'disturbed: .*unexpected end', 'nothing': '', 'lingers': 'left behind: .*processes'}


def expect(condition, name, text=''):
    if not condition:
        FAILED.append(name)
    print('%s %s%s' % ('ok  ' if condition else 'FAIL', name, '' if condition else ': %s' % (text,)), flush=True)


def run(arguments, **environment):
    """Status, and what it said."""
    result = subprocess.run([sys.executable, CAMPAIGN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env={**os.environ, **environment}, timeout=600)
    return result.returncode, result.stdout.decode(errors='replace')


def the_campaign_finds_harm(folder):
    fake = os.path.join(folder, 'ouro')
    with open(fake, 'w') as out:
        out.write(FAKE % sys.executable)
    os.chmod(fake, os.stat(fake).st_mode | stat.S_IXUSR)
    status, text = run(['pause'], OURO=fake, FAKE_HARMS=','.join(HARMS), FAKE_FILE=os.path.join(folder, 'calls'),
                       OURO_CAMPAIGN_DUMPS=str(len(HARMS)), OURO_CAMPAIGN_PLAN='whole', OURO_CAMPAIGN_PATIENCE='2')
    for i, (how, wanted) in enumerate(HARMS.items()):
        found = re.findall(r'^  HARM (.*: dump %d, .*)$' % i, text, re.MULTILINE)
        good = len(found) == 1 and re.search(wanted, found[0]) if wanted else not found
        expect(good, 'the_campaign_tells_who_%s' % how, text)
    expect(status == 1 and '%d harmed' % sum(map(bool, HARMS.values())) in text, 'the_campaign_fails_where_there_was_harm', text[-200:])


def nothing_is_lost_disturbed_or_left_behind(folder):
    started = time.monotonic()
    sys.path.insert(0, HERE)
    import campaign
    modes = campaign.modes()
    expect('pause' in modes and 'live' in modes, 'this_ouro_has_the_modes', modes)
    status, text = run(modes, OURO_CAMPAIGN_SECONDS=str(SECONDS / len(modes)), OURO_CAMPAIGN_DUMPS='1000')
    print(text, end='')
    expect(status == 0, 'nothing_is_lost_disturbed_or_left_behind', 'status %d' % status)
    expect(re.match(r'seed \d+', text), 'the_campaign_prints_its_seed', text[:100])
    for mode in modes:
        row = re.search(r'^%s +all +(\d+) +(\d+) +0 +0 +0$' % mode, text, re.MULTILINE)
        expect(row and int(row.group(1)) + int(row.group(2)) >= 5, 'dumps_in_mode_%s' % mode, row and row.group(0))
    print('  %.1f s' % (time.monotonic() - started))


def main():
    for test in the_campaign_finds_harm, nothing_is_lost_disturbed_or_left_behind:
        if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
            with tempfile.TemporaryDirectory() as folder:
                test(folder)
    print('%d failed' % len(FAILED))
    return 1 if FAILED else 0


if __name__ == '__main__':
    sys.exit(main())
