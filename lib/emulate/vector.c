#include "emulate/state.h"

struct vector {
    uint64_t v[2];
    struct ouro_origin o[2];
};

static struct vector get(const struct ouro_machine *machine, unsigned number)
{
    const struct ouro_cpu *cpu = &machine->cpu;
    return (struct vector){{cpu->x[number][0], cpu->x[number][1]}, {cpu->xo[number][0], cpu->xo[number][1]}};
}

static void set(struct ouro_machine *machine, unsigned number, const struct vector *vector)
{
    for (unsigned i = 0; i < 2; i++) {
        machine->cpu.x[number][i] = vector->v[i];
        machine->cpu.xo[number][i] = vector->o[i];
    }
}

/* `size` bytes of memory, the rest zero. */
static bool load(struct ouro_machine *machine, ouro_addr addr, struct ouro_origin at, unsigned size, struct vector *vector)
{
    *vector = (struct vector){{0, 0}, {OURO_CONSTANT, OURO_CONSTANT}};
    if (!ouro_machine_load(machine, addr, at, size < 8 ? size : 8, &vector->v[0], &vector->o[0]))
        return false;
    struct ouro_origin next = at.kind == OURO_ORIGIN_SUBJECT ? ouro_origin(OURO_ORIGIN_SUBJECT, (int64_t)at.offset + 8) : at;
    return size < 16 || ouro_machine_load(machine, addr + 8, next, 8, &vector->v[1], &vector->o[1]);
}

static bool get_src(struct ouro_machine *machine, const struct ouro_insn *insn, unsigned size, struct vector *vector)
{
    struct ouro_origin at;
    if (insn->flags & OURO_INSN_SRC_MEMORY) {
        ouro_addr addr = ouro_machine_address(machine, insn, &at);
        return load(machine, addr, at, size, vector);
    }
    if (insn->flags & OURO_INSN_SRC_GENERAL) {
        struct ouro_origin origin = machine->cpu.o[insn->src];
        *vector = (struct vector){{machine->cpu.r[insn->src] & ouro_mask(size), 0},
                                  {size == 8 ? origin : ouro_origin_part(origin), OURO_CONSTANT}};
        return true;
    }
    *vector = get(machine, insn->src);
    return true;
}

static bool store(struct ouro_machine *machine, const struct ouro_insn *insn, unsigned size, const struct vector *vector)
{
    struct ouro_origin at;
    ouro_addr addr = ouro_machine_address(machine, insn, &at);
    if (size < 8)
        return ouro_machine_store(machine, addr, at, size, vector->v[0] & ouro_mask(size), ouro_origin_part(vector->o[0]));
    return ouro_machine_store(machine, addr, at, 8, vector->v[0], vector->o[0]) &&
           (size < 16 || ouro_machine_store(machine, addr + 8, at, 8, vector->v[1], vector->o[1]));
}

static bool move(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct vector a, b;
    bool to_memory = insn->flags & OURO_INSN_DST_MEMORY;
    unsigned size = insn->size;
    if (insn->third == OURO_VECTOR_MOVE_HIGH) {
        a = get(machine, to_memory ? insn->src : insn->dst);
        if (to_memory) {
            a.v[0] = a.v[1];
            a.o[0] = a.o[1];
            return store(machine, insn, 8, &a);
        }
        if (!get_src(machine, insn, 8, &b))
            return false;
        a.v[1] = b.v[0];
        a.o[1] = b.o[0];
        set(machine, insn->dst, &a);
        return true;
    }
    if (!get_src(machine, insn, size, &b))
        return false;
    if (to_memory)
        return store(machine, insn, size, &b);
    if (insn->flags & OURO_INSN_DST_GENERAL) {
        machine->cpu.r[insn->dst] = b.v[0] & ouro_mask(size);
        machine->cpu.o[insn->dst] = size == 8 ? b.o[0] : ouro_origin_part(b.o[0]);
        return true;
    }
    if (insn->third == OURO_VECTOR_MOVE_LOW) {
        a = get(machine, insn->dst);
        a.v[0] = (a.v[0] & ~ouro_mask(size)) | (b.v[0] & ouro_mask(size));
        a.o[0] = size == 8 ? b.o[0] : ouro_origin_mix(b.o[0], a.o[0]);
        b = a;
    } else if (insn->third == OURO_VECTOR_MOVE_LOW_ZERO) {
        b.v[0] &= ouro_mask(size);
        b.v[1] = 0;
        b.o[0] = size == 8 ? b.o[0] : ouro_origin_part(b.o[0]);
        b.o[1] = OURO_CONSTANT;
    }
    set(machine, insn->dst, &b);
    return true;
}

