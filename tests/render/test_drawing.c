/* Drawings, read back by libcgraph: what went in comes out, whatever bytes it has. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_GVC
#include <graphviz/gvc.h>
#else
#include <graphviz/cgraph.h>
#endif

#include "render/drawing.h"

static struct ouro_drawing *drawing;
static struct ouro_err err;

static void begin(void)
{
    ck_assert_int_eq(ouro_drawing_new(&drawing, "Test", &err), OURO_OK);
}

static Agraph_t *read_back(void)
{
    struct ouro_buf bytes = {0};
    ck_assert_int_eq(ouro_drawing_write(drawing, OURO_DRAWING_DOT, &bytes, &err), OURO_OK);
    Agraph_t *graph = agmemread(ouro_buf_text(&bytes));
    ck_assert_msg(graph != NULL, "not DOT:\n%s", ouro_buf_text(&bytes));
    ouro_buf_fini(&bytes);
    ouro_drawing_free(drawing);
    return graph;
}

static char *name_of(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

START_TEST(nodes_edges_attributes_and_clusters_come_back)
{
    begin();
    ouro_drawing_set(drawing, "rankdir", "LR");
    ouro_drawing_begin_cluster(drawing, "c", "a title", 7);
    struct ouro_drawing_node *a = ouro_drawing_node(drawing, "a"), *b = ouro_drawing_node(drawing, "b");
    struct ouro_drawing_edge *inner = ouro_drawing_edge(drawing, a, b);
    ouro_drawing_end_cluster(drawing);
    ouro_drawing_text_node(drawing, a, "label", "one\ntwo", 7);
    ouro_drawing_set_node(drawing, b, "shape", "doublecircle");
    ouro_drawing_text_edge(drawing, inner, "label", ".next", 5);
    ouro_drawing_edge(drawing, b, ouro_drawing_node(drawing, "d"));
    ck_assert_uint_eq(ouro_drawing_node_count(drawing), 3);
    ck_assert_uint_eq(ouro_drawing_edge_count(drawing), 2);
    Agraph_t *graph = read_back();
    Agnode_t *node = agnode(graph, name_of("a"), 0), *other = agnode(graph, name_of("b"), 0);
    ck_assert_int_eq(agnnodes(graph), 3);
    ck_assert_int_eq(agnedges(graph), 2);
    ck_assert_str_eq(agget(graph, name_of("rankdir")), "LR");
    ck_assert_str_eq(agget(node, name_of("label")), "one\\ntwo");
    ck_assert_str_eq(agget(node, name_of("shape")), "box");
    ck_assert_str_eq(agget(other, name_of("shape")), "doublecircle");
    ck_assert_str_eq(agget(agedge(graph, node, other, NULL, 0), name_of("label")), ".next");
    Agraph_t *cluster = agsubg(graph, name_of("cluster_c"), 0);
    ck_assert_ptr_nonnull(cluster);
    ck_assert_int_eq(agnnodes(cluster), 2);
    ck_assert_str_eq(agget(cluster, name_of("label")), "a title");
    agclose(graph);
}
END_TEST

static const struct {
    const char *text;
    size_t size;
    const char *label; /* as DOT means it: graphviz shows it as one line, with its own escapes */
} hostile[] = {
    {"a \"quoted\" one", 14, "a \"quoted\" one"},
    {"ends in \\", 9, "ends in \\\\"},
    {"\\N \\G \\l", 8, "\\\\N \\\\G \\\\l"},
    {"<b>bold</b>", 11, "<b>bold</b>"},
    {"<>", 2, "<>"},
    {"&lt;&#60;&amp;", 14, "&amp;lt;&amp;#60;&amp;amp;"},
    {"a & b; c", 8, "a & b; c"},
    {"nul\0nul", 7, "nul\\\\x00nul"},
    {"\xe2\x80\xae evil", 8, "\\\\u202e evil"},
    {"\xff\xfe", 2, "\\\\xff\\\\xfe"},
    {"\x1b[2J", 4, "\\\\x1b[2J"},
    {"tab\there", 8, "tab\\\\there"},
    {"two\nlines", 9, "two\\nlines"},
    {"\xc3\x97 \xf0\x9f\x90\x8d", 7, "\xc3\x97 \xf0\x9f\x90\x8d"},
    {"]; evil [label=x", 16, "]; evil [label=x"},
    {"/* // # -->", 11, "/* // # -->"},
};

START_TEST(hostile_texts_come_back_escaped)
{
    begin();
    struct ouro_drawing_node *node = ouro_drawing_node(drawing, "n");
    struct ouro_drawing_edge *edge = ouro_drawing_edge(drawing, node, node);
    ouro_drawing_begin_cluster(drawing, "c", hostile[_i].text, hostile[_i].size);
    ouro_drawing_end_cluster(drawing);
    ouro_drawing_text(drawing, "label", hostile[_i].text, hostile[_i].size);
    ouro_drawing_text_node(drawing, node, "label", hostile[_i].text, hostile[_i].size);
    ouro_drawing_text_node(drawing, node, "tooltip", hostile[_i].text, hostile[_i].size);
    ouro_drawing_text_edge(drawing, edge, "label", hostile[_i].text, hostile[_i].size);
    Agraph_t *graph = read_back();
    Agnode_t *read = agnode(graph, name_of("n"), 0);
    ck_assert_int_eq(agnnodes(graph), 1);
    ck_assert_str_eq(agget(read, name_of("label")), hostile[_i].label);
    ck_assert_str_eq(agget(read, name_of("tooltip")), hostile[_i].label);
    ck_assert_str_eq(agget(agfstout(graph, read), name_of("label")), hostile[_i].label);
    ck_assert_str_eq(agget(graph, name_of("label")), hostile[_i].label);
    /* A text between < and > must be no HTML label. */
    ck_assert(!aghtmlstr(agget(read, name_of("label"))));
    agclose(graph);
}
END_TEST

