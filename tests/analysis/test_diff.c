#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff.h"
#include "base/guard.h"
#include "tiny.h"

#define MOST       300
#define FIRST_USER 8u

/* A module `app` whose CACHE is a list of users; each user has a name. What varies from one snapshot to the next: */
struct heap {
    unsigned users;
    const char *names;      /* their first letters; NULL: 'a' for all */
    const char *type;       /* of the users; NULL: User */
    unsigned user_flags;    /* generation and so on */
    unsigned spares;        /* of another list, OTHER */
    unsigned others_bytes;  /* size of that list */
    bool process;           /* it says which process it is of */
    unsigned garbage;       /* objects that refer to themselves only */
    const char *time;
    bool by_value;          /* CACHE is a dict keyed by name instead */
};

static struct tiny tinies[3];
static struct ouro_heap_model models[3];
static struct ouro_diff_side sides[3];
static struct ouro_diff_names names;
static struct ouro_err err;

static uint32_t text_shape(struct tiny *t)
{
    return TINY_EMPTY_SHAPE(t, tiny_type(t, "builtins", "str", 0, OURO_VALUE_STR));
}

static ouro_node add_text(struct tiny *t, uint32_t shape, const char *text)
{
    ouro_node node = tiny_object(t, shape, 49 + strlen(text), 1, OURO_OBJECT_VALUE);
    tiny_value(t, text, strlen(text));
    return node;
}

static void write_users(struct tiny *t, const struct heap *h, uint32_t text, uint32_t user)
{
    for (unsigned i = 0; i < h->users; i++) {
        char name[8] = {h->names && strlen(h->names) > i ? h->names[i] : 'a', 0};
        ouro_node string = add_text(t, text, name);
        tiny_object(t, user, 64, 1, h->user_flags ? h->user_flags : 1);
        TINY_SLOTS(t, string);
    }
}

static ouro_node add_list(struct tiny *t, uint32_t shape, uint64_t size, const ouro_node *items, size_t count)
{
    ouro_node node = tiny_object(t, shape, size, 1, 3);
    tiny_count(t, count);
    tiny_slots(t, items, count);
    return node;
}

static void write_process(struct tiny *t, const struct heap *h)
{
    if (h->process) {
        ouro_snapshot_writer_meta_u64(t->writer, "process.start_ticks", 12345);
        ouro_snapshot_writer_meta_u64(t->writer, "hash.seed", 99);
    }
    if (h->time)
        ouro_snapshot_writer_meta(t->writer, OURO_META_TIME, h->time, strlen(h->time));
}

