/* The walk over memory that is not what it should be: an image of a real interpreter with seeded damage. Whatever stands there, the
 * walk ends, touches nothing outside of the image, and what it writes is a snapshot that the reader accepts. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/emit.h"
#include "cpython/chain.h"
#include "snapshot/reader.h"
#include "target/image.h"
#include "target/module.h"

#define DEFAULT_ROUNDS 24u

static struct ouro_image image;
static struct ouro_maps maps;
static struct ouro_modules modules;
static struct ouro_runtime runtime;
static struct ouro_process *process;
static unsigned char *pristine;
static pid_t child;
static int child_input = -1;
static char path[128];

static const char *a_python(char *out, size_t capacity)
{
    const char *all = getenv("OURO_TEST_PYTHONS");
    snprintf(out, capacity, "%s", all && *all ? all : "python3");
    out[strcspn(out, ":")] = 0;
    return out;
}

static void start_python(void)
{
    char python[512], line[64] = "";
    int to[2], from[2];
    ck_assert_int_eq(pipe(to), 0);
    ck_assert_int_eq(pipe(from), 0);
    child = fork();
    if (!child) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp(a_python(python, sizeof python), "python3", "-c",
               "import sys, json, collections, functools, threading\n"
               "class A:\n"
               "    pass\n"
               "def g():\n"
               "    yield 1\n"
               "@functools.lru_cache\n"
               "def f(x):\n"
               "    return x\n"
               "keep = [A() for i in range(100)], collections.deque(range(300)), collections.OrderedDict(a=1), [f(i) for i in range(9)]\n"
               "generator = g(); next(generator)\n"
               "def wait(depth):\n"
               "    return wait(depth - 1) if depth else sys.stdin.read()\n"
               "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
               "print('READY', flush=True)\n"
               "wait(5)\n",
               (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    child_input = to[1];
    for (size_t used = 0; !strchr(line, '\n'); used += 1) /* the end of the line may come in a write of its own */
        ck_assert_int_eq(used < sizeof line - 1 ? read(from[0], line + used, 1) : 0, 1);
    ck_assert_str_eq(line, "READY\n");
    close(from[0]);
}

