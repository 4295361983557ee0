/* Prints what a DOT file says as one line of JSON: {"name": .., "graph": {..}, "nodes": {name: {..}}, "edges": [[from, to, {..}]],
 * "clusters": {name: {"label": .., "nodes": [..]}}}. Attributes that are empty are left out.
 *
 * usage: read_picture FILE */
#include <graphviz/cgraph.h>
#include <stdio.h>
#include <string.h>

#include "render/json.h"

static void write_attributes(struct ouro_json *json, Agraph_t *graph, int kind, void *object)
{
    for (Agsym_t *symbol = agnxtattr(graph, kind, NULL); symbol; symbol = agnxtattr(graph, kind, symbol)) {
        const char *value = agxget(object, symbol);
        if (value && *value && strcmp(value, "\\N"))
            ouro_json_text(json, symbol->name, value, strlen(value));
    }
}

static void write_graph(struct ouro_json *json, Agraph_t *graph)
{
    ouro_json_object(json, NULL);
    ouro_json_string(json, "name", agnameof(graph));
    ouro_json_object(json, "graph");
    write_attributes(json, graph, AGRAPH, graph);
    ouro_json_end(json);
    ouro_json_object(json, "nodes");
    for (Agnode_t *node = agfstnode(graph); node; node = agnxtnode(graph, node)) {
        ouro_json_object(json, agnameof(node));
        write_attributes(json, graph, AGNODE, node);
        ouro_json_end(json);
    }
    ouro_json_end(json);
    ouro_json_array(json, "edges");
    for (Agnode_t *node = agfstnode(graph); node; node = agnxtnode(graph, node))
        for (Agedge_t *edge = agfstout(graph, node); edge; edge = agnxtout(graph, edge)) {
            ouro_json_array(json, NULL);
            ouro_json_string(json, NULL, agnameof(agtail(edge)));
            ouro_json_string(json, NULL, agnameof(aghead(edge)));
            ouro_json_object(json, NULL);
            write_attributes(json, graph, AGEDGE, edge);
            ouro_json_end(json);
            ouro_json_end(json);
        }
    ouro_json_end(json);
    ouro_json_object(json, "clusters");
    for (Agraph_t *cluster = agfstsubg(graph); cluster; cluster = agnxtsubg(cluster)) {
        ouro_json_object(json, agnameof(cluster));
        const char *label = agget(cluster, (char *)(uintptr_t) "label");
        ouro_json_string(json, "label", label ? label : "");
        ouro_json_array(json, "nodes");
        for (Agnode_t *node = agfstnode(cluster); node; node = agnxtnode(cluster, node))
            ouro_json_string(json, NULL, agnameof(node));
        ouro_json_end(json);
        ouro_json_end(json);
    }
    ouro_json_end(json);
    ouro_json_end(json);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    Agraph_t *graph = file ? agread(file, NULL) : NULL;
    if (!graph) {
        fprintf(stderr, "usage: read_picture FILE, a file in DOT\n");
        return 2;
    }
    struct ouro_out out;
    struct ouro_json json;
    ouro_out_init(&out, 1);
    ouro_json_init(&json, &out);
    write_graph(&json, graph);
    ouro_out_flush(&out);
    ouro_out_fini(&out);
    agclose(graph);
    fclose(file);
    return 0;
}