static void write_heap(struct tiny *t, const struct heap *h)
{
    ouro_node users[2 * MOST], spares[MOST];
    tiny_begin(t);
    write_process(t, h);
    uint32_t text = text_shape(t);
    uint32_t user = TINY_SHAPE(t, tiny_type(t, "app", h->type ? h->type : "User", OURO_TYPE_GC | OURO_TYPE_HEAP, OURO_VALUE_NONE),
                               {.kind = OURO_PART_FIELD, .name = tiny_string(t, ".name")});
    uint32_t list = TINY_SHAPE(t, tiny_type(t, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE), {.kind = OURO_PART_ITEMS});
    uint32_t dict_type = tiny_type(t, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE);
    uint32_t namespace = TINY_SHAPE(t, dict_type, {.kind = OURO_PART_NAMESPACE});
    uint32_t dict = TINY_SHAPE(t, dict_type, {.kind = OURO_PART_ENTRIES_STR});
    uint32_t module = TINY_SHAPE(t, tiny_type(t, "builtins", "module", OURO_TYPE_GC, OURO_VALUE_NONE),
                                 {.kind = OURO_PART_FIELD, .name = tiny_string(t, "__dict__")});
    uint32_t self = TINY_SHAPE(t, tiny_type(t, "app", "Loop", OURO_TYPE_GC | OURO_TYPE_HEAP, OURO_VALUE_NONE),
                               {.kind = OURO_PART_FIELD, .name = tiny_string(t, ".me")});
    uint32_t root = TINY_SHAPE(t, tiny_type(t, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME),
                               {.kind = OURO_PART_FIELD, .name = tiny_string(t, "sys.modules")});
    /* What stays comes first, so that it stays where it is. */
    enum { CACHE_NAME, OTHER_NAME, APP_NAME, OTHER, CACHE, GLOBALS, APP, MODULES };
    for (unsigned i = 0; i < h->users; i++)
        users[i] = FIRST_USER + 2 * i + 1;
    for (unsigned i = 0; i < h->spares; i++)
        spares[i] = FIRST_USER + 2 * h->users + h->garbage + i;
    add_text(t, text, "CACHE");
    add_text(t, text, "OTHER");
    add_text(t, text, "app");
    add_list(t, list, h->others_bytes ? h->others_bytes : 56, spares, h->spares);
    if (h->by_value) {
        tiny_object(t, dict, 64 + 24 * h->users, 1, 3);
        tiny_count(t, h->users);
        for (unsigned i = 0; i < h->users; i++)
            TINY_SLOTS(t, users[i], users[i] - 1);
    } else {
        add_list(t, list, 56 + 8 * h->users, users, h->users);
    }
    tiny_object(t, namespace, 232, 1, 3);
    tiny_count(t, 2);
    TINY_SLOTS(t, CACHE, CACHE_NAME, OTHER, OTHER_NAME);
    tiny_object(t, module, 72, 1, 3);
    TINY_SLOTS(t, GLOBALS);
    tiny_object(t, dict, 232, 1, 3);
    tiny_count(t, 1);
    TINY_SLOTS(t, APP, APP_NAME);
    write_users(t, h, text, user);
    for (unsigned i = 0; i < h->garbage; i++) {
        ouro_node loop = tiny_object(t, self, 500, 1, 1);
        TINY_SLOTS(t, loop);
    }
    for (unsigned i = 0; i < h->spares; i++)
        add_text(t, text, "spare");
    tiny_object(t, root, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(t, "sys.modules", 11);
    TINY_SLOTS(t, MODULES);
}

static void open_all(const struct heap *heaps, unsigned count)
{
    ck_assert_int_eq(ouro_diff_names_init(&names), OURO_OK);
    for (unsigned i = 0; i < count; i++) {
        write_heap(&tinies[i], &heaps[i]);
        tiny_open(&tinies[i], &models[i]);
        ck_assert_msg(ouro_diff_side_init(&sides[i], &models[i], &names, true, &err) == OURO_OK, "%s", err.msg);
    }
}

static void close_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ouro_diff_side_fini(&sides[i]);
        ouro_heap_model_close(&models[i]);
        tiny_end(&tinies[i]);
    }
    ouro_diff_names_fini(&names);
}

static const struct ouro_diff_options everything = {.threshold = 0, .paths = true, .objects = true, .retained = true};

static void compare(struct ouro_diff *diff, unsigned a, unsigned b)
{
    ck_assert_msg(ouro_diff_init(diff, &sides[a], &sides[b], &everything, &err) == OURO_OK, "%s", err.msg);
}

static void check_sums(const struct ouro_diff *diff)
{
    int64_t count = 0, bytes = 0, paths_count = 0, paths_bytes = 0;
    for (size_t i = 0; i < diff->types.count; i++) {
        count += (int64_t)(diff->types.items[i].after_count - diff->types.items[i].before_count);
        bytes += (int64_t)(diff->types.items[i].after_bytes - diff->types.items[i].before_bytes);
    }
    for (size_t i = 0; i < diff->paths.rows.count; i++) {
        paths_count += ouro_diff_path_count(&diff->paths.rows.items[i]);
        paths_bytes += ouro_diff_path_bytes(&diff->paths.rows.items[i]);
    }
    int64_t total_count = (int64_t)(diff->after->types.object_count - diff->before->types.object_count);
    int64_t total_bytes = (int64_t)(diff->after->types.shallow_bytes - diff->before->types.shallow_bytes);
    ck_assert_int_eq(count, total_count);
    ck_assert_int_eq(bytes, total_bytes);
    ck_assert_int_eq(paths_count, total_count);
    ck_assert_int_eq(paths_bytes, total_bytes);
    ck_assert_int_eq(diff->paths.count, total_count);
}