START_TEST(a_node_without_text_does_not_show_its_name)
{
    begin();
    ouro_drawing_text_node(drawing, ouro_drawing_node(drawing, "n"), "label", "", 0);
    Agraph_t *graph = read_back();
    ck_assert_str_eq(agget(agnode(graph, name_of("n"), 0), name_of("label")), " ");
    agclose(graph);
}
END_TEST

START_TEST(a_megabyte_of_text_is_cut)
{
    size_t size = 1 << 20;
    char *text = malloc(size);
    memset(text, 'x', size);
    begin();
    ouro_drawing_text_node(drawing, ouro_drawing_node(drawing, "n"), "label", text, size);
    Agraph_t *graph = read_back();
    const char *label = agget(agnode(graph, name_of("n"), 0), name_of("label"));
    ck_assert_uint_eq(strlen(label), OURO_DRAWING_LINE_MAX + 3);
    ck_assert_str_eq(label + OURO_DRAWING_LINE_MAX, "...");
    agclose(graph);
    free(text);
}
END_TEST

/* In a process of its own, as drawing.h asks for. */
static enum ouro_status write_apart(enum ouro_drawing_format format, struct ouro_buf *bytes)
{
    FILE *file = tmpfile();
    pid_t child = fork();
    ck_assert(file && child >= 0);
    if (!child) {
        int status = (int)ouro_drawing_write(drawing, format, bytes, &err);
        bool written = fwrite(bytes->data, 1, bytes->size, file) == bytes->size && !fflush(file);
        _exit(written ? status : 99);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    rewind(file);
    for (int byte; (byte = getc(file)) != EOF;)
        ouro_buf_add_byte(bytes, (unsigned char)byte);
    fclose(file);
    return (enum ouro_status)WEXITSTATUS(status);
}

static void write_one(enum ouro_drawing_format format, struct ouro_buf *bytes)
{
    char name[8] = "a";
    begin();
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        name[0] = (char)('a' + i);
        struct ouro_drawing_node *node = ouro_drawing_node(drawing, name);
        ouro_drawing_text_node(drawing, node, "label", hostile[i].text, hostile[i].size);
        ouro_drawing_text_edge(drawing, ouro_drawing_edge(drawing, node, ouro_drawing_node(drawing, "a")), "label",
                               hostile[i].text, hostile[i].size);
    }
    enum ouro_status status =
        format == OURO_DRAWING_DOT ? ouro_drawing_write(drawing, format, bytes, &err) : write_apart(format, bytes);
#ifndef HAVE_GVC
    if (format != OURO_DRAWING_DOT) {
        ck_assert_int_eq(status, OURO_UNSUPPORTED);
        status = OURO_OK;
    }
#endif
    ck_assert_msg(status == OURO_OK, "%s", err.msg);
    ouro_drawing_free(drawing);
}

START_TEST(the_same_drawing_gives_the_same_bytes)
{
    struct ouro_buf first = {0}, second = {0};
    write_one((enum ouro_drawing_format)_i, &first);
    for (time_t begun = time(NULL); _i == OURO_DRAWING_PDF && time(NULL) == begun;) /* dates are of seconds */
        continue;
    write_one((enum ouro_drawing_format)_i, &second);
    ck_assert_uint_eq(first.size, second.size);
#ifdef HAVE_GVC
    ck_assert_uint_gt(first.size, 100);
#endif
    ck_assert(!first.size || !memcmp(first.data, second.data, first.size));
    ouro_buf_fini(&first);
    ouro_buf_fini(&second);
}
END_TEST

START_TEST(formats_are_known_by_name_and_extension)
{
    enum ouro_drawing_format format;
    ck_assert(ouro_drawing_format_parse("svg", &format) && format == OURO_DRAWING_SVG);
    ck_assert(ouro_drawing_format_of_path("/tmp/a.b/c.PNG", &format) && format == OURO_DRAWING_PNG);
    ck_assert(ouro_drawing_format_of_path("x.pdf", &format) && format == OURO_DRAWING_PDF);
    ck_assert(ouro_drawing_format_of_path("x.dot", &format) && format == OURO_DRAWING_DOT);
    ck_assert(!ouro_drawing_format_of_path("a.svg/none", &format));
    ck_assert(!ouro_drawing_format_of_path("none", &format));
    ck_assert(!ouro_drawing_format_of_path("x.jpeg", &format));
    ck_assert(!ouro_drawing_format_of_path("", &format));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drawing");
    TCase *tests = tcase_create("drawing");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nodes_edges_attributes_and_clusters_come_back);
    tcase_add_loop_test(tests, hostile_texts_come_back_escaped, 0, (int)(sizeof hostile / sizeof *hostile));
    tcase_add_test(tests, a_node_without_text_does_not_show_its_name);
    tcase_add_test(tests, a_megabyte_of_text_is_cut);
    tcase_add_loop_test(tests, the_same_drawing_gives_the_same_bytes, 0, OURO_DRAWING_FORMAT_COUNT);
    tcase_add_test(tests, formats_are_known_by_name_and_extension);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
