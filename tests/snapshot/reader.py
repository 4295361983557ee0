#!/usr/bin/env python3
"""Reads a snapshot as docs/FORMAT.md describes it, and prints what is in it, a line each.

Written from that page alone, to prove it: whoever changes the format changes the page, and this.
Standard library only; blocks compressed with zstd are refused."""

import struct
import sys
import zlib

FILE_MAGIC = bytes.fromhex("894f55524f0d0a1a")
TRAILER_MAGIC = b"OUROEND\n"
BLOCK_MAGIC = bytes.fromhex("ff4f424b")
COLUMNS = 11
ADDR, SHAPE, SIZE, REFCOUNT, FLAGS, COUNTS, EDGES, NATIVE, INTERP, VALUE_SIZES, VALUES = range(1, 12)
META, STRINGS, TYPES, TYPE_NODES, SHAPES, INTERPRETERS, THREADS, GC_ORDER, BORROWED, LINES, LOCKS, WAITS = range(16, 28)
TOC = 31
FIELD, TYPE = 0, 1
ENTRIES, ENTRIES_STR, NAMESPACE, LINKS, NAMESPACE_ANY = 4, 5, 6, 10, 13
WIDTH = {ENTRIES: 2, ENTRIES_STR: 2, NAMESPACE: 2, NAMESPACE_ANY: 2, LINKS: 3}


class BadFile(Exception):
    pass


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self):
        value = self.varint()
        return value >> 1 if value & 1 == 0 else -(value >> 1) - 1

    def optional(self):
        value = self.varint()
        return value - 1 if value else None

    def byte(self):
        return self.bytes(1)[0]

    def bytes(self, size):
        if size > len(self.data) - self.at:
            raise BadFile("a record is cut")
        self.at += size
        return self.data[self.at - size:self.at]

    def text(self):
        return self.bytes(self.varint())

    def ended(self):
        return self.at == len(self.data)


class Block:
    def __init__(self, data, offset):
        header = data[offset:offset + 32]
        (magic, self.crc, self.section, self.codec, self.columns, self.part, self.part_count, self.first, self.count,
         self.raw, self.stored) = struct.unpack("<4sIBBHHHIIII", header)
        if magic != BLOCK_MAGIC:
            raise BadFile("no block at %d" % offset)
        self.entry = header[8:]
        self.end = offset + 32 + self.stored
        if zlib.crc32(data[offset + 8:self.end]) != self.crc:
            raise BadFile("the block at %d is damaged" % offset)
        payload = data[offset + 32:self.end]
        if self.codec == 0:
            self.bytes = payload
        elif self.codec == 1:
            self.bytes = zlib.decompress(payload)
        else:
            raise BadFile("codec %d needs a library" % self.codec)
        if len(self.bytes) != self.raw:
            raise BadFile("the block at %d has another size than it says" % offset)


