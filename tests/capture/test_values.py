"""What of a target's contents gets into a file: --values short, full, none."""
import json
import os
import subprocess
import sys
import tempfile
import zlib

PROGRAM = r'''
import sys, threading
MARK = 'S3CRET'
class Session:
    """S3CRET docstring"""
    def attribute_name_method(self):
        inner_local = MARK + 'local'
        threading.Event().wait()
s = Session()
s.visible_attribute = MARK + ' value'
s.number = 987654321987654321
table = {MARK + 'key': 1, 'k' * 250: 2, 'q' * 300: 3, 123456789012345: 4, (MARK, 1): 5, b'S3CRETbytes': 6, MARK + '\U0001f40d': 7}
long = 'L' * 5000
scope = {}
exec(compile("def made_here():\n    return 'S3CRET constant'\n", 'S3CRETfile.py', 'exec'), scope)
threads = [threading.Thread(target=s.attribute_name_method, name=MARK + ' thread', daemon=True)]
for t in threads:
    t.start()
print('READY', flush=True)
sys.stdin.read()
'''


def blocks(path):
    """All bytes of a file, whatever of them is a zlib stream unpacked."""
    data = open(path, 'rb').read()
    out, at = [data], 0
    while True:
        at = data.find(b'\x78', at)
        if at < 0:
            return b'\n'.join(out)
        try:
            out.append(zlib.decompressobj().decompress(data[at:]))
        except zlib.error:
            pass
        at += 1


def dump(pid, folder, values):
    path = os.path.join(folder, values + '.ouro')
    subprocess.run([os.environ['OURO'], 'dump', str(pid), '-q', '-o', path, '--values', values, '--codec', 'zlib'], check=True)
    lines = subprocess.run([os.environ['OURO'], 'export', path, '--format', 'ndjson'], check=True, stdout=subprocess.PIPE).stdout
    return blocks(path), [json.loads(line) for line in lines.splitlines()]


def labels_of(objects, wanted):
    return {label for o in objects[1:] for key in ('labels', 'hidden_labels') for label in o.get(key, ()) if wanted in label}


def check(python):
    command = [python, '-c', PROGRAM]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b'READY\n'
        with tempfile.TemporaryDirectory() as folder:
            raw, objects = dump(process.pid, folder, 'none')
            assert b'S3CRET' not in raw, raw[raw.index(b'S3CRET') - 60:][:200]
            for number in (987654321987654321, 123456789012345):
                assert number.to_bytes(8, 'little') not in raw and str(number).encode() not in raw
            assert b'L' * 64 not in raw
            for name in (b'Session', b'visible_attribute', b'attribute_name_method', b'made_here', b'threading'):
                assert name in raw, name
            assert not any('value' in o for o in objects[1:] if not o['type'].startswith('<'))
            assert labels_of(objects, '.visible_attribute') and labels_of(objects, '[str #0x'), 'labels of none'
            raw, objects = dump(process.pid, folder, 'short')
            assert b'S3CRETkey' in raw and b'L' * 64 in raw and b'L' * 65 not in raw
            assert labels_of(objects, "['" + 'k' * 250 + "']"), 'a key of 250 bytes is kept whole'
            cut = labels_of(objects, 'q' * 200)
            assert cut and all('cut' in label and 'q' * 256 in label and 'q' * 257 not in label for label in cut), cut
            assert labels_of(objects, "['S3CRET\U0001f40d']") and labels_of(objects, '[123456789012345]')
            assert any(o.get('value') == '987654321987654321' for o in objects[1:])
            assert any('made_here (S3CRETfile.py:1)' in o.get('value', '') for o in objects[1:])
            raw, objects = dump(process.pid, folder, 'full')
            assert b'L' * 5000 in raw
    finally:
        process.kill()
        process.wait()
    print('ok', python)


for python in sys.argv[1:] or os.environ['OURO_TEST_PYTHONS'].split(':'):
    check(python)