static const char *path_of(const struct ouro_diff *diff, size_t row)
{
    static struct ouro_buf text;
    text.size = 0;
    ouro_diff_paths_add(&diff->paths, &diff->paths.rows.items[row], &text);
    return ouro_buf_text(&text);
}

static void check_mirror(const struct ouro_diff *diff, const struct ouro_diff *turned)
{
    ck_assert_uint_eq(diff->types.count, turned->types.count);
    for (size_t i = 0; i < diff->types.count; i++) {
        const struct ouro_diff_type_row *row = &diff->types.items[i], *other = NULL;
        for (size_t j = 0; j < turned->types.count; j++)
            if (turned->types.items[j].type == row->type)
                other = &turned->types.items[j];
        ck_assert(other && other->before_count == row->after_count && other->after_bytes == row->before_bytes);
    }
    ck_assert_uint_eq(diff->paths.rows.count, turned->paths.rows.count);
    for (size_t i = 0; i < diff->paths.rows.count; i++) {
        const struct ouro_diff_path_row *row = &diff->paths.rows.items[i], *other = NULL;
        for (size_t j = 0; j < turned->paths.rows.count; j++)
            if (turned->paths.rows.items[j].signature == row->signature && turned->paths.rows.items[j].type == row->type)
                other = &turned->paths.rows.items[j];
        ck_assert_msg(other != NULL, "%s", path_of(diff, i));
        ck_assert_int_eq(ouro_diff_path_bytes(row), -ouro_diff_path_bytes(other));
        ck_assert_int_eq(ouro_diff_path_count(row), -ouro_diff_path_count(other));
        ck_assert_uint_eq(row->new_count, other->gone_count);
    }
}

START_TEST(a_snapshot_does_not_differ_from_itself)
{
    for (int process = 0; process < 2; process++) {
        const struct heap heap = {.users = 5, .spares = 2, .process = process, .garbage = 3, .time = "100.0"};
        struct ouro_diff diff;
        open_all((const struct heap[]){heap, heap}, 2);
        compare(&diff, 0, 1);
        ck_assert_int_eq(diff.match.same_process, process);
        ck_assert_uint_eq(diff.types.count, 0);
        ck_assert_uint_eq(diff.paths.rows.count, 0);
        ck_assert_uint_eq(diff.objects.count, 0);
        ck_assert_uint_eq(diff.retained.count, 1); /* the whole */
        ck_assert_uint_eq(diff.match.reused_count, 0);
        ouro_diff_fini(&diff);
        close_all(2);
    }
}
END_TEST

START_TEST(the_container_that_grew_is_named_with_its_lengths)
{
    for (int process = 0; process < 2; process++) {
        const struct heap heaps[] = {{.users = 3, .spares = 1, .process = process}, {.users = 8, .spares = 1, .process = process}};
        struct ouro_diff diff;
        open_all(heaps, 2);
        compare(&diff, 0, 1);
        check_sums(&diff);
        ck_assert_str_eq(path_of(&diff, 0), "sys.modules['app'].CACHE[*] -> app.User");
        struct ouro_diff_path_row *row = &diff.paths.rows.items[0];
        ck_assert_int_eq(ouro_diff_path_count(row), 10); /* users and their names */
        ck_assert_int_eq(ouro_diff_path_bytes(row), 5 * (64 + 50) + 5 * 8);
        ck_assert_int_eq(ouro_diff_paths_detail(&diff.paths, row, &err), OURO_OK);
        ck_assert_int_eq(row->length_before, 3);
        ck_assert_int_eq(row->length_after, 8);
        ck_assert(strstr(ouro_buf_text(&row->path.text.expression), "sys.modules['app']")); /* no class says what .CACHE gives */
        ck_assert(strstr(ouro_buf_text(&row->path.text.expression), "['CACHE']"));
        ck_assert_uint_eq(row->example_count, 3);
        ck_assert_uint_eq(row->type_count, 2);
        ouro_diff_fini(&diff);
        close_all(2);
    }
}
END_TEST