static uint64_t lane_of(const struct vector *vector, unsigned lane, unsigned size)
{
    unsigned bit = lane * size * 8;
    return vector->v[bit >> 6] >> (bit & 63) & ouro_mask(size);
}

static void put_lane(struct vector *vector, unsigned lane, unsigned size, uint64_t value)
{
    unsigned bit = lane * size * 8;
    vector->v[bit >> 6] &= ~(ouro_mask(size) << (bit & 63));
    vector->v[bit >> 6] |= (value & ouro_mask(size)) << (bit & 63);
}

static int64_t signed_lane(uint64_t value, unsigned size)
{
    return (int64_t)ouro_top(value, size) >> (64 - 8 * size);
}

static uint64_t lane_operation(const struct ouro_insn *insn, uint64_t a, uint64_t b)
{
    unsigned width = 8u * insn->lane;
    switch ((enum ouro_vector_op)insn->third) {
    case OURO_VECTOR_ADD:
        return a + b;
    case OURO_VECTOR_SUB:
        return a - b;
    case OURO_VECTOR_EQUAL:
        return a == b ? UINT64_MAX : 0;
    case OURO_VECTOR_GREATER:
        return signed_lane(a, insn->lane) > signed_lane(b, insn->lane) ? UINT64_MAX : 0;
    case OURO_VECTOR_SHIFT_LEFT:
        return (uint64_t)insn->imm < width ? a << insn->imm : 0;
    case OURO_VECTOR_SHIFT_RIGHT:
        return (uint64_t)insn->imm < width ? a >> insn->imm : 0;
    case OURO_VECTOR_SHIFT_RIGHT_SIGNED:
        return (uint64_t)(signed_lane(a, insn->lane) >> ((uint64_t)insn->imm < width ? insn->imm : width - 1));
    case OURO_VECTOR_MULTIPLY_D:
        return (a & UINT32_MAX) * (b & UINT32_MAX);
    default: /* MIN_UNSIGNED_BYTE */
        return a < b ? a : b;
    }
}

static void unpack(const struct ouro_insn *insn, const struct vector *a, const struct vector *b, struct vector *result)
{
    unsigned lanes = 16 / insn->lane, first = insn->third == OURO_VECTOR_UNPACK_HIGH ? lanes / 2 : 0;
    unsigned half = first != 0;
    for (unsigned i = 0; i < lanes / 2; i++) {
        put_lane(result, 2 * i, insn->lane, lane_of(a, first + i, insn->lane));
        put_lane(result, 2 * i + 1, insn->lane, lane_of(b, first + i, insn->lane));
    }
    if (insn->lane == 8) {
        result->o[0] = a->o[half];
        result->o[1] = b->o[half];
    }
}

static void shift_bytes(const struct ouro_insn *insn, const struct vector *a, struct vector *result)
{
    unsigned __int128 all = (unsigned __int128)a->v[1] << 64 | a->v[0];
    unsigned bits = insn->imm > 15 ? 128 : 8 * (unsigned)insn->imm;
    all = bits == 128 ? 0 : insn->third == OURO_VECTOR_SHIFT_BYTES_LEFT ? all << bits : all >> bits;
    result->v[0] = (uint64_t)all;
    result->v[1] = (uint64_t)(all >> 64);
    if (insn->imm == 8) {
        bool left = insn->third == OURO_VECTOR_SHIFT_BYTES_LEFT;
        result->o[left] = a->o[!left];
        result->o[!left] = OURO_CONSTANT;
    }
}

static void shuffle(const struct ouro_insn *insn, const struct vector *a, const struct vector *b, struct vector *result)
{
    unsigned imm = (unsigned)insn->imm;
    if (insn->third == OURO_VECTOR_SHUFFLE_PD) {
        *result = (struct vector){{a->v[imm & 1], b->v[imm >> 1 & 1]}, {a->o[imm & 1], b->o[imm >> 1 & 1]}};
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        const struct vector *from = insn->third == OURO_VECTOR_SHUFFLE_D || i >= 2 ? b : a;
        put_lane(result, i, 4, lane_of(from, imm >> (2 * i) & 3, 4));
    }
    for (unsigned half = 0; half < 2 && insn->third == OURO_VECTOR_SHUFFLE_D; half++) {
        unsigned pair = imm >> (4 * half) & 15;
        if (pair == 0x4 || pair == 0xe) /* a whole half: lanes 0 1 or 2 3 */
            result->o[half] = b->o[pair == 0xe];
    }
}

static void shuffle_words(const struct ouro_insn *insn, const struct vector *b, struct vector *result)
{
    unsigned first = insn->third == OURO_VECTOR_SHUFFLE_HW ? 4 : 0;
    *result = *b;
    result->o[first / 4] = ouro_origin_part(b->o[first / 4]);
    for (unsigned i = 0; i < 4; i++)
        put_lane(result, first + i, 2, lane_of(b, first + ((unsigned)insn->imm >> (2 * i) & 3), 2));
}