class Snapshot:
    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        magic, version, crc = struct.unpack("<8sII", data[:16])
        if magic != FILE_MAGIC or crc != zlib.crc32(data[:12]):
            raise BadFile("not a snapshot")
        if version > 1:
            raise BadFile("version %d is too new" % version)
        toc_offset, toc_size, self.count, crc, magic = struct.unpack("<QQII8s", data[-32:])
        if magic != TRAILER_MAGIC or crc != zlib.crc32(data[-32:-12]):
            raise BadFile("the end is damaged")
        toc = Block(data, toc_offset)
        if toc.section != TOC or toc.end != toc_offset + toc_size or toc.end != len(data) - 32:
            raise BadFile("no table of contents")
        self.blocks = []
        offset = 16
        for i in range(toc.count):
            block = Block(data, offset)
            if block.entry != toc.bytes[24 * i:24 * i + 24]:
                raise BadFile("the table of contents does not fit")
            self.blocks.append(block)
            offset = block.end
        if offset != toc_offset:
            raise BadFile("blocks are missing")
        self.read_tables()
        self.read_chunks()

    def records(self, section):
        """A cursor for each record of a table, with its number."""
        for block in self.blocks:
            if block.section == section:
                cursor = Cursor(block.bytes)
                for i in range(block.count):
                    yield cursor, block.first + i
                if not cursor.ended():
                    raise BadFile("a table has something left")

    def read_tables(self):
        self.meta = {}
        for cursor, _ in self.records(META):
            key = cursor.text()
            self.meta[key] = cursor.text()
        self.strings = [cursor.text() for cursor, _ in self.records(STRINGS)]
        self.types = [[cursor.varint() for _ in range(7)] + [cursor.optional(), None]
                      for cursor, _ in self.records(TYPES)]
        for cursor, number in self.records(TYPE_NODES):
            self.types[number][8] = cursor.optional()
        self.shapes = []
        for cursor, _ in self.records(SHAPES):
            type_number, parts = cursor.varint(), cursor.varint()
            self.shapes.append((type_number, [(cursor.byte(), cursor.byte(), cursor.varint()) for _ in range(parts)]))
        self.interpreters = []
        for cursor, _ in self.records(INTERPRETERS):
            record = [cursor.varint() for _ in range(4)]
            for _ in range(3):
                record += [cursor.varint(), cursor.signed()] + [cursor.varint() for _ in range(4)]
            record += [cursor.varint(), cursor.signed(), cursor.signed(), cursor.optional(), cursor.optional()]
            self.interpreters.append(record)
        self.threads = []
        for cursor, _ in self.records(THREADS):
            record = [cursor.varint() for _ in range(5)]
            self.threads.append(record + [cursor.byte(), cursor.signed(), cursor.varint(), cursor.optional()])
        self.lines = [[cursor.varint() for _ in range(3)] for cursor, _ in self.records(LINES)]
        self.locks = [[cursor.varint() for _ in range(3)] for cursor, _ in self.records(LOCKS)]
        self.waits = [[cursor.varint(), cursor.varint(), cursor.optional()] for cursor, _ in self.records(WAITS)]
        self.borrowed = []
        for block in self.blocks:
            if block.section == BORROWED:
                cursor, node = Cursor(block.bytes), 0
                for _ in range(block.count):
                    node += cursor.varint()
                    self.borrowed.append((node, cursor.varint()))
        self.gc_lists = {}
        for block in self.blocks:
            if block.section == GC_ORDER:
                cursor, node = Cursor(block.bytes), 0
                nodes = self.gc_lists.setdefault((cursor.varint(), cursor.varint()), [])
                if block.first != len(nodes):
                    raise BadFile("a collector list has a gap")
                for _ in range(block.count):
                    node += cursor.signed()
                    nodes.append(node)

    def read_chunks(self):
        chunks = {}
        for block in self.blocks:
            if 1 <= block.section <= COLUMNS:
                chunks.setdefault(block.first, {}).setdefault(block.section, []).append(block)
        self.objects = []
        for first, columns in sorted(chunks.items()):
            if first != len(self.objects):
                raise BadFile("objects are missing")
            self.read_chunk(columns)
        if len(self.objects) != self.count:
            raise BadFile("objects are missing at the end")

    def read_chunk(self, columns):
        count = columns[ADDR][0].count
        cursors = {}
        for section, parts in columns.items():
            parts.sort(key=lambda block: block.part)
            if [block.part for block in parts] != list(range(parts[0].part_count)):
                raise BadFile("a part is missing")
            if not parts[0].columns >> section - 1 & 1:
                raise BadFile("a column is there that should not be")
            cursors[section] = Cursor(b"".join(block.bytes for block in parts))

        def number(section):
            return cursors[section].varint() if section in cursors else 0

        addr = 0
        for _ in range(count):
            node = len(self.objects)
            addr += number(ADDR) * 8
            shape, size, refcount, flags = number(SHAPE), number(SIZE), number(REFCOUNT), number(FLAGS)
            native, interp = number(NATIVE), number(INTERP)
            value = None
            if flags & 8:
                value_size = number(VALUE_SIZES)
                value = cursors[VALUES].bytes(value_size) if value_size else b""
            type_number, parts = self.shapes[shape]
            slots = []
            for kind, edge_class, name in parts:
                if kind == TYPE:
                    slots.append((kind, edge_class, name, 0, self.types[type_number][8]))
                    continue
                items, width = (1, 1) if kind == FIELD else (number(COUNTS), WIDTH.get(kind, 1))
                base = [node] * width
                for i in range(items * width):
                    edge = cursors[EDGES].varint()
                    delta = edge - 1
                    target = None
                    if edge:
                        target = base[i % width] + (delta >> 1 if delta & 1 == 0 else -(delta >> 1) - 1)
                        base[i % width] = target
                    hidden = kind in (ENTRIES_STR, NAMESPACE) and i % 2
                    slots.append((kind, 1 if hidden else edge_class, name, i, target))
            self.objects.append((addr, shape, size, refcount, flags, native, interp, value, slots))
        for cursor in cursors.values():
            if not cursor.ended():
                raise BadFile("a column has something left")


def show(number):
    return "-" if number is None else "%d" % number


def main(path):
    snapshot = Snapshot(path)
    out = sys.stdout.write
    for key, value in snapshot.meta.items():
        out("meta %s %s\n" % (key.hex(), value.hex()))
    for string in snapshot.strings:
        out("string %s\n" % string.hex())
    for record in snapshot.types:
        out("type %s\n" % " ".join(map(show, record)))
    for type_number, parts in snapshot.shapes:
        out("shape %d %s\n" % (type_number, " ".join("%d:%d:%d" % part for part in parts)))
    for record in snapshot.interpreters:
        out("interpreter %s\n" % " ".join(map(show, record)))
    for record in snapshot.threads:
        out("thread %s\n" % " ".join(map(show, record)))
    for node, (addr, shape, size, refcount, flags, native, interp, value, slots) in enumerate(snapshot.objects):
        out("object %d %x %d %d %d %d %d %d %s\n" % (node, addr, shape, size, refcount, flags, native, interp,
                                                    "-" if value is None else "=" + value.hex()))
        for kind, edge_class, name, place, target in slots:
            out("slot %d %d %d %d %s\n" % (kind, edge_class, name, place, show(target)))
    for name, records in (("line", snapshot.lines), ("lock", snapshot.locks), ("wait", snapshot.waits)):
        for record in records:
            out("%s %s\n" % (name, " ".join(map(show, record))))
    for (interpreter, generation), nodes in sorted(snapshot.gc_lists.items()):
        out("gc %d %d %s\n" % (interpreter, generation, " ".join(map(str, nodes))))
    for node, stored in snapshot.borrowed:
        # The C reader counts all slots, those of the type too.
        places = [i for i, slot in enumerate(snapshot.objects[node][8]) if slot[0] != TYPE]
        out("borrowed %d %d\n" % (node, places[stored]))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BadFile as error:
        sys.exit("reader.py: %s" % error)