START_TEST(swapped_snapshots_mirror_each_other)
{
    static const struct heap pairs[][2] = {
        {{.users = 3}, {.users = 9, .spares = 4}},
        {{.users = 3, .process = true, .time = "1"}, {.users = 9, .spares = 4, .process = true, .time = "2"}},
        {{.users = 7, .by_value = true, .names = "abcdefg"}, {.users = 5, .by_value = true, .names = "bcxyz"}},
        {{.users = 4, .others_bytes = 56, .garbage = 2}, {.users = 4, .others_bytes = 900, .garbage = 9}},
        {{.users = 6, .type = "User"}, {.users = 6, .type = "Person"}},
        {{.users = 0}, {.users = 20, .garbage = 1}},
        {{.users = 6, .process = true, .names = "aaabbb", .user_flags = 3, .time = "1"},
         {.users = 6, .process = true, .names = "aaaccc", .user_flags = 1, .time = "2"}},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct ouro_diff diff, turned;
        open_all(pairs[i], 2);
        compare(&diff, 0, 1);
        compare(&turned, 1, 0);
        check_sums(&diff);
        check_sums(&turned);
        check_mirror(&diff, &turned);
        ouro_diff_fini(&diff);
        ouro_diff_fini(&turned);
        close_all(2);
    }
}
END_TEST

START_TEST(keys_match_entries_of_different_processes)
{
    const struct heap heaps[] = {{.users = 4, .by_value = true, .names = "abcd"}, {.users = 4, .by_value = true, .names = "cdef"}};
    struct ouro_diff diff;
    open_all(heaps, 2);
    compare(&diff, 0, 1);
    uint64_t came = 0, went = 0;
    for (size_t i = 0; i < diff.paths.after.newcomers.count; i++)
        came += ouro_diff_side_type(diff.after, diff.paths.after.newcomers.items[i].node) ==
                ouro_diff_names_label(&names, "app.User", 8);
    for (size_t i = 0; i < diff.paths.before.newcomers.count; i++)
        went += ouro_diff_side_type(diff.before, diff.paths.before.newcomers.items[i].node) ==
                ouro_diff_names_label(&names, "app.User", 8);
    ck_assert_uint_eq(came, 2);
    ck_assert_uint_eq(went, 2);
    ck_assert_uint_eq(diff.paths.rows.count, 0); /* as much came as went */
    ouro_diff_fini(&diff);
    close_all(2);
}
END_TEST

START_TEST(garbage_is_never_the_first_row)
{
    const struct heap heaps[] = {{.users = 3}, {.users = 4, .garbage = 200}};
    struct ouro_diff diff;
    open_all(heaps, 2);
    compare(&diff, 0, 1);
    check_sums(&diff);
    ck_assert_int_eq(diff.paths.rows.items[0].root, OURO_DIFF_ROOT_NAMED);
    ck_assert_int_eq(diff.paths.rows.items[diff.paths.rows.count - 1].root, OURO_DIFF_ROOT_GARBAGE);
    ck_assert_uint_eq(diff.between.garbage_after, 200);
    ouro_diff_fini(&diff);
    close_all(2);
}
END_TEST

/* Of the user with that number, whose address is the same in all. */
static enum ouro_diff_verdict verdict_of(const struct ouro_diff *diff, unsigned user, bool name)
{
    return diff->match.after_verdict[FIRST_USER + 2 * user + !name];
}

START_TEST(reused_addresses_are_told_by_more_than_the_address)
{
    const struct heap heaps[] = {
        {.users = 6, .process = true, .names = "abcdef", .user_flags = 3, .time = "1"},
        {.users = 6, .process = true, .names = "abcxyz", .user_flags = 3, .time = "2"},
    };
    struct ouro_diff diff;
    open_all(heaps, 2);
    compare(&diff, 0, 1);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(verdict_of(&diff, i, true), OURO_DIFF_SURVIVED_PROBABLE);
        ck_assert_int_eq(verdict_of(&diff, i, false), OURO_DIFF_SURVIVED_PROBABLE);
    }
    for (unsigned i = 3; i < 6; i++) {
        ck_assert_int_eq(verdict_of(&diff, i, true), OURO_DIFF_NEW_CERTAIN); /* a text does not change */
        ck_assert_int_eq(verdict_of(&diff, i, false), OURO_DIFF_NEW_PROBABLE); /* its user may have been renamed */
    }
    ck_assert_uint_eq(diff.match.reused_count, 6);
    ck_assert_uint_eq(diff.objects.total.new_count[0], 3);
    ck_assert_uint_eq(diff.objects.total.new_count[1], 3);
    ck_assert_uint_eq(diff.objects.total.gone_count[0], 3);
    ouro_diff_fini(&diff);
    close_all(2);
}
END_TEST

