#include "library.h"

#include <check.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const compilers[] = {"gcc", "clang", "cc"};
static const char *const flags[] = {
    "-O0",
    "-O1",
    "-O2",
    "-O3",
    "-Os",
    "-O3 -funroll-loops",
    "-O2 -fcf-protection=full -fstack-protector-all",
    "-O1 -fno-omit-frame-pointer",
};

size_t library_compiler_count(void)
{
    return COUNT(compilers);
}

const char *library_compiler(size_t number)
{
    char command[128];
    snprintf(command, sizeof command, "%s --version > /dev/null 2>&1", compilers[number]);
    /* "cc" is one of the others where those are. */
    if (strcmp(compilers[number], "cc") == 0 && (library_compiler(0) || library_compiler(1)))
        return NULL;
    return system(command) == 0 ? compilers[number] : NULL;
}

size_t library_flags_count(void)
{
    return COUNT(flags);
}

const char *library_flags(size_t number)
{
    return flags[number];
}

const char *library_source(const char *name, char *path, size_t size)
{
    const char *top = getenv("top_srcdir");
    snprintf(path, size, "%s/tests/emulate/%s", top ? top : ".", name);
    return path;
}

struct library library_build(const char *compiler, const char *flag, const char *source)
{
    struct library library = {0};
    char folder[] = "/tmp/ouro-test-XXXXXX", object[64], include[1024], command[4096];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(object, sizeof object, "%s/library.so", folder);
    int length = snprintf(command, sizeof command, "%s -std=gnu11 -w %s -shared -fPIC -I '%s' -o %s '%s'", compiler, flag,
                          library_source("", include, sizeof include), object, source);
    ck_assert_int_lt(length, (int)sizeof command);
    ck_assert_msg(system(command) == 0, "failed: %s", command);
    library.handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library.handle != NULL, "%s", dlerror());
    library.contents = dlsym(library.handle, "traverse_library");
    ck_assert_ptr_nonnull(library.contents);
    unlink(object);
    rmdir(folder);
    return library;
}

void library_close(struct library *library)
{
    dlclose(library->handle);
}

static unsigned below(uint64_t *state, unsigned limit)
{
    return (unsigned)(random_next(state) % limit);
}

static const char *field(uint64_t *state)
{
    static const char *const fields[] = {"self->a",        "self->b",        "self->c",        "self->d",       "self->a",
                                         "self->array[0]", "self->array[1]", "self->array[2]", "self->array[3]"};
    return fields[below(state, COUNT(fields))];
}

static void write_condition(FILE *out, uint64_t *state)
{
    switch (below(state, 12)) {
    case 0: fprintf(out, "!%s", field(state)); break;
    case 1: fprintf(out, "%s && %s", field(state), field(state)); break;
    case 2: fprintf(out, "%s || %s", field(state), field(state)); break;
    case 3: fprintf(out, "n == %u", below(state, 3)); break;
    case 4: fprintf(out, "self->tag == %u", below(state, 3)); break;
    case 5: fprintf(out, "self->type->flags & %u", 1 + below(state, 3)); break;
    case 6: fprintf(out, "%s == %s", field(state), field(state)); break;
    case 7: fprintf(out, "n & %u", 1 + below(state, 3)); break;
    default: fputs(field(state), out); break;
    }
}

static void write_statements(FILE *out, uint64_t *state, unsigned depth)
{
    for (unsigned i = 0; i < 1 + below(state, 3); i++) {
        unsigned what = below(state, depth ? 16 : 9);
        if (what < 5) {
            fprintf(out, "    VISIT(%s);\n", field(state));
        } else if (what == 5) {
            fputs("    n += (", out);
            write_condition(out, state);
            fputs(") ? 1 : 0;\n", out);
        } else if (what == 6) {
            fputs("    n |= (", out);
            write_condition(out, state);
            fputs(") ? 2 : 0;\n", out);
        } else if (what == 7) {
            fputs("    p = (", out);
            write_condition(out, state);
            fprintf(out, ") ? %s : %s;\n    VISIT(p);\n", field(state), field(state));
        } else if (what == 8) {
            fprintf(out, "    for (int i = 0; i < %u; i++)\n        VISIT(self->array[i]);\n", 1 + below(state, 4));
        } else {
            fputs("    if (", out);
            write_condition(out, state);
            fputs(") {\n", out);
            write_statements(out, state, depth - 1);
            if (below(state, 2)) {
                fputs("    } else {\n", out);
                write_statements(out, state, depth - 1);
            }
            fputs("    }\n", out);
        }
    }
}

void library_write_random(FILE *out, unsigned count, uint64_t *state)
{
    fputs("#include \"traverse.h\"\n"
          "#define VISIT(what) do { if (what) { int r = visit(what, arg); if (r) return r; } } while (0)\n"
          "static unsigned calls;\nstatic struct thing things[THINGS], global, *current = &global;\n",
          out);
    for (unsigned i = 0; i < count; i++) {
        fprintf(out,
                "static int f%u(struct thing *self, visit_function visit, void *arg)\n{\n"
                "    unsigned n = 0;\n    struct thing *p = 0;\n",
                i);
        write_statements(out, state, 2);
        fputs("    (void)p;\n    return 0 * n;\n}\n", out);
    }
    fputs("static const struct traverse functions[] = {\n", out);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "    {\"f%u\", f%u, EITHER},\n", i, i);
    fputs("    {0, 0, EITHER}};\n"
          "static const struct type type = {&global, 0, 2};\n"
          "const struct traverse_library traverse_library = {functions, &type, things, &calls, &current};\n",
          out);
}
