/* How fast objects are visited: by native visitors, by learned ones, by running their type's tp_traverse.
 *
 * usage: bench_visit PID [ROUNDS]     prints JSON: objects and nanoseconds an object for each way, one thread */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cpython/learn.h"
#include "cpython/sandbox.h"
#include "cpython/visit.h"

static struct ouro_process *process;
static struct ouro_maps maps;
static struct ouro_modules modules;
static struct ouro_runtime runtime;
static struct ouro_image image;
static struct ouro_python python;

struct subject {
    ouro_addr addr;
    struct ouro_type *type;
    const struct ouro_type *learned; /* the same type as it would be without a native visitor; NULL: its fields can't be learned */
};
static struct {
    struct subject *items;
    size_t count, capacity;
} subjects;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static enum ouro_status open_target(pid_t pid, struct ouro_err *err)
{
    const struct ouro_image_options options = {0};
    OURO_TRY(ouro_process_open(&process, pid, err));
    OURO_TRY(ouro_maps_read(&maps, pid, false, err));
    OURO_TRY(ouro_modules_read(&modules, process, &maps, err));
    OURO_TRY(ouro_runtime_find(&runtime, ouro_process_space(process), &modules, err));
    OURO_TRY(ouro_image_plan(&image, process, &options, err));
    OURO_TRY(ouro_process_stop(process, UINT64_C(5000000000), err));
    enum ouro_status status = ouro_image_copy(&image, process, &options, err);
    ouro_process_resume(process);
    OURO_TRY(status);
    OURO_TRY(ouro_image_finish(&image, process, err));
    return ouro_python_init(&python, &image, &runtime, &modules, err);
}

/* Only fields and the type: what a learned visitor can be as well. */
static bool is_plain(const struct ouro_type *type)
{
    for (uint32_t i = 0; i < type->op_count; i++)
        if (type->ops[i].kind != OURO_OP_FIELD && type->ops[i].kind != OURO_OP_TYPE)
            return false;
    return !type->varies;
}

#define FIELDS_MAX 64

/* A type like the native one but with what is learned from its tp_traverse. */
static const struct ouro_type *learn(struct ouro_type *type)
{
    struct ouro_machine_visit fields[FIELDS_MAX];
    size_t count = is_plain(type) && type->how == OURO_HOW_NATIVE
                       ? ouro_learn_fields(python.learner, type, type->traverse, fields, FIELDS_MAX)
                       : SIZE_MAX;
    struct ouro_type *learned = count != SIZE_MAX ? malloc(sizeof *learned) : NULL;
    if (!learned)
        return NULL;
    *learned = *type;
    learned->op_count = (uint32_t)count;
    learned->ops = calloc(count + 1, sizeof *learned->ops);
    for (size_t i = 0; learned->ops && i < count; i++)
        learned->ops[i] = (struct ouro_op){
            .kind = fields[i].origin.kind == OURO_ORIGIN_FIELD ? OURO_OP_FIELD : OURO_OP_TYPE,
            .offset = fields[i].origin.offset,
            .label = ""};
    return learned->ops ? learned : NULL;
}

static bool add_subject(void *context, ouro_addr object)
{
    (void)context;
    ouro_addr type_addr = ouro_python_word(&python, object + (ouro_addr)python.layout->ob_type);
    struct ouro_type *type = ouro_type_get(&python, type_addr);
    struct subject *place = type && type->traverse ? OURO_VEC_ADD(&subjects) : NULL;
    if (place)
        *place = (struct subject){object, type, NULL};
    return true;
}

static uint64_t slot_count;

static void on_slots(void *context, const ouro_addr *targets, size_t count)
{
    (void)context;
    (void)targets;
    slot_count += count;
}

static bool is_namespace(void *context, ouro_addr dict)
{
    (void)context;
    (void)dict;
    return false;
}

enum way { RUN, NATIVE, LEARNED };

/* Visits all subjects by running their tp_traverse; or those whose fields can be learned, by either visitor. */
static void measure(const char *name, enum way way, unsigned rounds, const char *end)
{
    struct ouro_visitor visitor = {.python = &python, .slots = on_slots, .is_namespace = is_namespace};
    struct ouro_sandbox *sandbox = NULL;
    size_t objects = 0, failed = 0;
    uint64_t best = UINT64_MAX, visits = 0;
    ouro_sandbox_get(&python, &sandbox);
    for (unsigned round = 0; round <= rounds; round++) {
        uint64_t start = now_ns();
        objects = failed = 0;
        visits = slot_count = 0;
        for (size_t i = 0; i < subjects.count; i++) {
            const struct subject *subject = &subjects.items[i];
            if (way != RUN && !subject->learned)
                continue;
            objects++;
            if (way != RUN) {
                ouro_visit(&visitor, way == LEARNED ? subject->learned : subject->type, subject->addr);
                continue;
            }
            const struct ouro_machine_visit *found;
            size_t count;
            if (!sandbox || ouro_sandbox_traverse(sandbox, subject->type->traverse, subject->addr, &found, &count) !=
                                OURO_MACHINE_RETURNED)
                failed++;
            else
                visits += count;
        }
        uint64_t took = now_ns() - start;
        if (round && took < best)
            best = took;
    }
    printf("\"%s\": {\"objects\": %zu, \"failed\": %zu, \"visits\": %llu, \"ns\": %llu, \"ns_per_object\": %.2f}%s\n", name, objects,
           failed, (unsigned long long)(way == RUN ? visits : slot_count), (unsigned long long)best,
           objects ? (double)best / (double)objects : 0, end);
}

int main(int argc, char **argv)
{
    struct ouro_err err = {0};
    struct ouro_map learned_types = {0}; /* type -> what it is when learned; lives as long as the program */
    bool added;
    unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
    if (argc < 2 || open_target((pid_t)atoi(argv[1]), &err) != OURO_OK) {
        fprintf(stderr, "bench_visit: %s\n", argc < 2 ? "usage: bench_visit PID [ROUNDS]" : err.msg);
        return 1;
    }
    for (unsigned list = 4; list--;)
        ouro_python_each_tracked(&python, &python.interpreters[0], list, add_subject, NULL);
    printf("{\"sandbox\": %s,\n", python.sandboxed ? "true" : "false");
    for (size_t i = 0; i < subjects.count; i++) {
        struct subject *subject = &subjects.items[i];
        uint64_t *place = ouro_map_put(&learned_types, subject->type->addr, &added);
        if (place && added)
            *place = (uint64_t)(uintptr_t)learn(subject->type);
        subject->learned = place ? (const struct ouro_type *)(uintptr_t)*place : NULL;
    }
    measure("interpreted", RUN, rounds, ",");
    measure("native", NATIVE, rounds, ",");
    measure("learned", LEARNED, rounds, "}");
    free(subjects.items);
    ouro_python_fini(&python);
    ouro_image_fini(&image);
    ouro_modules_fini(&modules);
    ouro_maps_fini(&maps);
    ouro_process_close(process);
    return 0;
}