START_TEST(a_younger_generation_another_type_or_a_lost_finalizer_is_another_object)
{
    static const struct heap cases[][2] = {
        {{.user_flags = 3}, {.user_flags = 1}},
        {{.user_flags = 4}, {.user_flags = 2}},
        {{.user_flags = 1 | OURO_OBJECT_FINALIZED}, {.user_flags = 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heap heaps[2];
        struct ouro_diff diff;
        for (int j = 0; j < 2; j++) {
            heaps[j] = cases[i][j];
            heaps[j].users = 2;
            heaps[j].process = true;
            heaps[j].time = j ? "2" : "1";
        }
        open_all(heaps, 2);
        compare(&diff, 0, 1);
        ck_assert_int_eq(verdict_of(&diff, 0, false), OURO_DIFF_NEW_CERTAIN);
        ouro_diff_fini(&diff);
        compare(&diff, 1, 0); /* backwards: what is older says the same */
        ck_assert_int_eq(diff.match.before_verdict[FIRST_USER + 1], OURO_DIFF_NEW_CERTAIN);
        ouro_diff_fini(&diff);
        close_all(2);
    }
    const struct heap typed[] = {{.users = 2, .process = true}, {.users = 2, .process = true, .type = "Person"}};
    struct ouro_diff diff;
    open_all(typed, 2);
    compare(&diff, 0, 1);
    ck_assert_int_eq(verdict_of(&diff, 0, false), OURO_DIFF_NEW_PROBABLE); /* __class__ can be assigned */
    ouro_diff_fini(&diff);
    close_all(2);
}
END_TEST

START_TEST(unfreezing_makes_nobody_new_and_immortals_are_certain)
{
    const struct heap heaps[] = {{.users = 2, .process = true, .user_flags = 4}, {.users = 2, .process = true, .user_flags = 3}};
    const struct heap immortal[] = {{.users = 2, .process = true, .user_flags = 1 | OURO_OBJECT_IMMORTAL},
                                    {.users = 2, .process = true, .user_flags = 1 | OURO_OBJECT_IMMORTAL}};
    struct ouro_diff diff;
    open_all(heaps, 2);
    compare(&diff, 0, 1);
    ck_assert_int_eq(verdict_of(&diff, 0, false), OURO_DIFF_SURVIVED_PROBABLE);
    ouro_diff_fini(&diff);
    close_all(2);
    open_all(immortal, 2);
    compare(&diff, 0, 1);
    ck_assert_int_eq(verdict_of(&diff, 0, false), OURO_DIFF_SURVIVED_CERTAIN);
    ouro_diff_fini(&diff);
    close_all(2);
}
END_TEST

static void check_trend(const unsigned users[3], enum ouro_diff_trend_kind kind)
{
    const struct heap heaps[] = {{.users = users[0]}, {.users = users[1]}, {.users = users[2]}};
    OURO_GUARD(ouro_diff_trend_fini) struct ouro_diff_trend trend = {.step_count = 2};
    open_all(heaps, 3);
    for (unsigned step = 0; step < 2; step++) {
        struct ouro_diff diff;
        compare(&diff, step, step + 1);
        ck_assert_int_eq(ouro_diff_trend_add(&trend, step, &diff), OURO_OK);
        ouro_diff_fini(&diff);
    }
    ouro_diff_trend_settle(&trend, &names);
    ck_assert_uint_ge(trend.count, 1);
    const struct ouro_diff_trend_row *row = NULL;
    for (size_t i = 0; i < trend.count && !row; i++)
        if (trend.items[i].signature != OURO_SIGNATURE_NONE)
            row = &trend.items[i];
    ck_assert_int_eq(row->kind, kind);
    ck_assert_int_eq(row->counts[0], 2 * ((int)users[1] - (int)users[0]));
    ck_assert_int_eq(row->counts[1], 2 * ((int)users[2] - (int)users[1]));
    close_all(3);
}

START_TEST(three_snapshots_tell_leaks_from_waves_and_warm_up)
{
    check_trend((const unsigned[]){1, 5, 9}, OURO_DIFF_TREND_LEAK);
    check_trend((const unsigned[]){1, 9, 1}, OURO_DIFF_TREND_WAVE);
    check_trend((const unsigned[]){1, 9, 9}, OURO_DIFF_TREND_WARM_UP);
    check_trend((const unsigned[]){9, 5, 1}, OURO_DIFF_TREND_SHRINK);
}
END_TEST

START_TEST(what_grew_in_the_dominator_tree_is_followed_to_what_came)
{
    const struct heap heaps[] = {{.users = 3}, {.users = 103}};
    struct ouro_diff diff;
    open_all(heaps, 2);
    compare(&diff, 0, 1);
    ck_assert_uint_gt(diff.retained.count, 2);
    const struct ouro_diff_retained_row *last = &diff.retained.items[diff.retained.count - 1];
    ck_assert(last->is_group);
    ck_assert_uint_eq(last->after_count - last->before_count, 100);
    ck_assert_uint_eq(last->after_bytes - last->before_bytes, 100 * (64 + 50));
    for (size_t i = 1; i < diff.retained.count; i++)
        ck_assert_uint_le(diff.retained.items[i].level, diff.retained.items[i - 1].level + 1);
    ouro_diff_fini(&diff);
    close_all(2);
}
END_TEST

START_TEST(suppressed_rows_are_summed_and_not_shown)
{
    const struct heap heaps[] = {{.users = 3}, {.users = 103}};
    static const char file[] = "path=sys.modules['app'].CACHE[*]*\ntype=app.U*";
    struct ouro_suppressions suppressions = {0};
    struct ouro_diff_options options = everything;
    size_t line, place;
    struct ouro_diff diff;
    ck_assert_int_eq(ouro_suppressions_parse(&suppressions, file, sizeof file - 1, &line, &place, &err), OURO_OK);
    options.suppressions = &suppressions;
    open_all(heaps, 2);
    ck_assert_int_eq(ouro_diff_init(&diff, &sides[0], &sides[1], &options, &err), OURO_OK);
    ck_assert_uint_eq(diff.paths.suppressed.rows, 1);
    ck_assert_int_eq(diff.paths.suppressed.count, 200);
    ck_assert(!ouro_diff_paths_is_shown(&diff.paths, &diff.paths.rows.items[0]));
    ck_assert_int_eq(diff.types.suppressed.count, 100);
    for (size_t i = 0; i < diff.types.count; i++)
        ck_assert_uint_ne(diff.types.items[i].type, ouro_diff_names_label(&names, "app.User", 8));
    ouro_diff_fini(&diff);
    close_all(2);
    ouro_suppressions_fini(&suppressions);
}
END_TEST

START_TEST(both_sides_at_once_have_the_numbers_of_one_after_the_other)
{
    static const struct heap pairs[][2] = {
        {{.users = 3}, {.users = 9, .spares = 4, .type = "Person", .garbage = 2}},
        {{.users = 7, .by_value = true, .names = "abcdefg"}, {.users = 5, .names = "bcxyz", .garbage = 1}},
        {{.users = 0, .garbage = 3}, {.users = 0}},
    };
    for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
        static struct ouro_diff_side both[2];
        struct ouro_diff_names own;
        unsigned failed;
        open_all(pairs[p], 2);
        ck_assert_int_eq(ouro_diff_names_init(&own), OURO_OK);
        struct ouro_diff_side *const at_once[] = {&both[0], &both[1]};
        struct ouro_heap_model *const their[] = {&models[0], &models[1]};
        ck_assert_msg(ouro_diff_sides_init(at_once, their, &own, true, &failed, &err) == OURO_OK, "%s", err.msg);
        for (int i = 0; i < 2; i++) {
            ck_assert_ptr_eq(both[i].labels.names, &own);
            for (ouro_node v = 0; v < models[i].heap.count; v++)
                ck_assert_uint_eq(ouro_diff_side_signature(&both[i], v), ouro_diff_side_signature(&sides[i], v));
            ck_assert_mem_eq(both[i].roots.marks, sides[i].roots.marks, models[i].heap.count);
            ck_assert_mem_eq(both[i].labels.of_type, sides[i].labels.of_type, (models[i].type_count + 1) * sizeof(uint32_t));
            ck_assert_uint_eq(both[i].labels.garbage, sides[i].labels.garbage);
            ouro_diff_side_fini(&both[i]);
        }
        ck_assert_uint_eq(own.labels.count, names.labels.count);
        ck_assert_uint_eq(own.signatures.count, names.signatures.count);
        ck_assert_mem_eq(own.texts.data, names.texts.data, names.texts.size);
        ouro_diff_names_fini(&own);
        close_all(2);
    }
}
END_TEST

START_TEST(what_named_roots_reach_is_the_same_however_it_was_found)
{
    open_all((const struct heap[]){{.users = 7, .spares = 3, .garbage = 4}}, 1);
    struct ouro_roots roots;
    struct ouro_collector collector;
    ck_assert_int_eq(ouro_collector_init(&collector, &models[0], &err), OURO_OK);
    ck_assert_int_eq(ouro_roots_init(&roots, &models[0], &collector, &err), OURO_OK);
    ck_assert_mem_eq(collector.marks, sides[0].collector.marks, models[0].heap.count);
    ck_assert_uint_eq(collector.unreachable_count, sides[0].collector.unreachable_count);
    ck_assert_mem_eq(roots.marks, sides[0].roots.marks, models[0].heap.count);
    ck_assert_uint_eq(roots.named_count, sides[0].roots.named_count);
    ck_assert_uint_eq(roots.native_count, sides[0].roots.native_count);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    close_all(1);
}
END_TEST

START_TEST(signatures_of_long_chains_are_folded)
{
    ck_assert_int_eq(ouro_diff_names_init(&names), OURO_OK);
    uint32_t label = ouro_diff_names_label(&names, ".next", 5), signature = OURO_SIGNATURE_EMPTY;
    for (int i = 0; i < 1000; i++)
        signature = ouro_diff_names_child(&names, signature, label);
    ck_assert_uint_le(names.signatures.count, 4);
    uint32_t other = ouro_diff_names_label(&names, ".left", 5);
    for (int i = 0; i < 1000; i++)
        signature = ouro_diff_names_child(&names, signature, i % 2 ? label : other);
    ck_assert_uint_le(names.signatures.count, OURO_SIGNATURE_DEPTH + 2);
    ouro_diff_names_fini(&names);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diff");
    TCase *tests = tcase_create("diff");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_snapshot_does_not_differ_from_itself);
    tcase_add_test(tests, the_container_that_grew_is_named_with_its_lengths);
    tcase_add_test(tests, swapped_snapshots_mirror_each_other);
    tcase_add_test(tests, keys_match_entries_of_different_processes);
    tcase_add_test(tests, garbage_is_never_the_first_row);
    tcase_add_test(tests, reused_addresses_are_told_by_more_than_the_address);
    tcase_add_test(tests, a_younger_generation_another_type_or_a_lost_finalizer_is_another_object);
    tcase_add_test(tests, unfreezing_makes_nobody_new_and_immortals_are_certain);
    tcase_add_test(tests, three_snapshots_tell_leaks_from_waves_and_warm_up);
    tcase_add_test(tests, what_grew_in_the_dominator_tree_is_followed_to_what_came);
    tcase_add_test(tests, suppressed_rows_are_summed_and_not_shown);
    tcase_add_test(tests, both_sides_at_once_have_the_numbers_of_one_after_the_other);
    tcase_add_test(tests, what_named_roots_reach_is_the_same_however_it_was_found);
    tcase_add_test(tests, signatures_of_long_chains_are_folded);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
