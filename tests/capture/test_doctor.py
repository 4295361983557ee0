"""What `ouro doctor` says of a process is what the interpreter says of itself, on every interpreter of OURO_TEST_PYTHONS."""
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

SANDBOX = os.environ.get('OURO_TEST_SANDBOX', '1') == '1'
PROGRAM = '''
import collections, gc, io, json, os, sys, threading
class Odd:
    def __sizeof__(self):
        return 77
odd = [Odd() for _ in range(5)]
deques = [collections.deque([i]) for i in range(7)]
locals_ = [threading.local() for _ in range(3)]
threads = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
buffers = [io.BytesIO(b'x' * i) for i in range(4)]
for object_ in deques + buffers + locals_:
    sys.getsizeof(object_)
gc.disable()
gc.collect()
facts = {'hexversion': sys.hexversion, 'debug': 'd' in sys.abiflags, 'version': '%d.%d.%d' % sys.version_info[:3], 'tids': [threading.get_native_id()] +
         [t.native_id for t in threads], 'tracked': len(gc.get_objects())}
with open(sys.argv[1], 'w') as f:
    json.dump(facts, f)
print('READY', os.getpid(), flush=True)
sys.exit(0 if sys.stdin.readline() == 'end\\n' else 3)
'''


def doctor(*arguments, status=0):
    result = targets.ouro('doctor', *arguments)
    assert result.returncode == status, '%s: status %d, not %d: %r' % (arguments, result.returncode, status, result.stderr)
    return result.stdout.decode()


def asked(*arguments):
    return json.loads(doctor('--json', *arguments))


def by_type(report):
    return {(t['module'] + '.' if t['module'] else '') + t['type']: t for t in report['types']}


def recognised(report, facts, pid):
    assert report['error'] is None and report['stage'] == 'walked', report
    assert report['pid'] == pid
    assert report['python'] == facts['version'] and report['hexversion'] == facts['hexversion'], report['python']
    assert report['layouts_fit'] and not report['free_threaded'] and report['debug'] == facts['debug']
    assert report['symbols_missing'] == []
    assert ('Py_Version' in report['symbols_found']) == (facts['hexversion'] >= 0x30b0000), 'older ones have none'
    assert sorted(t['native_id'] for t in report['threads']) == sorted(facts['tids']), report['threads']
    assert report['pause_ns'] > 0 and report['copied_bytes'] > 0
    types = by_type(report)
    assert types['__main__.Odd']['count'] == 5
    assert types['collections.deque']['count'] >= 7
    for name in 'list', 'dict', 'tuple', 'function', 'type':
        assert (types.get(name) or types['builtins.' + name])['references'] == 'native', name
    # Every type's count is in the sum, and nothing else is.
    for key in 'count', 'approximate', 'size_estimated', 'checked', 'check_differs':
        assert sum(t[key] for t in report['types']) == report['totals'][key], key
    assert types['__main__.Odd']['size_estimated'] == 5, 'a __sizeof__ written in Python is not run'


def with_sandbox(report):
    types = by_type(report)
    assert report['sandbox'] == 'yes'
    assert report['totals']['approximate'] == 0 and report['totals']['run_failed'] == {}, report['totals']
    assert report['totals']['size_estimated'] == 5
    assert types['_thread._local']['references'] in ('learned', 'run') and types['_thread._local']['approximate'] == 0
    assert types['_io.BytesIO']['size'] == 'run'
    assert report['totals']['checked'] > 50 and report['totals']['check_differs'] == 0


def without_sandbox(report):
    types = by_type(report)
    assert report['sandbox'] != 'yes'
    assert report['totals']['checked'] == 0
    assert types['_thread._local']['references'] == 'guessed'
    assert types['_thread._local']['approximate'] == types['_thread._local']['count'] >= 3
    assert types['_io.BytesIO']['size_estimated'] == types['_io.BytesIO']['count'] >= 4


