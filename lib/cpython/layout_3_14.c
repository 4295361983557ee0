/* Made by maint/layouts.py from the debug information of CPython 3.14; do not edit. */
#include "cpython/layout.h"

#include "cpython/ops.h"

static const struct ouro_op ops_3_14_PyList_Type[] = {
    {OURO_OP_LIST, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyTuple_Type[] = {
    {OURO_OP_TUPLE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyDict_Type[] = {
    {OURO_OP_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PySet_Type[] = {
    {OURO_OP_SET, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyFrozenSet_Type[] = {
    {OURO_OP_SET, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyODict_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 96, "__dict__", 0},
    {OURO_OP_ODICT_NODES, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyType_Type[] = {
    {OURO_OP_TYPE_OBJECT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyGen_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__qualname__", 0},
    {OURO_OP_GENERATOR, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "exc_value", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, OURO_OP_IF_COROUTINE, 56, "cr_origin", 0},
};
static const struct ouro_op ops_3_14_PyAsyncGen_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "finalizer", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__qualname__", 0},
    {OURO_OP_GENERATOR, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "exc_value", 0},
};
static const struct ouro_op ops_3_14_PyFrame_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "f_back", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "f_trace", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "f_extra_locals", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "f_locals_cache", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "f_overwritten_fast_locals", 0},
    {OURO_OP_FRAME, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyCFunction_Type[] = {
    {OURO_OP_METHOD_CLASS, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__module__", 0},
};
static const struct ouro_op ops_3_14_PyModule_Type[] = {
    {OURO_OP_MODULE_STATE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 48, "__name__", 0},
};
static const struct ouro_op ops_3_14_collections_deque[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_DEQUE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_collections_defaultdict[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "default_factory", 0},
    {OURO_OP_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_functools__lru_cache_wrapper[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_LRU_LINKS, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "cache", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "__wrapped__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 112, "kwd_mark", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 120, "lru_list_elem_type", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 128, "cache_info_type", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 136, "__dict__", 0},
};
static const struct ouro_op ops_3_14_itertools__tee_dataobject[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
    {OURO_OP_TEE_VALUES, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "nextlink", 0},
};
static const struct ouro_op ops_3_14_sys_flags_sys_float_info_sys_version_info_time_struct_time_os_stat_result[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, OURO_OP_IF_HEAP, 0, 0, 0},
    {OURO_OP_STRUCTSEQ, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_ast_AST__ast_AST[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
};
static const struct ouro_op ops_3_14__abc__abc_data[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "registry", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "cache", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "negative_cache", 0},
};
static const struct ouro_op ops_3_14__struct_Struct[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "format", 0},
};
static const struct ouro_op ops_3_14_PyCapsule_Type[] = {
    {OURO_OP_CAPSULE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_PyCell_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "cell_contents", 0},
};
static const struct ouro_op ops_3_14_PyFunction_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__code__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__globals__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__builtins__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 104, "__module__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__defaults__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "__kwdefaults__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "__doc__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 88, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "__closure__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 112, "__annotations__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 120, "__annotate__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 128, "__type_params__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__qualname__", 0},
};
static const struct ouro_op ops_3_14_PyMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
};
static const struct ouro_op ops_3_14_PyInstanceMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
};
static const struct ouro_op ops_3_14_PyClassMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 24, "__dict__", 0},
};
static const struct ouro_op ops_3_14_PyStaticMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 24, "__dict__", 0},
};
static const struct ouro_op ops_3_14_PyProperty_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "fget", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "fset", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "fdel", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__doc__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__name__", 0},
};
static const struct ouro_op ops_3_14_PySuper_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__thisclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__self_class__", 0},
};
static const struct ouro_op ops_3_14_PyDictProxy_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_14__PyMethodWrapper_Type_builtins_method_wrapper[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
};
static const struct ouro_op ops_3_14_PyMethodDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_14_PyClassMethodDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_14_PyGetSetDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_14_PyMemberDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_14_PyWrapperDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_14__PyWeakref_RefType[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__callback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_WEAK, 0, 16, "()", 0},
};
static const struct ouro_op ops_3_14_PyTraceBack_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "tb_next", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "tb_frame", 0},
};
static const struct ouro_op ops_3_14_PySlice_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "start", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "stop", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "step", 0},
};
static const struct ouro_op ops_3_14_PyRange_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 16, "start", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "stop", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "step", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 40, "length", 0},
};
static const struct ouro_op ops_3_14_PyLongRangeIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 16, "start", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "step", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "len", 0},
};
static const struct ouro_op ops_3_14_PyMemoryView_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "mbuf", 0},
};
static const struct ouro_op ops_3_14__PyManagedBuffer_Type_builtins_managedbuffer[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "obj", 0},
};
static const struct ouro_op ops_3_14_PySeqIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PyCallIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "callable", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sentinel", 0},
};
static const struct ouro_op ops_3_14_PyListIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PyListRevIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PyTupleIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PyUnicodeIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14__PyUnicodeASCIIIter_Type_builtins_str_ascii_iterator[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PyBytesIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PyByteArrayIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PySetIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "set", 0},
};
static const struct ouro_op ops_3_14_PyDictIterKey_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_14_PyDictIterValue_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_14_PyDictIterItem_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_14_PyDictRevIterKey_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_14_PyDictRevIterValue_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_14_PyDictRevIterItem_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_14_PyDictKeys_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_14_PyDictValues_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_14_PyDictItems_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_14_PyODictIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "odict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "current", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "result", 0},
};
static const struct ouro_op ops_3_14_PyODictKeys_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_14_PyODictValues_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_14_PyODictItems_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_14_PyEnum_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "index", 0},
};
static const struct ouro_op ops_3_14_PyReversed_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_14_PyZip_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterators", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_14_PyMap_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterators", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "function", 0},
};
static const struct ouro_op ops_3_14_PyFilter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_14_Py_GenericAliasType[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__origin__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__args__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__parameters__", 0},
};
static const struct ouro_op ops_3_14__PyUnion_Type_types_UnionType_typing_Union[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__args__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "hashable_args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "unhashable_args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__parameters__", 0},
};
static const struct ouro_op ops_3_14__PyNamespace_Type_types_SimpleNamespace[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
};
static const struct ouro_op ops_3_14__PyCoroWrapper_Type_builtins_coroutine_wrapper[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "coroutine", 0},
};
static const struct ouro_op ops_3_14__PyAsyncGenASend_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "generator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "value", 0},
};
static const struct ouro_op ops_3_14__PyAsyncGenAThrow_Type_builtins_async_generator_athrow[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "generator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
};
static const struct ouro_op ops_3_14__PyAsyncGenWrappedValue_Type_builtins_async_generator_wrapped_value[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "value", 0},
};
static const struct ouro_op ops_3_14__PyAnextAwaitable_Type_builtins_anext_awaitable[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "wrapped", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "default", 0},
};
static const struct ouro_op ops_3_14_PyPickleBuffer_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "obj", 0},
};
static const struct ouro_op ops_3_14_PyContext_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "previous", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "vars", 0},
};
static const struct ouro_op ops_3_14_PyContextVar_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "default", 0},
};
static const struct ouro_op ops_3_14_PyContextToken_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "context", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "var", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "old_value", 0},
};
static const struct ouro_op ops_3_14__PyHamt_Type_builtins_hamt[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "root", 0},
};
static const struct ouro_op ops_3_14_PyCode_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "co_consts", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "co_names", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 40, "co_exceptiontable", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 96, "co_localsplusnames", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 104, "co_localspluskinds", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 112, "co_filename", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 120, "co_name", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 128, "co_qualname", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 136, "co_linetable", 0},
};
static const struct ouro_op ops_3_14_PyExc_BaseException[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_StopIteration[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "value", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_SystemExit[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "code", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_BaseExceptionGroup[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "message", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "exceptions", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "excs_str", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_ImportError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "msg", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "path", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "name_from", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_OSError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "errno", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "strerror", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "filename", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "filename2", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_NameError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_AttributeError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "obj", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_SyntaxError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "msg", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "filename", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "lineno", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "offset", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 104, "end_lineno", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 112, "end_offset", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 120, "text", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 128, "print_file_and_line", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 136, "metadata", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_UnicodeDecodeError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "encoding", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "object", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 104, "reason", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_UnicodeEncodeError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "encoding", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "object", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 104, "reason", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_PyExc_UnicodeTranslateError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "encoding", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "object", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 104, "reason", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__notes__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__context__", 0},
};
static const struct ouro_op ops_3_14_functools_partial[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "func", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "keywords", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 40, "__dict__", 0},
};
static const struct ouro_op ops_3_14_functools_KeyWrapper[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "cmp", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "obj", 0},
};
static const struct ouro_op ops_3_14_operator_itemgetter[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "items", 0},
};
static const struct ouro_op ops_3_14_operator_attrgetter[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "attrs", 0},
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_operator_methodcaller[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "kwargs", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "vectorcall_args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "vectorcall_kwnames", 0},
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_collections__tuplegetter__collections__tuplegetter[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__doc__", 0},
};
static const struct ouro_op ops_3_14__collections__deque_iterator_collections__deque_iterator[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "deque", 0},
};
static const struct ouro_op ops_3_14__collections__deque_reverse_iterator_collections__deque_reverse_iterator[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "deque", 0},
};
static const struct ouro_op ops_3_14_itertools_chain[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterables", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "active", 0},
};
static const struct ouro_op ops_3_14_itertools_cycle[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "saved", 0},
};
static const struct ouro_op ops_3_14_itertools_count[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "count", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "step", 0},
};
static const struct ouro_op ops_3_14_itertools_islice[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
};
static const struct ouro_op ops_3_14_itertools_starmap[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_14_itertools_takewhile[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_14_itertools_dropwhile[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_14_itertools_filterfalse[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_14_itertools_groupby[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "keyfunc", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "tgtkey", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "currkey", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "currvalue", 0},
};
static const struct ouro_op ops_3_14_itertools__grouper[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "parent", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "tgtkey", 0},
};
static const struct ouro_op ops_3_14_itertools__tee[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "data", 0},
};
static const struct ouro_op ops_3_14_itertools_product[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pools", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_14_itertools_combinations[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pool", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_14_itertools_combinations_with_replacement[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pool", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_14_itertools_permutations[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pool", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_14_itertools_accumulate[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "function", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "total", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "initial", 0},
};
static const struct ouro_op ops_3_14_itertools_compress[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "data", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "selectors", 0},
};
static const struct ouro_op ops_3_14_itertools_repeat[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "element", 0},
};
static const struct ouro_op ops_3_14_itertools_zip_longest[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "iterators", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "fillvalue", 0},
};
static const struct ouro_op ops_3_14_itertools_pairwise[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "old", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_14_itertools_batched[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
};
static const struct ouro_op ops_3_14__thread_lock[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14__thread_RLock[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_array_array[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_re_Pattern[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "groupindex", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "indexgroup", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "pattern", 0},
};
static const struct ouro_op ops_3_14_re_Match[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "string", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "regs", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "pattern", 0},
};
static const struct ouro_op ops_3_14_typing_TypeVar[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "bound", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "evaluate_bound", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "constraints", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "evaluate_constraints", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "default", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "evaluate_default", 0},
    {OURO_OP_MANAGED_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_typing_ParamSpec[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "bound", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "default", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "evaluate_default", 0},
    {OURO_OP_MANAGED_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_typing_TypeVarTuple[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "default", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "evaluate_default", 0},
    {OURO_OP_MANAGED_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_14_typing_TypeAliasType[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__type_params__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "compute_value", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "value", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__module__", 0},
};
static const struct ouro_simple simple_3_14[] = {
    {"PyList_Type", 40, ops_3_14_PyList_Type, 1},
    {"PyTuple_Type", 40, ops_3_14_PyTuple_Type, 1},
    {"PyDict_Type", 48, ops_3_14_PyDict_Type, 1},
    {"PySet_Type", 200, ops_3_14_PySet_Type, 1},
    {"PyFrozenSet_Type", 200, ops_3_14_PyFrozenSet_Type, 1},
    {"PyODict_Type", 112, ops_3_14_PyODict_Type, 3},
    {"PyType_Type", 0, ops_3_14_PyType_Type, 1},
    {"PyGen_Type", 160, ops_3_14_PyGen_Type, 5},
    {"PyAsyncGen_Type", 160, ops_3_14_PyAsyncGen_Type, 5},
    {"PyFrame_Type", 80, ops_3_14_PyFrame_Type, 6},
    {"PyCFunction_Type", 56, ops_3_14_PyCFunction_Type, 3},
    {"PyModule_Type", 56, ops_3_14_PyModule_Type, 3},
    {"collections.deque", 216, ops_3_14_collections_deque, 2},
    {"collections.defaultdict", 56, ops_3_14_collections_defaultdict, 3},
    {"functools._lru_cache_wrapper", 152, ops_3_14_functools__lru_cache_wrapper, 8},
    {"itertools._tee_dataobject", 496, ops_3_14_itertools__tee_dataobject, 4},
    {"sys.flags|sys.float_info|sys.version_info|time.struct_time|os.stat_result", 0, ops_3_14_sys_flags_sys_float_info_sys_version_info_time_struct_time_os_stat_result, 2},
    {"ast.AST|_ast.AST", 24, ops_3_14_ast_AST__ast_AST, 2},
    {"_abc._abc_data", 48, ops_3_14__abc__abc_data, 4},
    {"_struct.Struct", 56, ops_3_14__struct_Struct, 2},
    {"PyCapsule_Type", 64, ops_3_14_PyCapsule_Type, 1},
    {"PyCell_Type", 24, ops_3_14_PyCell_Type, 1},
    {"PyFunction_Type", 152, ops_3_14_PyFunction_Type, 14},
    {"PyMethod_Type", 48, ops_3_14_PyMethod_Type, 2},
    {"PyInstanceMethod_Type", 24, ops_3_14_PyInstanceMethod_Type, 1},
    {"PyClassMethod_Type", 32, ops_3_14_PyClassMethod_Type, 2},
    {"PyStaticMethod_Type", 32, ops_3_14_PyStaticMethod_Type, 2},
    {"PyProperty_Type", 64, ops_3_14_PyProperty_Type, 5},
    {"PySuper_Type", 40, ops_3_14_PySuper_Type, 3},
    {"PyDictProxy_Type", 24, ops_3_14_PyDictProxy_Type, 1},
    {"_PyMethodWrapper_Type|builtins.method-wrapper", 32, ops_3_14__PyMethodWrapper_Type_builtins_method_wrapper, 2},
    {"PyMethodDescr_Type", 56, ops_3_14_PyMethodDescr_Type, 3},
    {"PyClassMethodDescr_Type", 56, ops_3_14_PyClassMethodDescr_Type, 3},
    {"PyGetSetDescr_Type", 48, ops_3_14_PyGetSetDescr_Type, 3},
    {"PyMemberDescr_Type", 48, ops_3_14_PyMemberDescr_Type, 3},
    {"PyWrapperDescr_Type", 56, ops_3_14_PyWrapperDescr_Type, 3},
    {"_PyWeakref_RefType", 64, ops_3_14__PyWeakref_RefType, 2},
    {"PyTraceBack_Type", 40, ops_3_14_PyTraceBack_Type, 2},
    {"PySlice_Type", 40, ops_3_14_PySlice_Type, 3},
    {"PyRange_Type", 48, ops_3_14_PyRange_Type, 4},
    {"PyLongRangeIter_Type", 40, ops_3_14_PyLongRangeIter_Type, 3},
    {"PyMemoryView_Type", 152, ops_3_14_PyMemoryView_Type, 1},
    {"_PyManagedBuffer_Type|builtins.managedbuffer", 112, ops_3_14__PyManagedBuffer_Type_builtins_managedbuffer, 1},
    {"PySeqIter_Type", 32, ops_3_14_PySeqIter_Type, 1},
    {"PyCallIter_Type", 32, ops_3_14_PyCallIter_Type, 2},
    {"PyListIter_Type", 32, ops_3_14_PyListIter_Type, 1},
    {"PyListRevIter_Type", 32, ops_3_14_PyListRevIter_Type, 1},
    {"PyTupleIter_Type", 32, ops_3_14_PyTupleIter_Type, 1},
    {"PyUnicodeIter_Type", 32, ops_3_14_PyUnicodeIter_Type, 1},
    {"_PyUnicodeASCIIIter_Type|builtins.str_ascii_iterator", 32, ops_3_14__PyUnicodeASCIIIter_Type_builtins_str_ascii_iterator, 1},
    {"PyBytesIter_Type", 32, ops_3_14_PyBytesIter_Type, 1},
    {"PyByteArrayIter_Type", 32, ops_3_14_PyByteArrayIter_Type, 1},
    {"PySetIter_Type", 48, ops_3_14_PySetIter_Type, 1},
    {"PyDictIterKey_Type", 56, ops_3_14_PyDictIterKey_Type, 2},
    {"PyDictIterValue_Type", 56, ops_3_14_PyDictIterValue_Type, 2},
    {"PyDictIterItem_Type", 56, ops_3_14_PyDictIterItem_Type, 2},
    {"PyDictRevIterKey_Type", 56, ops_3_14_PyDictRevIterKey_Type, 2},
    {"PyDictRevIterValue_Type", 56, ops_3_14_PyDictRevIterValue_Type, 2},
    {"PyDictRevIterItem_Type", 56, ops_3_14_PyDictRevIterItem_Type, 2},
    {"PyDictKeys_Type", 24, ops_3_14_PyDictKeys_Type, 1},
    {"PyDictValues_Type", 24, ops_3_14_PyDictValues_Type, 1},
    {"PyDictItems_Type", 24, ops_3_14_PyDictItems_Type, 1},
    {"PyODictIter_Type", 64, ops_3_14_PyODictIter_Type, 3},
    {"PyODictKeys_Type", 24, ops_3_14_PyODictKeys_Type, 1},
    {"PyODictValues_Type", 24, ops_3_14_PyODictValues_Type, 1},
    {"PyODictItems_Type", 24, ops_3_14_PyODictItems_Type, 1},
    {"PyEnum_Type", 56, ops_3_14_PyEnum_Type, 3},
    {"PyReversed_Type", 32, ops_3_14_PyReversed_Type, 1},
    {"PyZip_Type", 48, ops_3_14_PyZip_Type, 2},
    {"PyMap_Type", 40, ops_3_14_PyMap_Type, 2},
    {"PyFilter_Type", 32, ops_3_14_PyFilter_Type, 2},
    {"Py_GenericAliasType", 64, ops_3_14_Py_GenericAliasType, 3},
    {"_PyUnion_Type|types.UnionType|typing.Union", 56, ops_3_14__PyUnion_Type_types_UnionType_typing_Union, 4},
    {"_PyNamespace_Type|types.SimpleNamespace", 24, ops_3_14__PyNamespace_Type_types_SimpleNamespace, 1},
    {"_PyCoroWrapper_Type|builtins.coroutine_wrapper", 24, ops_3_14__PyCoroWrapper_Type_builtins_coroutine_wrapper, 1},
    {"_PyAsyncGenASend_Type", 40, ops_3_14__PyAsyncGenASend_Type, 2},
    {"_PyAsyncGenAThrow_Type|builtins.async_generator_athrow", 40, ops_3_14__PyAsyncGenAThrow_Type_builtins_async_generator_athrow, 2},
    {"_PyAsyncGenWrappedValue_Type|builtins.async_generator_wrapped_value", 24, ops_3_14__PyAsyncGenWrappedValue_Type_builtins_async_generator_wrapped_value, 1},
    {"_PyAnextAwaitable_Type|builtins.anext_awaitable", 32, ops_3_14__PyAnextAwaitable_Type_builtins_anext_awaitable, 2},
    {"PyPickleBuffer_Type", 104, ops_3_14_PyPickleBuffer_Type, 1},
    {"PyContext_Type", 48, ops_3_14_PyContext_Type, 2},
    {"PyContextVar_Type", 64, ops_3_14_PyContextVar_Type, 2},
    {"PyContextToken_Type", 48, ops_3_14_PyContextToken_Type, 3},
    {"_PyHamt_Type|builtins.hamt", 40, ops_3_14__PyHamt_Type_builtins_hamt, 1},
    {"PyCode_Type", 216, ops_3_14_PyCode_Type, 9},
    {"PyExc_BaseException", 72, ops_3_14_PyExc_BaseException, 6},
    {"PyExc_StopIteration", 80, ops_3_14_PyExc_StopIteration, 7},
    {"PyExc_SystemExit", 80, ops_3_14_PyExc_SystemExit, 7},
    {"PyExc_BaseExceptionGroup", 96, ops_3_14_PyExc_BaseExceptionGroup, 9},
    {"PyExc_ImportError", 104, ops_3_14_PyExc_ImportError, 10},
    {"PyExc_OSError", 112, ops_3_14_PyExc_OSError, 10},
    {"PyExc_NameError", 80, ops_3_14_PyExc_NameError, 7},
    {"PyExc_AttributeError", 88, ops_3_14_PyExc_AttributeError, 8},
    {"PyExc_SyntaxError", 144, ops_3_14_PyExc_SyntaxError, 15},
    {"PyExc_UnicodeDecodeError", 112, ops_3_14_PyExc_UnicodeDecodeError, 9},
    {"PyExc_UnicodeEncodeError", 112, ops_3_14_PyExc_UnicodeEncodeError, 9},
    {"PyExc_UnicodeTranslateError", 112, ops_3_14_PyExc_UnicodeTranslateError, 9},
    {"functools.partial", 80, ops_3_14_functools_partial, 5},
    {"functools.KeyWrapper", 32, ops_3_14_functools_KeyWrapper, 3},
    {"operator.itemgetter", 48, ops_3_14_operator_itemgetter, 2},
    {"operator.attrgetter", 40, ops_3_14_operator_attrgetter, 2},
    {"operator.methodcaller", 64, ops_3_14_operator_methodcaller, 6},
    {"collections._tuplegetter|_collections._tuplegetter", 32, ops_3_14_collections__tuplegetter__collections__tuplegetter, 2},
    {"_collections._deque_iterator|collections._deque_iterator", 56, ops_3_14__collections__deque_iterator_collections__deque_iterator, 2},
    {"_collections._deque_reverse_iterator|collections._deque_reverse_iterator", 56, ops_3_14__collections__deque_reverse_iterator_collections__deque_reverse_iterator, 2},
    {"itertools.chain", 32, ops_3_14_itertools_chain, 3},
    {"itertools.cycle", 40, ops_3_14_itertools_cycle, 3},
    {"itertools.count", 40, ops_3_14_itertools_count, 3},
    {"itertools.islice", 56, ops_3_14_itertools_islice, 2},
    {"itertools.starmap", 32, ops_3_14_itertools_starmap, 3},
    {"itertools.takewhile", 40, ops_3_14_itertools_takewhile, 3},
    {"itertools.dropwhile", 40, ops_3_14_itertools_dropwhile, 3},
    {"itertools.filterfalse", 32, ops_3_14_itertools_filterfalse, 3},
    {"itertools.groupby", 72, ops_3_14_itertools_groupby, 6},
    {"itertools._grouper", 32, ops_3_14_itertools__grouper, 3},
    {"itertools._tee", 48, ops_3_14_itertools__tee, 2},
    {"itertools.product", 48, ops_3_14_itertools_product, 3},
    {"itertools.combinations", 56, ops_3_14_itertools_combinations, 3},
    {"itertools.combinations_with_replacement", 56, ops_3_14_itertools_combinations_with_replacement, 3},
    {"itertools.permutations", 64, ops_3_14_itertools_permutations, 3},
    {"itertools.accumulate", 56, ops_3_14_itertools_accumulate, 5},
    {"itertools.compress", 32, ops_3_14_itertools_compress, 3},
    {"itertools.repeat", 32, ops_3_14_itertools_repeat, 2},
    {"itertools.zip_longest", 56, ops_3_14_itertools_zip_longest, 4},
    {"itertools.pairwise", 40, ops_3_14_itertools_pairwise, 4},
    {"itertools.batched", 40, ops_3_14_itertools_batched, 2},
    {"_thread.lock", 0, ops_3_14__thread_lock, 1},
    {"_thread.RLock", 0, ops_3_14__thread_RLock, 1},
    {"array.array", 0, ops_3_14_array_array, 1},
    {"re.Pattern", 96, ops_3_14_re_Pattern, 4},
    {"re.Match", 88, ops_3_14_re_Match, 4},
    {"typing.TypeVar", 80, ops_3_14_typing_TypeVar, 9},
    {"typing.ParamSpec", 56, ops_3_14_typing_ParamSpec, 6},
    {"typing.TypeVarTuple", 40, ops_3_14_typing_TypeVarTuple, 5},
    {"typing.TypeAliasType", 56, ops_3_14_typing_TypeAliasType, 5},
};
const struct ouro_layout ouro_layout_3_14 = {
    .minor = 14,
    .simple = simple_3_14,
    .simple_count = sizeof simple_3_14 / sizeof *simple_3_14,
    .ob_refcnt = 0,
    .ob_type = 8,
    .ob_size = 16,
    .tp_name = 24,
    .tp_basicsize = 32,
    .tp_itemsize = 40,
    .tp_flags = 168,
    .tp_traverse = 184,
    .tp_members = 240,
    .tp_base = 256,
    .tp_dict = 264,
    .tp_dictoffset = 288,
    .tp_weaklistoffset = 208,
    .tp_bases = 336,
    .tp_mro = 344,
    .tp_cache = 352,
    .tp_subclasses = 360,
    .tp_del = 376,
    .tp_finalize = 392,
    .tp_is_gc = 328,
    .type_sizeof = 416,
    .tp_methods = 232,
    .tp_getset = 248,
    .tp_getattro = 144,
    .tp_descr_get = 272,
    .tp_descr_set = 280,
    .ht_name = 856,
    .ht_slots = 864,
    .ht_qualname = 872,
    .ht_cached_keys = 880,
    .ht_module = 888,
    .heap_type_sizeof = 936,
    .ascii_length = 16,
    .ascii_state = 32,
    .ascii_sizeof = 40,
    .ascii_wstr = -1,
    .compact_sizeof = 56,
    .compact_utf8 = 48,
    .compact_utf8_length = 40,
    .compact_wstr_length = -1,
    .unicode_data = 56,
    .unicode_sizeof = 64,
    .bytes_sval = 32,
    .bytearray_alloc = 24,
    .bytearray_bytes = -1,
    .float_fval = 16,
    .complex_cval = 16,
    .long_digits = -1,
    .long_tag = 16,
    .long_tag_digits = 24,
    .tuple_items = 32,
    .list_items = 24,
    .list_allocated = 32,
    .dict_used = 16,
    .dict_keys = 32,
    .dict_values = 40,
    .keys_refcnt = 0,
    .keys_log2_size = 8,
    .keys_log2_index_bytes = 9,
    .keys_kind = 10,
    .keys_size = -1,
    .keys_lookup = -1,
    .keys_usable = 16,
    .keys_nentries = 24,
    .keys_indices = 32,
    .values_values = 8,
    .values_capacity = 0,
    .values_embedded = 2,
    .values_valid = 3,
    .set_mask = 32,
    .set_table = 40,
    .set_smalltable = 64,
    .setentry_sizeof = 16,
    .set_used = 24,
    .deque_leftblock = 24,
    .deque_rightblock = 32,
    .deque_leftindex = 40,
    .deque_rightindex = 48,
    .block_data = 8,
    .block_rightlink = 520,
    .block_sizeof = 528,
    .odict_first = 48,
    .odict_fast_nodes_size = 72,
    .odict_inst_dict = 96,
    .odict_node_key = 0,
    .odict_node_next = 16,
    .odict_node_sizeof = 32,
    .lru_root_next = 24,
    .lru_root = 0,
    .lru_elem_type = 120,
    .lru_link_next = 24,
    .lru_link_key = 40,
    .lru_link_result = 48,
    .cfunction_ml = 16,
    .cmethod_class = 56,
    .methoddef_flags = 16,
    .methoddef_name = 0,
    .methoddef_meth = 8,
    .descr_method = 40,
    .descr_type = 16,
    .getset_name = 0,
    .getset_get = 8,
    .getset_closure = 32,
    .getset_sizeof = 40,
    .code_stacksize = 64,
    .code_firstlineno = 68,
    .code_filename = 112,
    .code_name = 120,
    .code_qualname = 128,
    .code_nlocalsplus = 72,
    .code_localsplusnames = 96,
    .code_linetable = 136,
    .code_adaptive = 208,
    .code_framesize = 76,
    .code_extra = 200,
    .code_flags = 48,
    .code_nlocals = 80,
    .code_varnames = -1,
    .code_cellvars = -1,
    .code_freevars = -1,
    .code_cell2arg = -1,
    .code_code = -1,
    .code_exceptiontable = 40,
    .code_opcache = -1,
    .code_opcache_size = -1,
    .opcache_sizeof = -1,
    .function_code = 48,
    .function_qualname = 40,
    .function_name = 32,
    .iframe_func = 16,
    .iframe_code = 0,
    .iframe_locals = 40,
    .iframe_object = 48,
    .iframe_previous = 8,
    .iframe_instr = 56,
    .iframe_stacktop = -1,
    .iframe_stackpointer = 64,
    .iframe_owner = 74,
    .iframe_is_entry = -1,
    .iframe_localsplus = 80,
    .frame_back = 16,
    .frame_localsplus = -1,
    .frame_valuestack = -1,
    .frame_stacktop = -1,
    .frame_stackdepth = -1,
    .frame_lasti = -1,
    .frame_gen = -1,
    .frame_sizeof = 80,
    .frame_lineno = 40,
    .frame_trace = 32,
    .frame_state = -1,
    .frame_executing = -1,
    .traceback_frame = 24,
    .traceback_lasti = 32,
    .traceback_lineno = 36,
    .code_firsttraceable = 192,
    .lock_semaphore = -1,
    .lock_locked = -1,
    .lock_mutex = 16,
    .rlock_semaphore = -1,
    .rlock_mutex = 16,
    .rlock_owner = 24,
    .rlock_count = -1,
    .rlock_level = 32,
    .gil_sizeof = 208,
    .wait_addr = 8,
    .wait_semaphore = 16,
    .wait_node = 48,
    .handle_handle = 16,
    .handle_exiting = 57,
    .frame_iblock = -1,
    .frame_blockstack = -1,
    .tryblock_sizeof = -1,
    .tryblock_type = -1,
    .tryblock_handler = -1,
    .frame_frame = 24,
    .frame_data = 72,
    .gen_frame_state = 67,
    .gen_iframe = 72,
    .gen_code = -1,
    .gen_frame = -1,
    .gen_exc_value = 40,
    .gen_qualname = 32,
    .module_dict = 16,
    .module_def = 24,
    .module_state = 32,
    .module_name = 48,
    .module_state_traverse = -1,
    .module_state_size = -1,
    .moduledef_traverse = 80,
    .moduledef_size = 56,
    .weakref_object = 16,
    .weakref_next = 48,
    .memberdef_name = 0,
    .memberdef_type = 8,
    .memberdef_offset = 16,
    .memberdef_flags = 24,
    .memberdef_sizeof = 40,
    .tee_numread = 24,
    .tee_values = 40,
    .tee_nextlink = 32,
    .exceptiongroup_msg = 72,
    .runtime_interpreters = 808,
    .runtime_main = 816,
    .runtime_gil = -1,
    .gil_holder = 8,
    .gil_locked = 16,
    .product_pools = 16,
    .combinations_r = 40,
    .cwr_r = 40,
    .permutations_r = 48,
    .permutations_pool = 16,
    .interp_next = 7272,
    .interp_id = 7280,
    .interp_modules = 7688,
    .interp_modules_by_index = 7696,
    .interp_importlib = 7704,
    .interp_import_func = 7728,
    .interp_lazy_import_func = -1,
    .interp_lazy_modules = -1,
    .interp_lazy_filter = -1,
    .interp_lazy_pending = -1,
    .interp_sysdict = 7672,
    .interp_builtins = 7680,
    .interp_codec_search_path = 8000,
    .interp_codec_search_cache = 8008,
    .interp_codec_error_registry = 8016,
    .interp_dict = 8496,
    .interp_builtins_copy = 8512,
    .interp_sysdict_copy = 8504,
    .interp_before_forkers = 10696,
    .interp_after_forkers_parent = 10704,
    .interp_after_forkers_child = 10712,
    .interp_warnings_filters = 10720,
    .interp_warnings_once = 10728,
    .interp_warnings_default = 10736,
    .interp_audit_hooks = 10912,
    .interp_errnomap = 79888,
    .interp_exception_group = 79912,
    .interp_objreduce = 224632,
    .interp_slots_pname = 224640,
    .interp_str_replace_inf = -1,
    .interp_interned = 224624,
    .interp_gc = 7408,
    .runtime_gc = -1,
    .interp_threads = 7344,
    .interp_gil = 16,
    .interp_static_types = 180240,
    .interp_static_extension_types = 189856,
    .static_type_sizeof = 48,
    .static_type_type = 0,
    .static_type_dict = 24,
    .static_type_subclasses = 32,
    .interp_pyexitmodule = -1,
    .interp_atexit_callbacks = 10792,
    .interp_atexit_count = -1,
    .atexit_func = 0,
    .thread_next = 8,
    .thread_cframe = -1,
    .thread_frame = 72,
    .cframe_frame = -1,
    .cframe_previous = -1,
    .thread_ident = 152,
    .thread_native = 160,
    .thread_exc_info = 120,
    .thread_exc_state = 256,
    .thread_exc_type = -1,
    .thread_exc_traceback = -1,
    .thread_current_exception = 112,
    .thread_curexc_type = -1,
    .thread_curexc_traceback = -1,
    .thread_dict = 128,
    .thread_context = 208,
    .thread_async_exc = 144,
    .thread_firstiter = 192,
    .thread_finalizer = 200,
    .thread_profileobj = 96,
    .thread_traceobj = 104,
    .thread_local_key = 288,
    .thread_local_sentinel = 296,
    .thread_running_loop = 864,
    .thread_running_task = 872,
    .thread_sizeof = 832,
    .capsule_traverse = 48,
    .exc_item_value = 0,
    .exc_item_previous = 8,
    .gc_generation0 = 256,
    .gc_enabled = 12,
    .gc_debug = 16,
    .gc_generations = 24,
    .gc_permanent = 96,
    .gc_stats = 120,
    .gc_collecting = 192,
    .gc_garbage = 200,
    .gc_callbacks = 208,
    .gc_long_lived_total = 240,
    .gc_long_lived_pending = 248,
    .gc_sizeof = 264,
    .gc_stats_now = -1,
    .gc_generation_sizeof = 24,
    .gc_generation_threshold = 16,
    .gc_generation_count = 20,
    .debug_version = 8,
    .debug_free_threaded = 16,
    .debug_runtime_interpreters = 40,
    .debug_interp_id = 56,
    .debug_interp_next = 64,
    .debug_interp_threads = 72,
    .debug_interp_gc = 88,
    .debug_interp_modules = 96,
    .debug_interp_sysdict = 104,
    .debug_interp_builtins = 112,
    .debug_interp_gil = 120,
    .debug_thread_sizeof = 176,
    .debug_thread_next = 192,
    .debug_thread_frame = 208,
    .debug_thread_ident = 216,
    .debug_thread_native = 224,
    .debug_iframe_previous = 256,
    .debug_iframe_code = 264,
    .debug_iframe_instr = 272,
    .debug_iframe_localsplus = 280,
    .debug_iframe_owner = 288,
    .debug_iframe_stackpointer = 296,
    .debug_code_filename = 320,
    .debug_code_name = 328,
    .debug_code_qualname = 336,
    .debug_code_linetable = 344,
    .debug_code_firstlineno = 352,
    .debug_code_localsplusnames = 368,
    .debug_code_adaptive = 384,
    .debug_ob_type = 408,
    .debug_type_sizeof = 416,
    .debug_tp_name = 424,
    .debug_tp_flags = 440,
    .debug_tuple_items = 456,
    .debug_tuple_size = 464,
    .debug_list_items = 480,
    .debug_set_used = 504,
    .debug_set_table = 512,
    .debug_set_mask = 520,
    .debug_dict_keys = 536,
    .debug_dict_values = 544,
    .debug_float_fval = 560,
    .debug_long_tag = 576,
    .debug_long_tag_digits = 584,
    .debug_bytes_sval = 608,
    .debug_ascii_state = 624,
    .debug_ascii_length = 632,
    .debug_ascii_sizeof = 640,
    .debug_gc_sizeof = 648,
    .debug_gc_collecting = 656,
    .debug_gen_iframe = 680,
    .debug_gen_frame_state = 688,
};
