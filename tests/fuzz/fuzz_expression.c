/* Feeds bytes to the parser of expressions, and follows those that are some on a small snapshot. Needs --enable-fuzz
 * (libFuzzer). */
#include <stdlib.h>

#include "analysis/expression.h"
#include "app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tiny tiny;
    static struct app app;
    static struct ouro_heap_model model;
    static bool opened;
    struct ouro_expression expression;
    struct ouro_expression_fault fault = {0};
    if (!opened) {
        app_begin(&tiny, &app);
        tiny_open(&tiny, &model);
        tiny_end(&tiny);
        opened = true;
    }
    if (ouro_expression_parse(&expression, (const char *)data, size, &fault) == OURO_OK) {
        ouro_node node;
        enum ouro_status status = ouro_expression_find(&expression, &model, &node, &fault);
        if ((status == OURO_OK) != (node < model.heap.count) || (status != OURO_OK && !fault.words.size) ||
            fault.at > size)
            abort();
        ouro_expression_fini(&expression);
    } else if (!fault.syntax || fault.at > size || !fault.words.size) {
        abort();
    }
    ouro_expression_fault_fini(&fault);
    return 0;
}
