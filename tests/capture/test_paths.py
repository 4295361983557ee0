"""Every path that is Python gives that very object, and runs nothing of the program, on every interpreter of OURO_TEST_PYTHONS.

usage: test_paths.py [--keep FOLDER] [--case NAME] [PYTHON ...]

A program is dumped while a forked twin of it waits. `ouro path` says of many objects how they are reached; the twin evaluates each
expression and tells what it got, and which functions of the program ran meanwhile.
"""
import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import targets  # noqa: E402

EVALUATING = os.path.join(targets.FIXTURES, 'evaluating.py')
SAMPLE = 2500  # objects of the zoo
BATCH = 20000  # arguments of one command
EXAMPLES = 5


def cases(python):
    fixture = lambda name: os.path.join(targets.FIXTURES, name)  # noqa: E731
    return {'holders': (lambda folder: [python, '-W', 'ignore', EVALUATING, folder, fixture('holders.py'), '--truth', folder], None),
            'zoo': (lambda folder: [python, '-W', 'ignore', EVALUATING, folder, fixture('zoo.py'), '--truth', folder], SAMPLE)}


def objects_of(path, folder):
    with open(folder + '/export.ndjson', 'wb') as out:
        result = targets.ouro('export', path, '--format', 'ndjson', stdout=out)
    if result.returncode:
        raise RuntimeError('ouro export: %r' % result.stderr)
    with open(folder + '/export.ndjson', encoding='utf-8') as lines:
        next(lines)
        objects = [json.loads(line) for line in lines]
    return [o for o in objects if o['type'] not in ('<frame>', '<root>')]


def paths_of(path, addresses, *options):
    """By address the answer's fields."""
    answers = {}
    for i in range(0, len(addresses), BATCH):
        batch = addresses[i:i + BATCH]
        result = targets.ouro('path', path, *batch, '--json', *options)
        if result.returncode:
            raise RuntimeError('ouro path: %r' % result.stderr[-500:])
        said = json.loads(result.stdout)
        for answer in said['objects'] if 'objects' in said else [said]:
            answers[answer['addr']] = answer
    return answers


def ask(folder, expressions):
    """What the twin says to each."""
    with open(folder + '/ask', 'w') as questions:
        questions.writelines(json.dumps(e) + '\n' for e in expressions)
    part, whole = folder + '/answers.jsonl.part', folder + '/answers.jsonl'
    grown, end = -1, 0
    while not os.path.exists(whole):
        try:
            size = os.path.getsize(part)
        except FileNotFoundError:
            size = 0
        if size != grown:
            grown, end = size, time.monotonic() + 60
        if time.monotonic() > end:
            with open(part) as text:
                raise RuntimeError('the twin died over an expression: ...%s' % text.read()[-400:])
        time.sleep(0.001)
    with open(whole) as text:
        return [json.loads(line) for line in text if not line.startswith('#')]


def kind_of(answer):
    """Why there is no notation: what held what, in the first step without one."""
    if not answer['paths']:
        return 'no path (%s)' % answer['reached']
    path = answer['paths'][0]
    holder = path['root_kind']
    if path['root_kind'] in ('native', 'garbage'):
        return path['root_kind']
    if path['exact']:
        return 'too deep'
    for step in path['steps']:
        if ' -> <' in step['notation']:
            label = re.sub(r'0x[0-9a-f]+|\d+', 'N', re.sub(r"(key|element|result for) .*", r'\1', step['label'], flags=re.DOTALL))
            itself = ' (the %s itself)' % step['type'] if step is path['steps'][-1] else ''
            return '%s: %s%s' % (holder, label[:60], itself)
        holder = '%s.%s' % (step['module'], step['type'])
    return 'root %s' % path['root'][:60]


def python_of(path):
    """What the twin is to evaluate, or None."""
    # What is too deep for a compiler is not pasteable.
    if path['pasteable'] and path['python'] != path['expression']:
        raise AssertionError('pasteable, but %r is not %r' % (path['expression'], path['python']))
    if path['python'] is None:
        return None
    return path['python'].replace('sys._current_frames()[', 'frames_of()[')


def check(folder, path, sample, seed):
    objects = objects_of(path, folder)
    if sample and len(objects) > sample:
        objects = random.Random(seed).sample(objects, sample)
    addresses = [o['addr'] for o in objects]
    answers = paths_of(path, addresses)
    asked, unnamed = [], collections.defaultdict(list)
    for address in addresses:
        answer = answers[address]
        expression = python_of(answer['paths'][0]) if answer['paths'] else None
        if expression is None:
            unnamed[kind_of(answer)].append(answer)
            continue
        asked.append((address, expression, answer))
    results = ask(folder, [expression for _, expression, _ in asked])
    wrong = collections.defaultdict(list)
    for (address, expression, answer), result in zip(asked, results):
        if result[0] == 'error':
            wrong[result[1][:60]].append((address, expression))
        elif result[0] != int(address, 16):
            wrong['another object'].append((address, expression))
        elif result[1]:
            wrong['runs ' + result[1][0]].append((address, expression))
    for what, examples in sorted(wrong.items(), key=lambda w: -len(w[1])):
        print('  WRONG %s: %d' % (what, len(examples)))
        for address, expression in sorted(examples, key=lambda e: len(e[1]))[:EXAMPLES]:
            print('    %s %s' % (address, expression[:300].encode('unicode_escape').decode()))
    unknown = check_unnamed(unnamed)
    print('  %d objects, %d evaluated, %d wrong, %d without a notation, %d of a kind that should have one' % (
        len(addresses), len(asked), sum(map(len, wrong.values())), sum(map(len, unnamed.values())), unknown))
    return not wrong and not unknown and len(asked) > len(addresses) / 2


