/* Made by maint/layouts.py from the debug information of CPython 3.9; do not edit. */
#include "cpython/layout.h"

#include "cpython/ops.h"

static const struct ouro_op ops_3_9_PyList_Type[] = {
    {OURO_OP_LIST, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyTuple_Type[] = {
    {OURO_OP_TUPLE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyDict_Type[] = {
    {OURO_OP_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PySet_Type[] = {
    {OURO_OP_SET, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyFrozenSet_Type[] = {
    {OURO_OP_SET, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyODict_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 96, "__dict__", 0},
    {OURO_OP_ODICT_NODES, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyType_Type[] = {
    {OURO_OP_TYPE_OBJECT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyGen_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "gi_frame", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "gi_code", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__qualname__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "exc_type", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "exc_value", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "exc_traceback", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, OURO_OP_IF_COROUTINE, 96, "cr_origin", 0},
};
static const struct ouro_op ops_3_9_PyAsyncGen_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "finalizer", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "gi_frame", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "gi_code", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__qualname__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "exc_type", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "exc_value", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "exc_traceback", 0},
};
static const struct ouro_op ops_3_9_PyFrame_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "f_back", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "f_code", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "f_builtins", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "f_globals", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "f_locals", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "f_trace", 0},
    {OURO_OP_FRAME, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyCFunction_Type[] = {
    {OURO_OP_METHOD_CLASS, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__module__", 0},
};
static const struct ouro_op ops_3_9_PyModule_Type[] = {
    {OURO_OP_MODULE_STATE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 48, "__name__", 0},
};
static const struct ouro_op ops_3_9_collections_deque[] = {
    {OURO_OP_DEQUE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_collections_defaultdict[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "default_factory", 0},
    {OURO_OP_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_functools__lru_cache_wrapper[] = {
    {OURO_OP_LRU_LINKS, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "__wrapped__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "cache", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 112, "cache_info_type", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 120, "__dict__", 0},
};
static const struct ouro_op ops_3_9_itertools__tee_dataobject[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
    {OURO_OP_TEE_VALUES, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "nextlink", 0},
};
static const struct ouro_op ops_3_9_sys_flags_sys_float_info_sys_version_info_time_struct_time_os_stat_result[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, OURO_OP_IF_HEAP, 0, 0, 0},
    {OURO_OP_STRUCTSEQ, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_ast_AST__ast_AST[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
};
static const struct ouro_op ops_3_9__abc__abc_data[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "registry", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "cache", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "negative_cache", 0},
};
static const struct ouro_op ops_3_9_PyCapsule_Type[] = {
    {OURO_OP_CAPSULE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_PyCell_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "cell_contents", 0},
};
static const struct ouro_op ops_3_9_PyFunction_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__code__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__globals__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "__module__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__defaults__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__kwdefaults__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "__doc__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 72, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__closure__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "__annotations__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 104, "__qualname__", 0},
};
static const struct ouro_op ops_3_9_PyMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
};
static const struct ouro_op ops_3_9_PyInstanceMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
};
static const struct ouro_op ops_3_9_PyClassMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 24, "__dict__", 0},
};
static const struct ouro_op ops_3_9_PyStaticMethod_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__func__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 24, "__dict__", 0},
};
static const struct ouro_op ops_3_9_PyProperty_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "fget", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "fset", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "fdel", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__doc__", 0},
};
static const struct ouro_op ops_3_9_PySuper_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__thisclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__self_class__", 0},
};
static const struct ouro_op ops_3_9_PyDictProxy_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_9__PyMethodWrapper_Type_builtins_method_wrapper[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__self__", 0},
};
static const struct ouro_op ops_3_9_PyMethodDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_9_PyClassMethodDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_9_PyGetSetDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_9_PyMemberDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_9_PyWrapperDescr_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__objclass__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "__name__", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "__qualname__", 0},
};
static const struct ouro_op ops_3_9__PyWeakref_RefType[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__callback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_WEAK, 0, 16, "()", 0},
};
static const struct ouro_op ops_3_9_PyTraceBack_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "tb_next", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "tb_frame", 0},
};
static const struct ouro_op ops_3_9_PySlice_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "start", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "stop", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "step", 0},
};
static const struct ouro_op ops_3_9_PyRange_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 16, "start", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "stop", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "step", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 40, "length", 0},
};
static const struct ouro_op ops_3_9_PyLongRangeIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 24, "start", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 32, "step", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 40, "len", 0},
};
static const struct ouro_op ops_3_9_PyMemoryView_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "mbuf", 0},
};
static const struct ouro_op ops_3_9__PyManagedBuffer_Type_builtins_managedbuffer[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "obj", 0},
};
static const struct ouro_op ops_3_9_PySeqIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PyCallIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "callable", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sentinel", 0},
};
static const struct ouro_op ops_3_9_PyListIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PyListRevIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PyTupleIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PyUnicodeIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9__PyUnicodeASCIIIter_Type_builtins_str_ascii_iterator[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PyBytesIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PyByteArrayIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PySetIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "set", 0},
};
static const struct ouro_op ops_3_9_PyDictIterKey_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_9_PyDictIterValue_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_9_PyDictIterItem_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_9_PyDictRevIterKey_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_9_PyDictRevIterValue_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_9_PyDictRevIterItem_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "dict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_9_PyDictKeys_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_9_PyDictValues_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_9_PyDictItems_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_9_PyODictIter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "odict", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "current", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 56, "result", 0},
};
static const struct ouro_op ops_3_9_PyODictKeys_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_9_PyODictValues_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_9_PyODictItems_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "mapping", 0},
};
static const struct ouro_op ops_3_9_PyEnum_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "index", 0},
};
static const struct ouro_op ops_3_9_PyReversed_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "sequence", 0},
};
static const struct ouro_op ops_3_9_PyZip_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterators", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_9_PyMap_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterators", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "function", 0},
};
static const struct ouro_op ops_3_9_PyFilter_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_9_Py_GenericAliasType[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "__origin__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__args__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__parameters__", 0},
};
static const struct ouro_op ops_3_9__PyNamespace_Type_types_SimpleNamespace[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
};
static const struct ouro_op ops_3_9__PyCoroWrapper_Type_builtins_coroutine_wrapper[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "coroutine", 0},
};
static const struct ouro_op ops_3_9__PyAsyncGenASend_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "generator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "value", 0},
};
static const struct ouro_op ops_3_9__PyAsyncGenAThrow_Type_builtins_async_generator_athrow[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "generator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
};
static const struct ouro_op ops_3_9__PyAsyncGenWrappedValue_Type_builtins_async_generator_wrapped_value[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "value", 0},
};
static const struct ouro_op ops_3_9_PyPickleBuffer_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "obj", 0},
};
static const struct ouro_op ops_3_9_PyContext_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "previous", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "vars", 0},
};
static const struct ouro_op ops_3_9_PyContextVar_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "default", 0},
};
static const struct ouro_op ops_3_9_PyContextToken_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "context", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "var", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "old_value", 0},
};
static const struct ouro_op ops_3_9__PyHamt_Type_builtins_hamt[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "root", 0},
};
static const struct ouro_op ops_3_9_PyCode_Type[] = {
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 56, "co_consts", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 64, "co_names", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 72, "co_varnames", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 80, "co_freevars", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 88, "co_cellvars", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 104, "co_filename", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 112, "co_name", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 120, "co_lnotab", 0},
    {OURO_OP_FIELD, OURO_CLASS_HIDDEN, 0, 48, "co_code", 0},
};
static const struct ouro_op ops_3_9_PyExc_BaseException[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_StopIteration[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "value", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_SystemExit[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "code", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_ImportError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "msg", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "name", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "path", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_OSError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "errno", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "strerror", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "filename", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "filename2", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_SyntaxError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "msg", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "filename", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 80, "lineno", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 88, "offset", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "text", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 104, "print_file_and_line", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_UnicodeDecodeError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "encoding", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "object", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "reason", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_UnicodeEncodeError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "encoding", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "object", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "reason", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_PyExc_UnicodeTranslateError[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 64, "encoding", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 72, "object", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 96, "reason", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 16, "__dict__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "__traceback__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "__cause__", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "__context__", 0},
};
static const struct ouro_op ops_3_9_functools_partial[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "func", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "keywords", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, OURO_OP_NAMESPACE, 40, "__dict__", 0},
};
static const struct ouro_op ops_3_9_functools_KeyWrapper[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "cmp", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "obj", 0},
};
static const struct ouro_op ops_3_9_operator_itemgetter[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "items", 0},
};
static const struct ouro_op ops_3_9_operator_attrgetter[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "attrs", 0},
};
static const struct ouro_op ops_3_9_operator_methodcaller[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "args", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "kwargs", 0},
};
static const struct ouro_op ops_3_9_collections__tuplegetter__collections__tuplegetter[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "__doc__", 0},
};
static const struct ouro_op ops_3_9__collections__deque_iterator_collections__deque_iterator[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "deque", 0},
};
static const struct ouro_op ops_3_9__collections__deque_reverse_iterator_collections__deque_reverse_iterator[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "deque", 0},
};
static const struct ouro_op ops_3_9_itertools_chain[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterables", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "active", 0},
};
static const struct ouro_op ops_3_9_itertools_cycle[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "saved", 0},
};
static const struct ouro_op ops_3_9_itertools_count[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "count", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "step", 0},
};
static const struct ouro_op ops_3_9_itertools_islice[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
};
static const struct ouro_op ops_3_9_itertools_starmap[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_9_itertools_takewhile[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_9_itertools_dropwhile[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_9_itertools_filterfalse[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "function", 0},
};
static const struct ouro_op ops_3_9_itertools_groupby[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "keyfunc", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "tgtkey", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "currkey", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "currvalue", 0},
};
static const struct ouro_op ops_3_9_itertools__grouper[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "parent", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "tgtkey", 0},
};
static const struct ouro_op ops_3_9_itertools__tee[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "data", 0},
};
static const struct ouro_op ops_3_9_itertools_product[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pools", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_9_itertools_combinations[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pool", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_9_itertools_combinations_with_replacement[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pool", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "result", 0},
};
static const struct ouro_op ops_3_9_itertools_permutations[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "pool", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
};
static const struct ouro_op ops_3_9_itertools_accumulate[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "function", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "iterator", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "total", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "initial", 0},
};
static const struct ouro_op ops_3_9_itertools_compress[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "data", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "selectors", 0},
};
static const struct ouro_op ops_3_9_itertools_repeat[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 16, "element", 0},
};
static const struct ouro_op ops_3_9_itertools_zip_longest[] = {
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "iterators", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "result", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "fillvalue", 0},
};
static const struct ouro_op ops_3_9__thread_lock[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9__thread_RLock[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_array_array[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
};
static const struct ouro_op ops_3_9_re_Pattern[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "groupindex", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "indexgroup", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 48, "pattern", 0},
};
static const struct ouro_op ops_3_9_re_Match[] = {
    {OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 24, "string", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 32, "regs", 0},
    {OURO_OP_FIELD, OURO_CLASS_TRAVERSED, 0, 40, "pattern", 0},
};
static const struct ouro_simple simple_3_9[] = {
    {"PyList_Type", 40, ops_3_9_PyList_Type, 1},
    {"PyTuple_Type", 32, ops_3_9_PyTuple_Type, 1},
    {"PyDict_Type", 48, ops_3_9_PyDict_Type, 1},
    {"PySet_Type", 200, ops_3_9_PySet_Type, 1},
    {"PyFrozenSet_Type", 200, ops_3_9_PyFrozenSet_Type, 1},
    {"PyODict_Type", 112, ops_3_9_PyODict_Type, 3},
    {"PyType_Type", 0, ops_3_9_PyType_Type, 1},
    {"PyGen_Type", 96, ops_3_9_PyGen_Type, 8},
    {"PyAsyncGen_Type", 120, ops_3_9_PyAsyncGen_Type, 8},
    {"PyFrame_Type", 368, ops_3_9_PyFrame_Type, 7},
    {"PyCFunction_Type", 56, ops_3_9_PyCFunction_Type, 3},
    {"PyModule_Type", 56, ops_3_9_PyModule_Type, 3},
    {"collections.deque", 80, ops_3_9_collections_deque, 1},
    {"collections.defaultdict", 56, ops_3_9_collections_defaultdict, 2},
    {"functools._lru_cache_wrapper", 136, ops_3_9_functools__lru_cache_wrapper, 5},
    {"itertools._tee_dataobject", 496, ops_3_9_itertools__tee_dataobject, 3},
    {"sys.flags|sys.float_info|sys.version_info|time.struct_time|os.stat_result", 0, ops_3_9_sys_flags_sys_float_info_sys_version_info_time_struct_time_os_stat_result, 2},
    {"ast.AST|_ast.AST", 24, ops_3_9_ast_AST__ast_AST, 2},
    {"_abc._abc_data", 48, ops_3_9__abc__abc_data, 4},
    {"PyCapsule_Type", 48, ops_3_9_PyCapsule_Type, 1},
    {"PyCell_Type", 24, ops_3_9_PyCell_Type, 1},
    {"PyFunction_Type", 120, ops_3_9_PyFunction_Type, 11},
    {"PyMethod_Type", 48, ops_3_9_PyMethod_Type, 2},
    {"PyInstanceMethod_Type", 24, ops_3_9_PyInstanceMethod_Type, 1},
    {"PyClassMethod_Type", 32, ops_3_9_PyClassMethod_Type, 2},
    {"PyStaticMethod_Type", 32, ops_3_9_PyStaticMethod_Type, 2},
    {"PyProperty_Type", 56, ops_3_9_PyProperty_Type, 4},
    {"PySuper_Type", 40, ops_3_9_PySuper_Type, 3},
    {"PyDictProxy_Type", 24, ops_3_9_PyDictProxy_Type, 1},
    {"_PyMethodWrapper_Type|builtins.method-wrapper", 32, ops_3_9__PyMethodWrapper_Type_builtins_method_wrapper, 2},
    {"PyMethodDescr_Type", 56, ops_3_9_PyMethodDescr_Type, 3},
    {"PyClassMethodDescr_Type", 56, ops_3_9_PyClassMethodDescr_Type, 3},
    {"PyGetSetDescr_Type", 48, ops_3_9_PyGetSetDescr_Type, 3},
    {"PyMemberDescr_Type", 48, ops_3_9_PyMemberDescr_Type, 3},
    {"PyWrapperDescr_Type", 56, ops_3_9_PyWrapperDescr_Type, 3},
    {"_PyWeakref_RefType", 56, ops_3_9__PyWeakref_RefType, 2},
    {"PyTraceBack_Type", 40, ops_3_9_PyTraceBack_Type, 2},
    {"PySlice_Type", 40, ops_3_9_PySlice_Type, 3},
    {"PyRange_Type", 48, ops_3_9_PyRange_Type, 4},
    {"PyLongRangeIter_Type", 48, ops_3_9_PyLongRangeIter_Type, 3},
    {"PyMemoryView_Type", 152, ops_3_9_PyMemoryView_Type, 1},
    {"_PyManagedBuffer_Type|builtins.managedbuffer", 112, ops_3_9__PyManagedBuffer_Type_builtins_managedbuffer, 1},
    {"PySeqIter_Type", 32, ops_3_9_PySeqIter_Type, 1},
    {"PyCallIter_Type", 32, ops_3_9_PyCallIter_Type, 2},
    {"PyListIter_Type", 32, ops_3_9_PyListIter_Type, 1},
    {"PyListRevIter_Type", 32, ops_3_9_PyListRevIter_Type, 1},
    {"PyTupleIter_Type", 32, ops_3_9_PyTupleIter_Type, 1},
    {"PyUnicodeIter_Type", 32, ops_3_9_PyUnicodeIter_Type, 1},
    {"_PyUnicodeASCIIIter_Type|builtins.str_ascii_iterator", 32, ops_3_9__PyUnicodeASCIIIter_Type_builtins_str_ascii_iterator, 1},
    {"PyBytesIter_Type", 32, ops_3_9_PyBytesIter_Type, 1},
    {"PyByteArrayIter_Type", 32, ops_3_9_PyByteArrayIter_Type, 1},
    {"PySetIter_Type", 48, ops_3_9_PySetIter_Type, 1},
    {"PyDictIterKey_Type", 56, ops_3_9_PyDictIterKey_Type, 2},
    {"PyDictIterValue_Type", 56, ops_3_9_PyDictIterValue_Type, 2},
    {"PyDictIterItem_Type", 56, ops_3_9_PyDictIterItem_Type, 2},
    {"PyDictRevIterKey_Type", 56, ops_3_9_PyDictRevIterKey_Type, 2},
    {"PyDictRevIterValue_Type", 56, ops_3_9_PyDictRevIterValue_Type, 2},
    {"PyDictRevIterItem_Type", 56, ops_3_9_PyDictRevIterItem_Type, 2},
    {"PyDictKeys_Type", 24, ops_3_9_PyDictKeys_Type, 1},
    {"PyDictValues_Type", 24, ops_3_9_PyDictValues_Type, 1},
    {"PyDictItems_Type", 24, ops_3_9_PyDictItems_Type, 1},
    {"PyODictIter_Type", 64, ops_3_9_PyODictIter_Type, 3},
    {"PyODictKeys_Type", 24, ops_3_9_PyODictKeys_Type, 1},
    {"PyODictValues_Type", 24, ops_3_9_PyODictValues_Type, 1},
    {"PyODictItems_Type", 24, ops_3_9_PyODictItems_Type, 1},
    {"PyEnum_Type", 48, ops_3_9_PyEnum_Type, 3},
    {"PyReversed_Type", 32, ops_3_9_PyReversed_Type, 1},
    {"PyZip_Type", 40, ops_3_9_PyZip_Type, 2},
    {"PyMap_Type", 32, ops_3_9_PyMap_Type, 2},
    {"PyFilter_Type", 32, ops_3_9_PyFilter_Type, 2},
    {"Py_GenericAliasType", 48, ops_3_9_Py_GenericAliasType, 3},
    {"_PyNamespace_Type|types.SimpleNamespace", 24, ops_3_9__PyNamespace_Type_types_SimpleNamespace, 1},
    {"_PyCoroWrapper_Type|builtins.coroutine_wrapper", 24, ops_3_9__PyCoroWrapper_Type_builtins_coroutine_wrapper, 1},
    {"_PyAsyncGenASend_Type", 40, ops_3_9__PyAsyncGenASend_Type, 2},
    {"_PyAsyncGenAThrow_Type|builtins.async_generator_athrow", 40, ops_3_9__PyAsyncGenAThrow_Type_builtins_async_generator_athrow, 2},
    {"_PyAsyncGenWrappedValue_Type|builtins.async_generator_wrapped_value", 24, ops_3_9__PyAsyncGenWrappedValue_Type_builtins_async_generator_wrapped_value, 1},
    {"PyPickleBuffer_Type", 104, ops_3_9_PyPickleBuffer_Type, 1},
    {"PyContext_Type", 48, ops_3_9_PyContext_Type, 2},
    {"PyContextVar_Type", 64, ops_3_9_PyContextVar_Type, 2},
    {"PyContextToken_Type", 48, ops_3_9_PyContextToken_Type, 3},
    {"_PyHamt_Type|builtins.hamt", 40, ops_3_9__PyHamt_Type_builtins_hamt, 1},
    {"PyCode_Type", 176, ops_3_9_PyCode_Type, 9},
    {"PyExc_BaseException", 64, ops_3_9_PyExc_BaseException, 5},
    {"PyExc_StopIteration", 72, ops_3_9_PyExc_StopIteration, 6},
    {"PyExc_SystemExit", 72, ops_3_9_PyExc_SystemExit, 6},
    {"PyExc_ImportError", 88, ops_3_9_PyExc_ImportError, 8},
    {"PyExc_OSError", 104, ops_3_9_PyExc_OSError, 9},
    {"PyExc_SyntaxError", 112, ops_3_9_PyExc_SyntaxError, 11},
    {"PyExc_UnicodeDecodeError", 104, ops_3_9_PyExc_UnicodeDecodeError, 8},
    {"PyExc_UnicodeEncodeError", 104, ops_3_9_PyExc_UnicodeEncodeError, 8},
    {"PyExc_UnicodeTranslateError", 104, ops_3_9_PyExc_UnicodeTranslateError, 8},
    {"functools.partial", 64, ops_3_9_functools_partial, 4},
    {"functools.KeyWrapper", 32, ops_3_9_functools_KeyWrapper, 2},
    {"operator.itemgetter", 40, ops_3_9_operator_itemgetter, 1},
    {"operator.attrgetter", 32, ops_3_9_operator_attrgetter, 1},
    {"operator.methodcaller", 40, ops_3_9_operator_methodcaller, 2},
    {"collections._tuplegetter|_collections._tuplegetter", 32, ops_3_9_collections__tuplegetter__collections__tuplegetter, 1},
    {"_collections._deque_iterator|collections._deque_iterator", 56, ops_3_9__collections__deque_iterator_collections__deque_iterator, 1},
    {"_collections._deque_reverse_iterator|collections._deque_reverse_iterator", 56, ops_3_9__collections__deque_reverse_iterator_collections__deque_reverse_iterator, 1},
    {"itertools.chain", 32, ops_3_9_itertools_chain, 2},
    {"itertools.cycle", 48, ops_3_9_itertools_cycle, 2},
    {"itertools.count", 40, ops_3_9_itertools_count, 2},
    {"itertools.islice", 56, ops_3_9_itertools_islice, 1},
    {"itertools.starmap", 32, ops_3_9_itertools_starmap, 2},
    {"itertools.takewhile", 40, ops_3_9_itertools_takewhile, 2},
    {"itertools.dropwhile", 40, ops_3_9_itertools_dropwhile, 2},
    {"itertools.filterfalse", 32, ops_3_9_itertools_filterfalse, 2},
    {"itertools.groupby", 64, ops_3_9_itertools_groupby, 5},
    {"itertools._grouper", 32, ops_3_9_itertools__grouper, 2},
    {"itertools._tee", 40, ops_3_9_itertools__tee, 1},
    {"itertools.product", 48, ops_3_9_itertools_product, 2},
    {"itertools.combinations", 56, ops_3_9_itertools_combinations, 2},
    {"itertools.combinations_with_replacement", 56, ops_3_9_itertools_combinations_with_replacement, 2},
    {"itertools.permutations", 64, ops_3_9_itertools_permutations, 2},
    {"itertools.accumulate", 48, ops_3_9_itertools_accumulate, 4},
    {"itertools.compress", 32, ops_3_9_itertools_compress, 2},
    {"itertools.repeat", 32, ops_3_9_itertools_repeat, 1},
    {"itertools.zip_longest", 56, ops_3_9_itertools_zip_longest, 3},
    {"_thread.lock", 0, ops_3_9__thread_lock, 1},
    {"_thread.RLock", 0, ops_3_9__thread_RLock, 1},
    {"array.array", 0, ops_3_9_array_array, 1},
    {"re.Pattern", 96, ops_3_9_re_Pattern, 4},
    {"re.Match", 88, ops_3_9_re_Match, 4},
};
const struct ouro_layout ouro_layout_3_9 = {
    .minor = 9,
    .simple = simple_3_9,
    .simple_count = sizeof simple_3_9 / sizeof *simple_3_9,
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
    .type_sizeof = 408,
    .tp_methods = 232,
    .tp_getset = 248,
    .tp_getattro = 144,
    .tp_descr_get = 272,
    .tp_descr_set = 280,
    .ht_name = 840,
    .ht_slots = 848,
    .ht_qualname = 856,
    .ht_cached_keys = 864,
    .ht_module = 872,
    .heap_type_sizeof = 880,
    .ascii_length = 16,
    .ascii_state = 32,
    .ascii_sizeof = 48,
    .ascii_wstr = 40,
    .compact_sizeof = 72,
    .compact_utf8 = 56,
    .compact_utf8_length = 48,
    .compact_wstr_length = 64,
    .unicode_data = 72,
    .unicode_sizeof = 80,
    .bytes_sval = 32,
    .bytearray_alloc = 24,
    .bytearray_bytes = -1,
    .float_fval = 16,
    .complex_cval = 16,
    .long_digits = 24,
    .long_tag = -1,
    .long_tag_digits = -1,
    .tuple_items = 24,
    .list_items = 24,
    .list_allocated = 32,
    .dict_used = 16,
    .dict_keys = 32,
    .dict_values = 40,
    .keys_refcnt = 0,
    .keys_log2_size = -1,
    .keys_log2_index_bytes = -1,
    .keys_kind = -1,
    .keys_size = 8,
    .keys_lookup = 16,
    .keys_usable = 24,
    .keys_nentries = 32,
    .keys_indices = 40,
    .values_values = -1,
    .values_capacity = -1,
    .values_embedded = -1,
    .values_valid = -1,
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
    .lru_elem_type = -1,
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
    .code_stacksize = 32,
    .code_firstlineno = 40,
    .code_filename = 104,
    .code_name = 112,
    .code_qualname = 112,
    .code_nlocalsplus = -1,
    .code_localsplusnames = -1,
    .code_linetable = 120,
    .code_adaptive = 176,
    .code_framesize = -1,
    .code_extra = 144,
    .code_flags = 36,
    .code_nlocals = 28,
    .code_varnames = 72,
    .code_cellvars = 88,
    .code_freevars = 80,
    .code_cell2arg = 96,
    .code_code = 48,
    .code_exceptiontable = -1,
    .code_opcache = 160,
    .code_opcache_size = 172,
    .opcache_sizeof = 32,
    .function_code = 16,
    .function_qualname = 104,
    .function_name = 64,
    .iframe_func = -1,
    .iframe_code = 32,
    .iframe_locals = -1,
    .iframe_object = -1,
    .iframe_previous = -1,
    .iframe_instr = -1,
    .iframe_stacktop = -1,
    .iframe_stackpointer = -1,
    .iframe_owner = -1,
    .iframe_is_entry = -1,
    .iframe_localsplus = -1,
    .frame_back = 24,
    .frame_localsplus = 360,
    .frame_valuestack = 64,
    .frame_stacktop = 72,
    .frame_stackdepth = -1,
    .frame_lasti = 104,
    .frame_gen = 96,
    .frame_sizeof = 368,
    .frame_lineno = 108,
    .frame_trace = 80,
    .frame_state = -1,
    .frame_executing = 116,
    .traceback_frame = 24,
    .traceback_lasti = 32,
    .traceback_lineno = 36,
    .code_firsttraceable = -1,
    .lock_semaphore = 16,
    .lock_locked = 32,
    .lock_mutex = -1,
    .rlock_semaphore = 16,
    .rlock_mutex = -1,
    .rlock_owner = 24,
    .rlock_count = 32,
    .rlock_level = -1,
    .gil_sizeof = 208,
    .wait_addr = -1,
    .wait_semaphore = -1,
    .wait_node = -1,
    .handle_handle = -1,
    .handle_exiting = -1,
    .frame_iblock = 112,
    .frame_blockstack = 120,
    .tryblock_sizeof = 12,
    .tryblock_type = 0,
    .tryblock_handler = 4,
    .frame_frame = -1,
    .frame_data = -1,
    .gen_frame_state = -1,
    .gen_iframe = -1,
    .gen_code = 32,
    .gen_frame = 16,
    .gen_exc_value = 72,
    .gen_qualname = 56,
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
    .exceptiongroup_msg = -1,
    .runtime_interpreters = 32,
    .runtime_main = 40,
    .runtime_gil = 352,
    .gil_holder = 8,
    .gil_locked = 16,
    .product_pools = 16,
    .combinations_r = 40,
    .cwr_r = 40,
    .permutations_r = 48,
    .permutations_pool = 16,
    .interp_next = 0,
    .interp_id = 24,
    .interp_modules = 856,
    .interp_modules_by_index = 864,
    .interp_importlib = 888,
    .interp_import_func = 1392,
    .interp_lazy_import_func = -1,
    .interp_lazy_modules = -1,
    .interp_lazy_filter = -1,
    .interp_lazy_pending = -1,
    .interp_sysdict = 872,
    .interp_builtins = 880,
    .interp_codec_search_path = 912,
    .interp_codec_search_cache = 920,
    .interp_codec_error_registry = 928,
    .interp_dict = 1376,
    .interp_builtins_copy = 1384,
    .interp_sysdict_copy = -1,
    .interp_before_forkers = 3456,
    .interp_after_forkers_parent = 3464,
    .interp_after_forkers_child = 3472,
    .interp_warnings_filters = 3504,
    .interp_warnings_once = 3512,
    .interp_warnings_default = 3520,
    .interp_audit_hooks = 3536,
    .interp_errnomap = -1,
    .interp_exception_group = -1,
    .interp_objreduce = -1,
    .interp_slots_pname = -1,
    .interp_str_replace_inf = -1,
    .interp_interned = -1,
    .interp_gc = 616,
    .runtime_gc = -1,
    .interp_threads = 8,
    .interp_gil = -1,
    .interp_static_types = -1,
    .interp_static_extension_types = -1,
    .static_type_sizeof = -1,
    .static_type_type = -1,
    .static_type_dict = -1,
    .static_type_subclasses = -1,
    .interp_pyexitmodule = 3488,
    .interp_atexit_callbacks = -1,
    .interp_atexit_count = -1,
    .atexit_func = 0,
    .thread_next = 8,
    .thread_cframe = -1,
    .thread_frame = 24,
    .cframe_frame = -1,
    .cframe_previous = -1,
    .thread_ident = 176,
    .thread_native = -1,
    .thread_exc_info = 144,
    .thread_exc_state = 120,
    .thread_exc_type = 112,
    .thread_exc_traceback = 128,
    .thread_current_exception = 96,
    .thread_curexc_type = 88,
    .thread_curexc_traceback = 104,
    .thread_dict = 152,
    .thread_context = 240,
    .thread_async_exc = 168,
    .thread_firstiter = 224,
    .thread_finalizer = 232,
    .thread_profileobj = 72,
    .thread_traceobj = 80,
    .thread_local_key = -1,
    .thread_local_sentinel = -1,
    .thread_running_loop = -1,
    .thread_running_task = -1,
    .thread_sizeof = 264,
    .capsule_traverse = -1,
    .exc_item_value = 8,
    .exc_item_previous = 24,
    .gc_generation0 = 96,
    .gc_enabled = 12,
    .gc_debug = 16,
    .gc_generations = 24,
    .gc_permanent = 104,
    .gc_stats = 128,
    .gc_collecting = 200,
    .gc_garbage = 208,
    .gc_callbacks = 216,
    .gc_long_lived_total = 224,
    .gc_long_lived_pending = 232,
    .gc_sizeof = 240,
    .gc_stats_now = -1,
    .gc_generation_sizeof = 24,
    .gc_generation_threshold = 16,
    .gc_generation_count = 20,
    .debug_version = -1,
    .debug_free_threaded = -1,
    .debug_runtime_interpreters = -1,
    .debug_interp_id = -1,
    .debug_interp_next = -1,
    .debug_interp_threads = -1,
    .debug_interp_gc = -1,
    .debug_interp_modules = -1,
    .debug_interp_sysdict = -1,
    .debug_interp_builtins = -1,
    .debug_interp_gil = -1,
    .debug_thread_sizeof = -1,
    .debug_thread_next = -1,
    .debug_thread_frame = -1,
    .debug_thread_ident = -1,
    .debug_thread_native = -1,
    .debug_iframe_previous = -1,
    .debug_iframe_code = -1,
    .debug_iframe_instr = -1,
    .debug_iframe_localsplus = -1,
    .debug_iframe_owner = -1,
    .debug_iframe_stackpointer = -1,
    .debug_code_filename = -1,
    .debug_code_name = -1,
    .debug_code_qualname = -1,
    .debug_code_linetable = -1,
    .debug_code_firstlineno = -1,
    .debug_code_localsplusnames = -1,
    .debug_code_adaptive = -1,
    .debug_ob_type = -1,
    .debug_type_sizeof = -1,
    .debug_tp_name = -1,
    .debug_tp_flags = -1,
    .debug_tuple_items = -1,
    .debug_tuple_size = -1,
    .debug_list_items = -1,
    .debug_set_used = -1,
    .debug_set_table = -1,
    .debug_set_mask = -1,
    .debug_dict_keys = -1,
    .debug_dict_values = -1,
    .debug_float_fval = -1,
    .debug_long_tag = -1,
    .debug_long_tag_digits = -1,
    .debug_bytes_sval = -1,
    .debug_ascii_state = -1,
    .debug_ascii_length = -1,
    .debug_ascii_sizeof = -1,
    .debug_gc_sizeof = -1,
    .debug_gc_collecting = -1,
    .debug_gen_iframe = -1,
    .debug_gen_frame_state = -1,
};