static void capture_image(void)
{
    struct ouro_err err = {0};
    const struct ouro_image_options options = {.thread_count = 1};
    start_python();
    ck_assert_msg(ouro_process_open(&process, child, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_maps_read(&maps, child, false, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_modules_read(&modules, process, &maps, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_runtime_find(&runtime, ouro_process_space(process), &modules, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_image_plan(&image, process, &options, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_process_stop(process, 10000000000u, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_image_copy(&image, process, &options, &err) == OURO_OK, "%s", err.msg);
    ouro_process_resume(process);
    ck_assert_msg(ouro_image_finish(&image, process, &err) == OURO_OK, "%s", err.msg);
    size_t size = (size_t)image.page_count << OURO_PAGE_BITS;
    pristine = malloc(size);
    ck_assert_ptr_nonnull(pristine);
    memcpy(pristine, image.bytes, size);
    snprintf(path, sizeof path, "%s/ouro-hostile-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void release_image(void)
{
    int status;
    ouro_image_fini(&image);
    ouro_modules_fini(&modules);
    ouro_maps_fini(&maps);
    ouro_process_close(process);
    close(child_input);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the target did not end as it should: %#x", status);
    free(pristine);
    unlink(path);
}

/* Walks and writes; what it says. *objects: how many there were when it went well. */
static enum ouro_status walk_and_write(ouro_node *objects, struct ouro_err *err)
{
    struct ouro_python python;
    struct ouro_walk walk = {0};
    struct ouro_snapshot_writer *writer = NULL;
    struct ouro_emit_totals totals;
    const struct ouro_emit_options options = {.values = OURO_VALUES_FULL, .codec = OURO_CODEC_STORED};
    uint64_t file_bytes;
    enum ouro_status status = ouro_python_init(&python, &image, &runtime, &modules, err);
    if (status == OURO_OK)
        status = ouro_walk_init(&walk, &python, 2, false, NULL, err);
    if (status == OURO_OK)
        status = ouro_walk_mark(&walk, err);
    if (status == OURO_OK)
        status = ouro_walk_number(&walk, err);
    if (status == OURO_OK)
        status = ouro_snapshot_writer_open(&writer, path, true, OURO_CODEC_STORED, err);
    if (status == OURO_OK)
        status = ouro_emit(&walk, writer, &options, &totals, err);
    if (status == OURO_OK)
        status = ouro_snapshot_writer_commit(writer, &file_bytes, err);
    *objects = walk.object_count;
    ouro_snapshot_writer_close(writer);
    ouro_walk_fini(&walk);
    ouro_python_fini(&python);
    return status;
}

static void read_back(const char *what)
{
    struct ouro_snapshot *snapshot;
    struct ouro_heap heap;
    struct ouro_err err = {0};
    ck_assert_msg(ouro_snapshot_open(&snapshot, path, 0, &err) == OURO_OK, "%s: %s", what, err.msg);
    ck_assert_msg(ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 1, &err) == OURO_OK, "%s: %s", what, err.msg);
    ouro_heap_fini(&heap);
    ouro_snapshot_close(snapshot);
}

static uint64_t state;

static uint64_t random_u64(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

/* One word: flipped, zero, huge, or a pointer to anywhere in the image. */
static void damage_word(void)
{
    uint64_t *words = (uint64_t *)image.reserve;
    uint64_t *word = &words[random_u64() % ((uint64_t)image.page_count * (OURO_PAGE_BYTES / 8))];
    switch (random_u64() % 6) {
    case 0:
        *word ^= UINT64_C(1) << random_u64() % 64;
        break;
    case 1:
        *word = 0;
        break;
    case 2:
        *word = random_u64();
        break;
    case 3:
        *word = random_u64() >> random_u64() % 64;
        break;
    default:
        *word = image.page_addr[random_u64() % image.page_count] | random_u64() % OURO_PAGE_BYTES;
        break;
    }
}

START_TEST(an_image_without_damage_is_walked_whole)
{
    struct ouro_err err = {0};
    ouro_node objects;
    ck_assert_msg(walk_and_write(&objects, &err) == OURO_OK, "%s", err.msg);
    ck_assert_uint_gt(objects, 20000);
    read_back("without damage");
}
END_TEST

START_TEST(damaged_memory_is_walked_to_an_end)
{
    const char *wanted = getenv("OURO_TEST_ROUNDS"), *seed_text = getenv("OURO_TEST_SEED");
    unsigned rounds = wanted ? (unsigned)atoi(wanted) : DEFAULT_ROUNDS, whole = 0, refused = 0;
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : (uint64_t)getpid() << 20;
    printf("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < rounds; round++) {
        static const unsigned counts[] = {1, 16, 256, 4096, 65536, 1000000};
        struct ouro_err err = {0};
        char what[64];
        ouro_node objects;
        state = seed + round + 1;
        snprintf(what, sizeof what, "OURO_TEST_SEED=%llu", (unsigned long long)(seed + round));
        for (unsigned i = counts[round % 6]; i; i--)
            damage_word();
        enum ouro_status status = walk_and_write(&objects, &err);
        if (status == OURO_OK) {
            read_back(what);
            whole++;
        } else {
            ck_assert_msg(status == OURO_BADDATA, "%s: %s: %s", what, ouro_status_name(status), err.msg);
            ck_assert_msg(err.msg[0], "%s: refused without a word", what);
            refused++;
        }
        memcpy(image.reserve, pristine, (size_t)image.page_count << OURO_PAGE_BITS);
    }
    printf("%u walked, %u refused in words\n", whole, refused);
    ck_assert_uint_gt(whole, 0);
}
END_TEST

/* The bytes of the image with nothing behind them. */
static unsigned char *copy_with_nothing_behind(size_t size)
{
    unsigned char *bytes = mmap(NULL, size + OURO_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(bytes != MAP_FAILED);
    ck_assert_int_eq(mprotect(bytes + size, OURO_PAGE_BYTES, PROT_NONE), 0);
    memcpy(bytes, pristine, size);
    return bytes;
}

static void put_word(ouro_addr addr, uint64_t word)
{
    memcpy((unsigned char *)ouro_image_at(&image, addr, 8), &word, 8);
}

/* An object of each type that is read in a way of its own stands at the very end of the memory, and its type says that this is all. */
START_TEST(a_type_may_say_that_its_objects_end_before_what_its_visitor_reads)
{
    static const char *const types[] = {
        "PyList_Type", "PyTuple_Type", "PyDict_Type", "PySet_Type", "PyODict_Type", "PyGen_Type", "PyFrame_Type",
        "PyModule_Type", "PyCFunction_Type", "PyCapsule_Type", "PyLong_Type", "PyUnicode_Type", "PyBytes_Type",
        "PyByteArray_Type", "PyCode_Type", "PyFunction_Type", "PyFloat_Type", "PyCell_Type", "PyBaseObject_Type",
    };
    size_t size = (size_t)image.page_count << OURO_PAGE_BITS;
    unsigned char *reserve = image.reserve, *own = copy_with_nothing_behind(size);
    const unsigned char *bytes = image.bytes;
    const struct ouro_layout *layout = &runtime.layout;
    struct ouro_interpreter main;
    size_t found;
    ck_assert_int_eq(ouro_runtime_interpreters(&runtime, &image.space, &main, 1, &found), OURO_OK);
    image.bytes = image.reserve = own;
    ouro_addr object = image.page_addr[image.page_count - 1] + OURO_PAGE_BYTES - 16;
    unsigned walked = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct ouro_err err = {0};
        ouro_addr type;
        ouro_node objects;
        ck_assert_int_eq(ouro_module_symbol(runtime.module, types[i], &type, NULL), OURO_OK);
        put_word(type + (ouro_addr)layout->tp_basicsize, 16);
        put_word(object + (ouro_addr)layout->ob_refcnt, 1);
        put_word(object + (ouro_addr)layout->ob_type, type);
        put_word(main.addr + (ouro_addr)layout->interp_codec_search_path, object); /* a root */
        enum ouro_status status = walk_and_write(&objects, &err);
        ck_assert_msg(status == OURO_OK || status == OURO_BADDATA, "%s: %s", types[i], err.msg);
        if (status == OURO_OK)
            read_back(types[i]);
        walked += status == OURO_OK;
        memcpy(image.reserve, pristine, size);
    }
    image.reserve = reserve;
    image.bytes = bytes;
    munmap(own, size + OURO_PAGE_BYTES);
    ck_assert_uint_gt(walked, 10);
}
END_TEST

/* --- Chains */

static ouro_addr next_in_list(const void *context, ouro_addr link)
{
    const unsigned char *behind = context;
    return behind[link];
}

START_TEST(the_length_of_a_chain_is_told_however_it_bites_itself)
{
    unsigned char behind[64] = {0};
    for (unsigned count = 1; count < 40; count++) {
        for (unsigned i = 1; i < count; i++)
            behind[i] = (unsigned char)(i + 1);
        behind[count] = 0;
        ck_assert_uint_eq(ouro_chain_length(1, next_in_list, behind), UINT64_MAX);
        for (unsigned back = 1; back <= count; back++) {
            struct ouro_chain chain = {0};
            unsigned met = 0;
            behind[count] = (unsigned char)back;
            ck_assert_uint_eq(ouro_chain_length(1, next_in_list, behind), count);
            for (ouro_addr at = 1; !ouro_chain_repeats(&chain, at); at = behind[at])
                met++;
            ck_assert_uint_ge(met, count);
            ck_assert_uint_le(met, 3 * count);
        }
    }
    ck_assert_uint_eq(ouro_chain_length(0, next_in_list, behind), UINT64_MAX);
}
END_TEST

static size_t pseudo_count;
static uint64_t torn_count;

/* Marks; *object: an object of the type with this name, by its head in memory. */
static void mark(const char *type_name, ouro_addr *object, ouro_addr *frame, ouro_addr *thread)
{
    struct ouro_python python;
    struct ouro_walk walk = {0};
    struct ouro_err err = {0};
    ck_assert_msg(ouro_python_init(&python, &image, &runtime, &modules, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_walk_init(&walk, &python, 1, false, NULL, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_walk_mark(&walk, &err) == OURO_OK, "%s", err.msg);
    pseudo_count = walk.pseudo.count;
    torn_count = 0;
    *frame = *thread = 0;
    for (size_t i = 0; i < walk.pseudo.count; i++) {
        const struct ouro_pseudo *pseudo = &walk.pseudo.items[i];
        torn_count += pseudo->torn;
        *frame = pseudo->kind == OURO_PSEUDO_FRAME ? pseudo->frame : *frame;
        *thread = pseudo->kind == OURO_PSEUDO_THREAD ? pseudo->thread.addr : *thread;
    }
    ouro_addr type = 0;
    for (size_t i = 0; type_name && i < python.type_list.count; i++)
        if (strcmp(python.type_list.items[i]->name, type_name) == 0)
            type = python.type_list.items[i]->addr;
    for (uint32_t page = 0; object && page < image.page_count; page++)
        for (size_t at = 0; at < OURO_PAGE_BYTES; at += 16) {
            ouro_addr addr = (image.page_addr[page] & ~(ouro_addr)(OURO_PAGE_BYTES - 1)) + at;
            const unsigned char *bytes = ouro_image_at(&image, addr, 16);
            if (type && bytes && ouro_load_u64(bytes + python.layout->ob_type) == type &&
                ouro_walk_is_set(walk.marked, ouro_walk_bit(ouro_image_offset(&image, addr))))
                *object = addr;
        }
    ouro_walk_fini(&walk);
    ouro_python_fini(&python);
}

START_TEST(frames_and_threads_that_lead_back_to_themselves_are_told_once)
{
    const struct ouro_layout *layout = &runtime.layout;
    size_t size = (size_t)image.page_count << OURO_PAGE_BITS;
    ouro_addr frame, thread;
    mark(NULL, NULL, &frame, &thread);
    size_t whole = pseudo_count;
    ck_assert_uint_eq(torn_count, 0);
    ck_assert_uint_ne(frame, 0);
    int32_t before = layout->frame_back >= 0 && layout->iframe_previous < 0 ? layout->frame_back : layout->iframe_previous;
    put_word(frame + (ouro_addr)before, frame); /* the last of all */
    mark(NULL, NULL, &frame, &thread);
    ck_assert_uint_le(pseudo_count, whole);
    ck_assert_uint_ge(torn_count, 1);
    memcpy(image.reserve, pristine, size);
    put_word(thread + (ouro_addr)layout->thread_next, thread);
    mark(NULL, NULL, &frame, &thread);
    ck_assert_uint_eq(pseudo_count, whole);
    memcpy(image.reserve, pristine, size);
}
END_TEST

START_TEST(containers_whose_links_lead_back_are_visited_to_an_end)
{
    const struct ouro_layout *layout = &runtime.layout;
    size_t size = (size_t)image.page_count << OURO_PAGE_BITS;
    static const char *const types[] = {"OrderedDict", "_lru_cache_wrapper", "deque"};
    for (int i = 0; i < 3; i++) {
        ouro_addr object = 0, frame, thread;
        struct ouro_err err = {0};
        ouro_node objects;
        mark(types[i], &object, &frame, &thread);
        ck_assert_msg(object != 0, "no %s", types[i]);
        const unsigned char *bytes = ouro_image_at(&image, object, 16);
        int32_t first = i == 0 ? layout->odict_first : i == 1 ? layout->lru_root_next : layout->deque_leftblock;
        int32_t next = i == 0 ? layout->odict_node_next : i == 1 ? layout->lru_link_next : layout->block_rightlink;
        ouro_addr link = ouro_load_u64(bytes + first);
        ck_assert_uint_ne(link, 0);
        put_word(link + (ouro_addr)next, link);
        if (i == 0)
            put_word(object + (ouro_addr)layout->dict_used, UINT64_MAX / 2);
        if (i == 2)
            put_word(object + (ouro_addr)layout->ob_size, (uint64_t)size / 16);
        ck_assert_msg(walk_and_write(&objects, &err) == OURO_OK, "%s: %s", types[i], err.msg);
        read_back(types[i]);
        struct stat file;
        ck_assert_int_eq(stat(path, &file), 0);
        ck_assert_msg(file.st_size < 64 << 20, "%s: %lld bytes", types[i], (long long)file.st_size);
        memcpy(image.reserve, pristine, size);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile memory");
    TCase *tests = tcase_create("hostile memory");
    tcase_add_unchecked_fixture(tests, capture_image, release_image);
    tcase_add_test(tests, an_image_without_damage_is_walked_whole);
    tcase_add_test(tests, damaged_memory_is_walked_to_an_end);
    tcase_add_test(tests, the_length_of_a_chain_is_told_however_it_bites_itself);
    tcase_add_test(tests, frames_and_threads_that_lead_back_to_themselves_are_told_once);
    tcase_add_test(tests, containers_whose_links_lead_back_are_visited_to_an_end);
    tcase_add_test(tests, a_type_may_say_that_its_objects_end_before_what_its_visitor_reads);
    tcase_set_timeout(tests, 300);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* one image for all; the tracer must not be a grandchild */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