static void sum_differences(const struct vector *a, const struct vector *b, struct vector *result)
{
    for (unsigned half = 0; half < 2; half++) {
        uint64_t sum = 0;
        for (unsigned i = 8 * half; i < 8 * half + 8; i++) {
            uint64_t x = lane_of(a, i, 1), y = lane_of(b, i, 1);
            sum += x > y ? x - y : y - x;
        }
        result->v[half] = sum;
    }
}

static bool mask(struct ouro_machine *machine, const struct ouro_insn *insn, const struct vector *a)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 16u / insn->lane; i++)
        bits |= (lane_of(a, i, insn->lane) >> (8 * insn->lane - 1)) << i;
    machine->cpu.r[insn->dst] = bits;
    machine->cpu.o[insn->dst] = ouro_origin_mix(a->o[0], a->o[1]);
    return true;
}

bool ouro_machine_operate_vector(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct vector a, b, result;
    machine->end = OURO_MACHINE_INSTRUCTION;
    if (insn->third <= OURO_VECTOR_MOVE_HIGH)
        return move(machine, insn);
    if (insn->flags & (OURO_INSN_DST_MEMORY | OURO_INSN_SRC_GENERAL))
        return false;
    if (insn->flags & OURO_INSN_SRC_IMM)
        b = (struct vector){{0, 0}, {OURO_CONSTANT, OURO_CONSTANT}};
    else if (!get_src(machine, insn, insn->third == OURO_VECTOR_DUPLICATE ? 8 : 16, &b))
        return false;
    if (insn->third == OURO_VECTOR_MASK)
        return mask(machine, insn, &b);
    if (insn->flags & OURO_INSN_DST_GENERAL)
        return false;
    a = get(machine, insn->dst);
    result = a;
    bool same = insn->dst == insn->src && !(insn->flags & (OURO_INSN_SRC_MEMORY | OURO_INSN_SRC_IMM));
    for (unsigned i = 0; i < 2; i++) /* where a half is not a word as it was, it depends on both */
        result.o[i] = ouro_origin_mix(ouro_origin_mix(a.o[0], a.o[1]), ouro_origin_mix(b.o[0], b.o[1]));
    switch ((enum ouro_vector_op)insn->third) {
    case OURO_VECTOR_HIGH_TO_LOW:
        result = (struct vector){{b.v[1], a.v[1]}, {b.o[1], a.o[1]}};
        break;
    case OURO_VECTOR_LOW_TO_HIGH:
        result = (struct vector){{a.v[0], b.v[0]}, {a.o[0], b.o[0]}};
        break;
    case OURO_VECTOR_DUPLICATE:
        result = (struct vector){{b.v[0], b.v[0]}, {b.o[0], b.o[0]}};
        break;
    case OURO_VECTOR_AND:
    case OURO_VECTOR_ANDN:
    case OURO_VECTOR_OR:
    case OURO_VECTOR_XOR:
        for (unsigned i = 0; i < 2; i++)
            result.v[i] = insn->third == OURO_VECTOR_AND    ? a.v[i] & b.v[i]
                          : insn->third == OURO_VECTOR_ANDN ? ~a.v[i] & b.v[i]
                          : insn->third == OURO_VECTOR_OR   ? a.v[i] | b.v[i]
                                                            : a.v[i] ^ b.v[i];
        if (same && insn->third == OURO_VECTOR_XOR)
            result.o[0] = result.o[1] = OURO_CONSTANT;
        break;
    case OURO_VECTOR_UNPACK_LOW:
    case OURO_VECTOR_UNPACK_HIGH:
        unpack(insn, &a, &b, &result);
        break;
    case OURO_VECTOR_SHUFFLE_D:
    case OURO_VECTOR_SHUFFLE_PS:
    case OURO_VECTOR_SHUFFLE_PD:
        shuffle(insn, &a, &b, &result);
        break;
    case OURO_VECTOR_SHUFFLE_LW:
    case OURO_VECTOR_SHUFFLE_HW:
        shuffle_words(insn, &b, &result);
        break;
    case OURO_VECTOR_SUM_DIFFERENCES:
        sum_differences(&a, &b, &result);
        break;
    case OURO_VECTOR_SHIFT_BYTES_LEFT:
    case OURO_VECTOR_SHIFT_BYTES_RIGHT:
        shift_bytes(insn, &a, &result);
        break;
    default:
        for (unsigned i = 0; i < 16u / insn->lane; i++)
            put_lane(&result, i, insn->lane,
                     lane_operation(insn, lane_of(&a, i, insn->lane), lane_of(&b, i, insn->lane)));
        break;
    }
    set(machine, insn->dst, &result);
    return true;
}