def printed(pid, report):
    """The text says what the JSON does, in 80 columns where names allow it."""
    text = doctor(pid, '-n', '5')
    assert re.search(r'^python +CPython %s ' % re.escape(report['python']), text, re.M), text
    assert re.search(r'^objects +%s of %d types$' % (f"{report['totals']['count']:,}", len(report['types'])), text, re.M), text
    assert '%d more (--all)' % (len(report['types']) - 5) in text, text
    assert all(len(line) <= 100 for line in text.partition('Worth a look')[0].splitlines()), text


def goes_on(target):
    target.process.stdin.write(b'end\n')
    target.process.stdin.flush()
    assert target.process.wait(60) == 0, 'the target was harmed'


def diagnosis(python):
    with tempfile.TemporaryDirectory(prefix='ouro-test-') as folder:
        program, facts = os.path.join(folder, 'program.py'), os.path.join(folder, 'facts.json')
        with open(program, 'w') as f:
            f.write(PROGRAM)
        with targets.target([python, program, facts]) as target:
            with open(facts) as f:
                facts = json.load(f)
            plain, guessed = asked(target.pid), asked(target.pid, '--no-sandbox')
            recognised(plain, facts, target.pid)
            recognised(guessed, facts, target.pid)
            without_sandbox(guessed)
            printed(target.pid, plain)
            if SANDBOX:
                with_sandbox(plain)
                everything = asked(target.pid, '--self-check')
                with_sandbox(everything)
                # Every object that the collector tracks is compared, but for the list of them that it just made.
                compared = everything['totals']['checked'] + everything['totals']['check_impossible']
                assert compared >= facts['tracked'] - 8, (everything['totals'], facts['tracked'])
            else:
                without_sandbox(plain)
                assert re.search(r'^sandbox +.*Zydis', doctor(target.pid), re.M), doctor(target.pid)
            goes_on(target)


def refusals(_):
    with subprocess.Popen(['cat'], stdin=subprocess.PIPE) as cat:
        report = json.loads(doctor('--json', cat.pid, status=3))
        assert report['error'] and 'not a CPython process' in report['error'], report
        assert 'not a CPython process' in targets.ouro('doctor', cat.pid).stderr.decode()
    gone = targets.ouro('doctor', '--json', cat.pid)
    assert gone.returncode == 3 and gone.stderr == b'ouro: there is no process %d\n' % cat.pid, gone
    doctor(status=2)
    doctor('x', status=2)


# Of a version that nobody knows, of which not even the offsets at the beginning can be trusted.
UNKNOWN = '''
#include <stdio.h>
#include <unistd.h>
unsigned long Py_Version = 0x031002f0;
_Alignas(8) unsigned char _PyRuntime[4096] = "xdebugpy";
int main(void)
{
    printf("READY %d\\n", (int)getpid());
    fflush(stdout);
    return getchar() == EOF;
}
'''


def an_unknown_version(_):
    with tempfile.TemporaryDirectory(prefix='ouro-test-') as folder:
        program = os.path.join(folder, 'python')
        subprocess.run([os.environ.get('CC', 'cc'), '-x', 'c', '-', '-rdynamic', '-o', program], input=UNKNOWN.encode(), check=True)
        with targets.target([program]) as target:
            report, text = json.loads(doctor('--json', target.pid, status=3)), doctor(target.pid, status=3)
            assert report['stage'] == 'version' and report['python'] == '3.16.2', report
            assert '3.16.2' in report['error'], report
            assert report['free_threaded'] is None and 'GIL' not in text, 'nobody knows whether it has a GIL'
            assert 'Py_Version' in report['symbols_found'] and 'PyType_Type' in report['symbols_missing'], report


def main():
    failed = passed = 0
    for case, python in [(diagnosis, p) for p in targets.pythons()] + [
            (refusals, 'of what is no interpreter'), (an_unknown_version, '3.16.2')]:
        try:
            case(python)
            passed += 1
            print('ok: %s: %s' % (case.__name__, python))
        except Exception:
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print('FAILED: %s: %s' % (case.__name__, python))
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


sys.exit(main())