# Why an object may have no notation: "holder: label" of the step that has none. All else is a notation forgotten.
NO_NOTATION = [
    r'native', r'garbage', r'no path \(.*\)', r'too deep', r'root <interpreter .*', r'interpreter: .*', r'frame: .*',
    r'.*: \.[+-]N.*',                                  # a field of C code that nothing names
    r'.*: __subclasses__.*', r'.*: __slots__.*', r'.*: <key.*', r'.*: ht_module.*', r'.*: tp_cache.*',
    r'.*: __dict__ \(the (dict|StgDict|mappingproxy) itself\)', r'_ctypes\..*: __dict__', r'ctypes\..*: (__dict__|\.errcheck).*',
    r'_abc\._abc_data: .*', r'builtins\.module: <state>.*', r'functools\._lru_cache_wrapper: (<result for|cache|kwd_mark|cache_info_type).*',
    r'builtins\.code: co_localsplus(names|kinds).*', r'builtins\.(mappingproxy|dict_\w+): mapping.*', r'builtins\.odict_\w+: mapping.*',
    r'builtins\.memoryview: mbuf.*', r'builtins\.managedbuffer: .*',
    r'zoo_language\.subclasses_of_builtins\..*: (iterators|result|\w*index|start|step).*',
    r'os\.\w+_result: \[N\].*',                          # behind those that len() counts: the file has no names of them
    r'_cffi_backend\.Lib: __dict__.*',                # asking for it makes one
    r'_struct\.Struct: format.*',                     # asking for it makes a str of these bytes
    r'builtins\.\w*iterator: .*', r'builtins\.(enumerate|zip|map|filter|reversed|callable_iterator|anext_awaitable): .*', r'itertools\.\w+: .*',
    r'_?collections\._deque_(reverse_)?iterator: .*', r'_?pickle\.PickleBuffer: obj.*',
    r'builtins\.(coroutine_wrapper|async_generator_\w+): .*',
    r'builtins\.function: __annotations__.*',          # until 3.13 a tuple: asking for it makes a dict
    r'weakref\.\w*Proxy\w*: .*', r'builtins\.weak\w*proxy: .*',
    r'(\.<frame>|builtins\.(frame|generator|coroutine|async_generator)): .* \(the cell itself\)',
    r'.*: <stack\[N\]>.*', r'.*: f_func.*', r'builtins\.\w+: (exc_value|exc_type|exc_traceback|finalizer).*',
    r'\.<frame>: .*', r'builtins\.frame: f_locals.*', r'builtins\.frame: (f_locals_cache|f_extra_locals|f_overwritten_fast_locals).*',
    r'(_contextvars|builtins)\.Context: .*', r'(_contextvars|builtins)\.ContextVar: default.*', r'(_contextvars|builtins)\.Token: .*',
    r're\.Pattern: (groupindex|indexgroup).*', r'builtins\.range: length.*', r'operator\.\w+: .*', r'functools\.KeyWrapper: .*',
    r'typing\.\w+: (evaluate_\w+|compute_value|\w*hashable_args|__parameters__|bound|default|constraints|__dict__).*',
    r'types\.\w+: __parameters__.*', r'.*: \._(objects|b_base_).*', r'.*: \._msg_callback.*', r'builtins\.lazy_import: .*',
    # What fixtures/holders.py hides on purpose.
    r'__main__\.(OwnDict|OwnModule\b.*|build\.<locals>\.OwnModule): __dict__.*', r'.*StrangeInline: .*', r'builtins\.dict: \.(w+|<N>).*',
    r'__main__\.(AliasedSlot|DeletedSlot|local_class\.<locals>\.Below): .*',
]


def check_unnamed(unnamed):
    unknown = 0
    for kind, answers in sorted(unnamed.items(), key=lambda k: -len(k[1])):
        known = any(re.fullmatch(pattern, kind, re.DOTALL) for pattern in NO_NOTATION)
        unknown += 0 if known else len(answers)
        if os.environ.get('OURO_TEST_VERBOSE') or not known:
            example = answers[0]['paths'][0]['expression'] if answers[0]['paths'] else answers[0]['addr']
            print('  %s: %s: %d, as %s' % ('without' if known else 'NO NOTATION', kind.encode('unicode_escape').decode(), len(answers),
                                           example[:200].encode('unicode_escape').decode()))
    return unknown


def run(python, name, keep, seed):
    command, sample = cases(python)[name]
    folder = keep or tempfile.mkdtemp()
    if keep:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    try:
        started = time.monotonic()
        print('%s, %s' % (python, name))
        with targets.target(command(folder), cwd=folder, stderr=subprocess.DEVNULL) as t:
            path = folder + '/s.ouro'
            result = targets.ouro('dump', t.pid, '-o', path, '-f', '-q')
            if result.returncode:
                print('  FAIL: ouro dump: %r' % result.stderr)
                return False
            good = check(folder, path, sample, seed)
        print('%s %s, %s (%.0f s)' % ('ok  ' if good else 'FAIL', python, name, time.monotonic() - started), flush=True)
        return good
    finally:
        if not keep:
            shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--keep')
    parser.add_argument('--case', default='')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('pythons', nargs='*')
    options = parser.parse_args()
    good, count = True, 0
    chosen = options.pythons or targets.few_pythons()
    for python in chosen:
        for name in cases(python):
            if options.case in name and (options.pythons or 'zoo' not in name or python == chosen[-1]):
                good &= run(python, name, options.keep, options.seed)
                count += 1
    print('%d cases, %s (seed %d)' % (count, 'all good' if good else 'some are not', options.seed))
    return 0 if good and count else 1


if __name__ == '__main__':
    sys.exit(main())
