#!/usr/bin/env python3
"""Writes lib/cpython/layout_3_*.c: CPython's struct layouts and its simple visitors, one table a version.

usage: maint/layouts.py VERSION=FILE ...      e.g. 3.11=/usr/lib/debug/libpython3.11.so 3.13=libpython3.13.so.1.0

VERSION followed by d is a debug build (--with-pydebug): only what differs from the release's table, which must be there, is written.
FILE is an interpreter or libpython with debug information (DWARF); gdb reads it. Offsets are never written by hand: this
program holds names only. A field that a version does not have becomes -1. The names of what tp_traverse visits are from
the C source of each version; the tests compare them with the interpreter itself.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

# name in C: (struct, field path); the size of a struct is "sizeof".
FIELDS = """
ob_refcnt PyObject.ob_refcnt            ob_type PyObject.ob_type              ob_size PyVarObject.ob_size
tp_name PyTypeObject.tp_name            tp_basicsize PyTypeObject.tp_basicsize tp_itemsize PyTypeObject.tp_itemsize
tp_flags PyTypeObject.tp_flags          tp_traverse PyTypeObject.tp_traverse  tp_members PyTypeObject.tp_members
tp_base PyTypeObject.tp_base            tp_dict PyTypeObject.tp_dict          tp_dictoffset PyTypeObject.tp_dictoffset
tp_weaklistoffset PyTypeObject.tp_weaklistoffset tp_bases PyTypeObject.tp_bases tp_mro PyTypeObject.tp_mro
tp_cache PyTypeObject.tp_cache          tp_subclasses PyTypeObject.tp_subclasses tp_del PyTypeObject.tp_del
tp_finalize PyTypeObject.tp_finalize    tp_is_gc PyTypeObject.tp_is_gc        type_sizeof PyTypeObject.sizeof
tp_methods PyTypeObject.tp_methods      tp_getset PyTypeObject.tp_getset      tp_getattro PyTypeObject.tp_getattro
tp_descr_get PyTypeObject.tp_descr_get  tp_descr_set PyTypeObject.tp_descr_set
ht_name PyHeapTypeObject.ht_name        ht_slots PyHeapTypeObject.ht_slots    ht_qualname PyHeapTypeObject.ht_qualname
ht_cached_keys PyHeapTypeObject.ht_cached_keys ht_module PyHeapTypeObject.ht_module heap_type_sizeof PyHeapTypeObject.sizeof
ascii_length PyASCIIObject.length       ascii_state PyASCIIObject.state       ascii_sizeof PyASCIIObject.sizeof
ascii_wstr PyASCIIObject.wstr           compact_sizeof PyCompactUnicodeObject.sizeof
compact_utf8 PyCompactUnicodeObject.utf8 compact_utf8_length PyCompactUnicodeObject.utf8_length
compact_wstr_length PyCompactUnicodeObject.wstr_length
unicode_data PyUnicodeObject.data       unicode_sizeof PyUnicodeObject.sizeof
bytes_sval PyBytesObject.ob_sval        bytearray_alloc PyByteArrayObject.ob_alloc
bytearray_bytes PyByteArrayObject.ob_bytes_object
float_fval PyFloatObject.ob_fval        complex_cval PyComplexObject.cval
long_digits PyLongObject.ob_digit       long_tag PyLongObject.long_value.lv_tag long_tag_digits PyLongObject.long_value.ob_digit
tuple_items PyTupleObject.ob_item       list_items PyListObject.ob_item       list_allocated PyListObject.allocated
dict_used PyDictObject.ma_used
dict_keys PyDictObject.ma_keys          dict_values PyDictObject.ma_values
keys_refcnt PyDictKeysObject.dk_refcnt  keys_log2_size PyDictKeysObject.dk_log2_size
keys_log2_index_bytes PyDictKeysObject.dk_log2_index_bytes keys_kind PyDictKeysObject.dk_kind
keys_size PyDictKeysObject.dk_size       keys_lookup PyDictKeysObject.dk_lookup
keys_usable PyDictKeysObject.dk_usable  keys_nentries PyDictKeysObject.dk_nentries keys_indices PyDictKeysObject.dk_indices
values_values PyDictValues.values       values_capacity PyDictValues.capacity values_embedded PyDictValues.embedded
values_valid PyDictValues.valid
set_mask PySetObject.mask               set_table PySetObject.table           set_smalltable PySetObject.smalltable
setentry_sizeof setentry.sizeof         set_used PySetObject.used
deque_leftblock dequeobject.leftblock   deque_rightblock dequeobject.rightblock deque_leftindex dequeobject.leftindex
deque_rightindex dequeobject.rightindex block_data block.data                 block_rightlink block.rightlink
block_sizeof block.sizeof
odict_first PyODictObject.od_first      odict_fast_nodes_size PyODictObject.od_fast_nodes_size
odict_inst_dict PyODictObject.od_inst_dict odict_node_key _ODictNode.key      odict_node_next _ODictNode.next
odict_node_sizeof _ODictNode.sizeof
lru_root_next lru_cache_object.root.next lru_root lru_cache_object.root
lru_elem_type lru_cache_object.lru_list_elem_type lru_link_next lru_list_elem.next        lru_link_key lru_list_elem.key        lru_link_result lru_list_elem.result
cfunction_ml PyCFunctionObject.m_ml     cmethod_class PyCMethodObject.mm_class methoddef_flags PyMethodDef.ml_flags
methoddef_name PyMethodDef.ml_name      methoddef_meth PyMethodDef.ml_meth    descr_method PyMethodDescrObject.d_method
descr_type PyMethodDescrObject.d_common.d_type getset_name PyGetSetDef.name   getset_get PyGetSetDef.get
getset_closure PyGetSetDef.closure      getset_sizeof PyGetSetDef.sizeof
code_stacksize PyCodeObject.co_stacksize code_firstlineno PyCodeObject.co_firstlineno code_filename PyCodeObject.co_filename
code_name PyCodeObject.co_name          code_qualname PyCodeObject.co_qualname|PyCodeObject.co_name code_nlocalsplus PyCodeObject.co_nlocalsplus
code_localsplusnames PyCodeObject.co_localsplusnames code_linetable PyCodeObject.co_linetable|PyCodeObject.co_lnotab
code_adaptive PyCodeObject.co_code_adaptive|PyCodeObject.sizeof code_framesize PyCodeObject.co_framesize code_extra PyCodeObject.co_extra
code_flags PyCodeObject.co_flags         code_nlocals PyCodeObject.co_nlocals   code_varnames PyCodeObject.co_varnames
code_cellvars PyCodeObject.co_cellvars   code_freevars PyCodeObject.co_freevars code_cell2arg PyCodeObject.co_cell2arg
code_code PyCodeObject.co_code           code_exceptiontable PyCodeObject.co_exceptiontable
code_opcache PyCodeObject.co_opcache   code_opcache_size PyCodeObject.co_opcache_size
opcache_sizeof _PyOpcache.sizeof
function_code PyFunctionObject.func_code function_qualname PyFunctionObject.func_qualname
function_name PyFunctionObject.func_name
iframe_func _PyInterpreterFrame.f_func|_PyInterpreterFrame.f_funcobj iframe_code _PyInterpreterFrame.f_code|_PyInterpreterFrame.f_executable|PyFrameObject.f_code
iframe_locals _PyInterpreterFrame.f_locals iframe_object _PyInterpreterFrame.frame_obj
iframe_previous _PyInterpreterFrame.previous iframe_instr _PyInterpreterFrame.prev_instr|_PyInterpreterFrame.instr_ptr
iframe_stacktop _PyInterpreterFrame.stacktop iframe_stackpointer _PyInterpreterFrame.stackpointer
iframe_owner _PyInterpreterFrame.owner iframe_is_entry _PyInterpreterFrame.is_entry iframe_localsplus _PyInterpreterFrame.localsplus
frame_back PyFrameObject.f_back          frame_localsplus PyFrameObject.f_localsplus frame_valuestack PyFrameObject.f_valuestack
frame_stacktop PyFrameObject.f_stacktop  frame_stackdepth PyFrameObject.f_stackdepth frame_lasti PyFrameObject.f_lasti
frame_gen PyFrameObject.f_gen            frame_sizeof PyFrameObject.sizeof     frame_lineno PyFrameObject.f_lineno
frame_trace PyFrameObject.f_trace        frame_state PyFrameObject.f_state     frame_executing PyFrameObject.f_executing
traceback_frame PyTracebackObject.tb_frame traceback_lasti PyTracebackObject.tb_lasti traceback_lineno PyTracebackObject.tb_lineno
code_firsttraceable PyCodeObject._co_firsttraceable
lock_semaphore lockobject.lock_lock      lock_locked lockobject.locked         lock_mutex lockobject.lock
rlock_semaphore rlockobject.rlock_lock   rlock_mutex rlockobject.lock          rlock_owner rlockobject.rlock_owner|rlockobject.lock.thread
rlock_count rlockobject.rlock_count      rlock_level rlockobject.lock.level    gil_sizeof _gil_runtime_state.sizeof
wait_addr wait_entry.addr                wait_semaphore wait_entry.sema        wait_node wait_entry.node
handle_handle PyThreadHandleObject.handle handle_exiting ThreadHandle.thread_is_exiting
frame_iblock PyFrameObject.f_iblock     frame_blockstack PyFrameObject.f_blockstack tryblock_sizeof PyTryBlock.sizeof
tryblock_type PyTryBlock.b_type          tryblock_handler PyTryBlock.b_handler
frame_frame PyFrameObject.f_frame       frame_data PyFrameObject._f_frame_data
gen_frame_state PyGenObject.gi_frame_state gen_iframe PyGenObject.gi_iframe gen_code PyGenObject.gi_code
gen_frame PyGenObject.gi_frame
gen_exc_value PyGenObject.gi_exc_state.exc_value gen_qualname PyGenObject.gi_qualname
module_dict PyModuleObject.md_dict      module_def PyModuleObject.md_def      module_state PyModuleObject.md_state
module_name PyModuleObject.md_name      module_state_traverse PyModuleObject.md_state_traverse module_state_size PyModuleObject.md_state_size
     moduledef_traverse PyModuleDef.m_traverse moduledef_size PyModuleDef.m_size
weakref_object PyWeakReference.wr_object weakref_next PyWeakReference.wr_next
memberdef_name PyMemberDef.name         memberdef_type PyMemberDef.type       memberdef_offset PyMemberDef.offset
memberdef_flags PyMemberDef.flags       memberdef_sizeof PyMemberDef.sizeof
tee_numread teedataobject.numread       tee_values teedataobject.values       tee_nextlink teedataobject.nextlink
exceptiongroup_msg PyBaseExceptionGroupObject.msg
runtime_interpreters _PyRuntimeState.interpreters.head runtime_main _PyRuntimeState.interpreters.main
runtime_gil _PyRuntimeState.ceval.gil|-  gil_holder _gil_runtime_state.last_holder gil_locked _gil_runtime_state.locked
product_pools productobject.pools combinations_r combinationsobject.r cwr_r cwrobject.r permutations_r permutationsobject.r
permutations_pool permutationsobject.pool
interp_next PyInterpreterState.next     interp_id PyInterpreterState.id
interp_modules PyInterpreterState.modules|PyInterpreterState.imports.modules
interp_modules_by_index PyInterpreterState.modules_by_index|PyInterpreterState.imports.modules_by_index
interp_importlib PyInterpreterState.importlib|PyInterpreterState.imports.importlib
interp_import_func PyInterpreterState.import_func|PyInterpreterState.imports.import_func
interp_lazy_import_func PyInterpreterState.imports.lazy_import_func interp_lazy_modules PyInterpreterState.imports.lazy_modules
interp_lazy_filter PyInterpreterState.imports.lazy_imports_filter
interp_lazy_pending PyInterpreterState.imports.lazy_pending_submodules
interp_sysdict PyInterpreterState.sysdict interp_builtins PyInterpreterState.builtins
interp_codec_search_path PyInterpreterState.codec_search_path|PyInterpreterState.codecs.search_path
interp_codec_search_cache PyInterpreterState.codec_search_cache|PyInterpreterState.codecs.search_cache
interp_codec_error_registry PyInterpreterState.codec_error_registry|PyInterpreterState.codecs.error_registry
interp_dict PyInterpreterState.dict     interp_builtins_copy PyInterpreterState.builtins_copy
interp_sysdict_copy PyInterpreterState.sysdict_copy
interp_before_forkers PyInterpreterState.before_forkers interp_after_forkers_parent PyInterpreterState.after_forkers_parent
interp_after_forkers_child PyInterpreterState.after_forkers_child
interp_warnings_filters PyInterpreterState.warnings.filters interp_warnings_once PyInterpreterState.warnings.once_registry
interp_warnings_default PyInterpreterState.warnings.default_action interp_audit_hooks PyInterpreterState.audit_hooks
interp_errnomap PyInterpreterState.exc_state.errnomap interp_exception_group PyInterpreterState.exc_state.PyExc_ExceptionGroup
interp_objreduce PyInterpreterState.cached_objects.objreduce interp_slots_pname PyInterpreterState.cached_objects.type_slots_pname
interp_str_replace_inf PyInterpreterState.cached_objects.str_replace_inf interp_interned PyInterpreterState.cached_objects.interned_strings
interp_gc PyInterpreterState.gc         runtime_gc _PyRuntimeState.gc|-
interp_threads PyInterpreterState.threads.head|PyInterpreterState.tstate_head
interp_gil PyInterpreterState.ceval.gil|- interp_static_types PyInterpreterState.types.builtins.initialized|PyInterpreterState.types.builtins
interp_static_extension_types PyInterpreterState.types.for_extensions.initialized
static_type_sizeof managed_static_type_state.sizeof|static_builtin_state.sizeof
static_type_type managed_static_type_state.type|static_builtin_state.type
static_type_dict managed_static_type_state.tp_dict|static_builtin_state.tp_dict
static_type_subclasses managed_static_type_state.tp_subclasses|static_builtin_state.tp_subclasses
interp_pyexitmodule PyInterpreterState.pyexitmodule interp_atexit_callbacks PyInterpreterState.atexit.callbacks interp_atexit_count PyInterpreterState.atexit.ncallbacks
atexit_func atexit_callback.func|atexit_py_callback.func
thread_next PyThreadState.next          thread_cframe PyThreadState.cframe    thread_frame PyThreadState.current_frame|PyThreadState.frame
cframe_frame _PyCFrame.current_frame    cframe_previous _PyCFrame.previous    thread_ident PyThreadState.thread_id  thread_native PyThreadState.native_thread_id
thread_exc_info PyThreadState.exc_info  thread_exc_state PyThreadState.exc_state.exc_value
thread_exc_type PyThreadState.exc_state.exc_type thread_exc_traceback PyThreadState.exc_state.exc_traceback
thread_current_exception PyThreadState.current_exception|PyThreadState.curexc_value
thread_curexc_type PyThreadState.curexc_type thread_curexc_traceback PyThreadState.curexc_traceback
thread_dict PyThreadState.dict          thread_context PyThreadState.context  thread_async_exc PyThreadState.async_exc
thread_firstiter PyThreadState.async_gen_firstiter thread_finalizer PyThreadState.async_gen_finalizer
thread_profileobj PyThreadState.c_profileobj thread_traceobj PyThreadState.c_traceobj
thread_local_key PyThreadState.threading_local_key thread_local_sentinel PyThreadState.threading_local_sentinel
thread_running_loop _PyThreadStateImpl.asyncio_running_loop thread_running_task _PyThreadStateImpl.asyncio_running_task
thread_sizeof PyThreadState.sizeof
capsule_traverse PyCapsule.traverse_func
exc_item_value _PyErr_StackItem.exc_value exc_item_previous _PyErr_StackItem.previous_item
gc_generation0 _gc_runtime_state.generation0 gc_enabled _gc_runtime_state.enabled    gc_debug _gc_runtime_state.debug      gc_generations _gc_runtime_state.generations
gc_permanent _gc_runtime_state.permanent_generation gc_stats _gc_runtime_state.generation_stats
gc_collecting _gc_runtime_state.collecting gc_garbage _gc_runtime_state.garbage gc_callbacks _gc_runtime_state.callbacks
gc_long_lived_total _gc_runtime_state.long_lived_total gc_long_lived_pending _gc_runtime_state.long_lived_pending
gc_sizeof _gc_runtime_state.sizeof gc_stats_now gc_stats.young
gc_generation_sizeof gc_generation.sizeof gc_generation_threshold gc_generation.threshold gc_generation_count gc_generation.count
debug_version _Py_DebugOffsets.version
debug_free_threaded _Py_DebugOffsets.free_threaded
debug_runtime_interpreters _Py_DebugOffsets.runtime_state.interpreters_head
debug_interp_id _Py_DebugOffsets.interpreter_state.id
debug_interp_next _Py_DebugOffsets.interpreter_state.next
debug_interp_threads _Py_DebugOffsets.interpreter_state.threads_head
debug_interp_gc _Py_DebugOffsets.interpreter_state.gc
debug_interp_modules _Py_DebugOffsets.interpreter_state.imports_modules
debug_interp_sysdict _Py_DebugOffsets.interpreter_state.sysdict
debug_interp_builtins _Py_DebugOffsets.interpreter_state.builtins
debug_interp_gil _Py_DebugOffsets.interpreter_state.ceval_gil
debug_thread_sizeof _Py_DebugOffsets.thread_state.size
debug_thread_next _Py_DebugOffsets.thread_state.next
debug_thread_frame _Py_DebugOffsets.thread_state.current_frame
debug_thread_ident _Py_DebugOffsets.thread_state.thread_id
debug_thread_native _Py_DebugOffsets.thread_state.native_thread_id
debug_iframe_previous _Py_DebugOffsets.interpreter_frame.previous
debug_iframe_code _Py_DebugOffsets.interpreter_frame.executable
debug_iframe_instr _Py_DebugOffsets.interpreter_frame.instr_ptr
debug_iframe_localsplus _Py_DebugOffsets.interpreter_frame.localsplus
debug_iframe_owner _Py_DebugOffsets.interpreter_frame.owner
debug_iframe_stackpointer _Py_DebugOffsets.interpreter_frame.stackpointer
debug_code_filename _Py_DebugOffsets.code_object.filename
debug_code_name _Py_DebugOffsets.code_object.name
debug_code_qualname _Py_DebugOffsets.code_object.qualname
debug_code_linetable _Py_DebugOffsets.code_object.linetable
debug_code_firstlineno _Py_DebugOffsets.code_object.firstlineno
debug_code_localsplusnames _Py_DebugOffsets.code_object.localsplusnames
debug_code_adaptive _Py_DebugOffsets.code_object.co_code_adaptive
debug_ob_type _Py_DebugOffsets.pyobject.ob_type
debug_type_sizeof _Py_DebugOffsets.type_object.size
debug_tp_name _Py_DebugOffsets.type_object.tp_name
debug_tp_flags _Py_DebugOffsets.type_object.tp_flags
debug_tuple_items _Py_DebugOffsets.tuple_object.ob_item
debug_tuple_size _Py_DebugOffsets.tuple_object.ob_size
debug_list_items _Py_DebugOffsets.list_object.ob_item
debug_set_used _Py_DebugOffsets.set_object.used
debug_set_table _Py_DebugOffsets.set_object.table
debug_set_mask _Py_DebugOffsets.set_object.mask
debug_dict_keys _Py_DebugOffsets.dict_object.ma_keys
debug_dict_values _Py_DebugOffsets.dict_object.ma_values
debug_float_fval _Py_DebugOffsets.float_object.ob_fval
debug_long_tag _Py_DebugOffsets.long_object.lv_tag
debug_long_tag_digits _Py_DebugOffsets.long_object.ob_digit
debug_bytes_sval _Py_DebugOffsets.bytes_object.ob_sval
debug_ascii_state _Py_DebugOffsets.unicode_object.state
debug_ascii_length _Py_DebugOffsets.unicode_object.length
debug_ascii_sizeof _Py_DebugOffsets.unicode_object.asciiobject_size
debug_gc_sizeof _Py_DebugOffsets.gc.size
debug_gc_collecting _Py_DebugOffsets.gc.collecting
debug_gen_iframe _Py_DebugOffsets.gen_object.gi_iframe
debug_gen_frame_state _Py_DebugOffsets.gen_object.gi_frame_state
"""

# What the tp_traverse of a type visits when that is a fixed list of fields, in its order. First word: the exported type
# object, or module.name of a type that is found in the heap, or several with | between. Second: its struct (- where no field is needed). Then the fields: LABEL=MEMBER,
# T for the type, h:LABEL=MEMBER for what is owned but not visited, c: the same of coroutines only, w: for what is not owned, n: in front of a field that
# holds a __dict__. A suffix @3.12+, @-3.11 or @3.11-3.12 limits a field to versions; STRUCT::MEMBER
# is a member of another struct.
# T?: the type if it is a heap type; M: the managed dict; +NAME: what that entry visits; !OP: an operation of visit.c.
SIMPLE = """
PyList_Type PyListObject !LIST
PyTuple_Type PyTupleObject !TUPLE
PyDict_Type PyDictObject !DICT
PySet_Type PySetObject !SET
PyFrozenSet_Type PySetObject !SET
PyODict_Type PyODictObject n:__dict__=od_inst_dict !ODICT_NODES !DICT
PyType_Type - !TYPE_OBJECT
PyGen_Type PyGenObject gi_frame=gi_frame@-3.10 gi_code=gi_code@-3.11 __name__=gi_name __qualname__=gi_qualname \
 !GENERATOR@3.11+ exc_type=gi_exc_state.exc_type@-3.10 exc_value=gi_exc_state.exc_value \
 exc_traceback=gi_exc_state.exc_traceback@-3.10 c:cr_origin=gi_origin_or_finalizer@3.11+ c:cr_origin=PyCoroObject::cr_origin@-3.10
PyAsyncGen_Type PyAsyncGenObject finalizer=ag_origin_or_finalizer@3.11+ finalizer=ag_finalizer@-3.10 gi_frame=ag_frame@-3.10 \
 gi_code=ag_code@-3.11 __name__=ag_name __qualname__=ag_qualname !GENERATOR@3.11+ exc_type=ag_exc_state.exc_type@-3.10 \
 exc_value=ag_exc_state.exc_value exc_traceback=ag_exc_state.exc_traceback@-3.10
PyFrame_Type PyFrameObject f_back=f_back f_code=f_code@-3.10 f_builtins=f_builtins@-3.10 f_globals=f_globals@-3.10 \
 f_locals=f_locals@-3.10 f_trace=f_trace f_extra_locals=f_extra_locals@3.13+ \
 f_locals_cache=f_locals_cache@3.13+ f_overwritten_fast_locals=f_overwritten_fast_locals@3.14+ !FRAME
PyCFunction_Type PyCFunctionObject !METHOD_CLASS __self__=m_self __module__=m_module
PyModule_Type PyModuleObject !MODULE_STATE n:__dict__=md_dict h:__name__=md_name
collections.deque dequeobject T@3.12+ !DEQUE
collections.defaultdict defdictobject T@3.12+ default_factory=default_factory !DICT
functools._lru_cache_wrapper lru_cache_object T@3.10+ !LRU_LINKS __wrapped__=func@-3.9 cache=cache __wrapped__=func@3.10+ \
 kwd_mark=kwd_mark@3.10+ lru_list_elem_type=lru_list_elem_type@3.10+ cache_info_type=cache_info_type n:__dict__=dict
itertools._tee_dataobject teedataobject T@3.12+ iterator=it !TEE_VALUES nextlink=nextlink
sys.flags|sys.float_info|sys.version_info|time.struct_time|os.stat_result - T?@3.9+ !STRUCTSEQ
ast.AST|_ast.AST AST_object T@3.9+ n:__dict__=dict
_abc._abc_data _abc_data T registry=_abc_registry cache=_abc_cache negative_cache=_abc_negative_cache
_struct.Struct PyStructObject T@3.10+ format=s_format@3.10+
PyCapsule_Type PyCapsule !CAPSULE
PyCell_Type PyCellObject cell_contents=ob_ref
PyFunction_Type PyFunctionObject __code__=func_code __globals__=func_globals __builtins__=func_builtins@3.10+ \
 __module__=func_module __defaults__=func_defaults __kwdefaults__=func_kwdefaults __doc__=func_doc __name__=func_name \
 n:__dict__=func_dict __closure__=func_closure __annotations__=func_annotations __annotate__=func_annotate@3.14+ __type_params__=func_typeparams@3.12+ \
 __qualname__=func_qualname
PyMethod_Type PyMethodObject __func__=im_func __self__=im_self
PyInstanceMethod_Type PyInstanceMethodObject __func__=func
PyClassMethod_Type classmethod __func__=cm_callable n:__dict__=cm_dict
PyStaticMethod_Type staticmethod __func__=sm_callable n:__dict__=sm_dict
PyProperty_Type propertyobject fget=prop_get fset=prop_set fdel=prop_del __doc__=prop_doc __name__=prop_name@3.10+
PySuper_Type superobject __self__=obj __thisclass__=type __self_class__=obj_type
PyDictProxy_Type mappingproxyobject mapping=mapping
_PyMethodWrapper_Type|builtins.method-wrapper wrapperobject __objclass__=descr __self__=self
PyMethodDescr_Type PyMethodDescrObject __objclass__=d_common.d_type h:__name__=d_common.d_name h:__qualname__=d_common.d_qualname
PyClassMethodDescr_Type PyMethodDescrObject __objclass__=d_common.d_type h:__name__=d_common.d_name h:__qualname__=d_common.d_qualname
PyGetSetDescr_Type PyGetSetDescrObject __objclass__=d_common.d_type h:__name__=d_common.d_name h:__qualname__=d_common.d_qualname
PyMemberDescr_Type PyMemberDescrObject __objclass__=d_common.d_type h:__name__=d_common.d_name h:__qualname__=d_common.d_qualname
PyWrapperDescr_Type PyWrapperDescrObject __objclass__=d_common.d_type h:__name__=d_common.d_name h:__qualname__=d_common.d_qualname
_PyWeakref_RefType PyWeakReference __callback__=wr_callback w:()=wr_object
PyTraceBack_Type PyTracebackObject tb_next=tb_next tb_frame=tb_frame
PySlice_Type PySliceObject start=start stop=stop step=step
PyRange_Type rangeobject h:start=start h:stop=stop h:step=step h:length=length
PyLongRangeIter_Type longrangeiterobject h:start=start h:step=step h:len=len
PyMemoryView_Type PyMemoryViewObject mbuf=mbuf
_PyManagedBuffer_Type|builtins.managedbuffer _PyManagedBufferObject obj=master.obj
PySeqIter_Type seqiterobject sequence=it_seq
PyCallIter_Type calliterobject callable=it_callable sentinel=it_sentinel
PyListIter_Type listiterobject|_PyListIterObject sequence=it_seq
PyListRevIter_Type listreviterobject sequence=it_seq
PyTupleIter_Type tupleiterobject|_PyTupleIterObject sequence=it_seq
PyUnicodeIter_Type unicodeiterobject sequence=it_seq
_PyUnicodeASCIIIter_Type|builtins.str_ascii_iterator unicodeiterobject sequence=it_seq
PyBytesIter_Type striterobject sequence=it_seq
PyByteArrayIter_Type bytesiterobject sequence=it_seq
PySetIter_Type setiterobject set=si_set
PyDictIterKey_Type dictiterobject dict=di_dict result=di_result
PyDictIterValue_Type dictiterobject dict=di_dict result=di_result
PyDictIterItem_Type dictiterobject dict=di_dict result=di_result
PyDictRevIterKey_Type dictiterobject dict=di_dict result=di_result
PyDictRevIterValue_Type dictiterobject dict=di_dict result=di_result
PyDictRevIterItem_Type dictiterobject dict=di_dict result=di_result
PyDictKeys_Type _PyDictViewObject mapping=dv_dict
PyDictValues_Type _PyDictViewObject mapping=dv_dict
PyDictItems_Type _PyDictViewObject mapping=dv_dict
PyODictIter_Type odictiterobject odict=di_odict current=di_current result=di_result
PyODictKeys_Type _PyDictViewObject mapping=dv_dict
PyODictValues_Type _PyDictViewObject mapping=dv_dict
PyODictItems_Type _PyDictViewObject mapping=dv_dict
PyEnum_Type enumobject iterator=en_sit result=en_result index=en_longindex
PyReversed_Type reversedobject sequence=seq
PyZip_Type zipobject iterators=ittuple result=result
PyMap_Type mapobject iterators=iters function=func
PyFilter_Type filterobject iterator=it function=func
Py_GenericAliasType gaobject __origin__=origin __args__=args __parameters__=parameters
_PyUnion_Type|types.UnionType|typing.Union unionobject __args__=args hashable_args=hashable_args@3.14+ \
 unhashable_args=unhashable_args@3.14+ __parameters__=parameters
_PyNamespace_Type|types.SimpleNamespace _PyNamespaceObject n:__dict__=ns_dict
_PyCoroWrapper_Type|builtins.coroutine_wrapper PyCoroWrapper coroutine=cw_coroutine
_PyAsyncGenASend_Type PyAsyncGenASend generator=ags_gen value=ags_sendval
_PyAsyncGenAThrow_Type|builtins.async_generator_athrow PyAsyncGenAThrow generator=agt_gen args=agt_args@-3.14 \
 type=agt_typ@3.15+ traceback=agt_tb@3.15+ value=agt_val@3.15+
_PyAsyncGenWrappedValue_Type|builtins.async_generator_wrapped_value _PyAsyncGenWrappedValue value=agw_val
_PyAnextAwaitable_Type|builtins.anext_awaitable anextawaitableobject wrapped=wrapped default=default_value
PyPickleBuffer_Type PyPickleBufferObject obj=view.obj
PyContext_Type PyContext previous=ctx_prev vars=ctx_vars
PyContextVar_Type PyContextVar name=var_name default=var_default
PyContextToken_Type PyContextToken context=tok_ctx var=tok_var old_value=tok_oldval
_PyHamt_Type|builtins.hamt PyHamtObject root=h_root
PyCode_Type PyCodeObject h:co_consts=co_consts h:co_names=co_names h:co_exceptiontable=co_exceptiontable@3.11+ \
 h:co_localsplusnames=co_localsplusnames@3.11+ h:co_localspluskinds=co_localspluskinds@3.11+ h:co_varnames=co_varnames@-3.10 \
 h:co_freevars=co_freevars@-3.10 h:co_cellvars=co_cellvars@-3.10 h:co_filename=co_filename h:co_name=co_name \
 h:co_qualname=co_qualname@3.11+ h:co_linetable=co_linetable@3.10+ h:co_lnotab=co_lnotab@-3.9 h:co_code=co_code@-3.10 \
 h:_co_code=_co_code@3.11-3.11
PyExc_BaseException PyBaseExceptionObject n:__dict__=dict args=args __notes__=notes@3.11+ __traceback__=traceback \
 __cause__=cause __context__=context
PyExc_StopIteration PyStopIterationObject value=value +PyExc_BaseException
PyExc_SystemExit PySystemExitObject code=code +PyExc_BaseException
PyExc_BaseExceptionGroup PyBaseExceptionGroupObject message=msg exceptions=excs excs_str=excs_str@3.14+ +PyExc_BaseException
PyExc_ImportError PyImportErrorObject msg=msg name=name path=path name_from=name_from@3.12+ +PyExc_BaseException
PyExc_OSError PyOSErrorObject errno=myerrno strerror=strerror filename=filename filename2=filename2 +PyExc_BaseException
PyExc_NameError PyNameErrorObject name=name +PyExc_BaseException
PyExc_AttributeError PyAttributeErrorObject obj=obj name=name +PyExc_BaseException
PyExc_SyntaxError PySyntaxErrorObject msg=msg filename=filename lineno=lineno offset=offset end_lineno=end_lineno@3.10+ \
 end_offset=end_offset@3.10+ text=text print_file_and_line=print_file_and_line metadata=metadata@3.14+ +PyExc_BaseException
PyExc_UnicodeDecodeError PyUnicodeErrorObject encoding=encoding object=object reason=reason +PyExc_BaseException
PyExc_UnicodeEncodeError PyUnicodeErrorObject encoding=encoding object=object reason=reason +PyExc_BaseException
PyExc_UnicodeTranslateError PyUnicodeErrorObject encoding=encoding object=object reason=reason +PyExc_BaseException
functools.partial partialobject T@3.10+ func=fn args=args keywords=kw n:__dict__=dict
functools.KeyWrapper keyobject T@3.10+ cmp=cmp obj=object
operator.itemgetter itemgetterobject T@3.10+ items=item
operator.attrgetter attrgetterobject attrs=attr T@3.10+
operator.methodcaller methodcallerobject name=name@3.10+ args=args@-3.12 args=xargs@3.13-3.13 args=args@3.14+ kwargs=kwds \
 vectorcall_args=vectorcall_args@3.14+ vectorcall_kwnames=vectorcall_kwnames@3.14+ T@3.10+
collections._tuplegetter|_collections._tuplegetter _tuplegetterobject|tuplegetterobject T@3.12+ __doc__=doc
_collections._deque_iterator|collections._deque_iterator dequeiterobject T@3.12+ deque=deque
_collections._deque_reverse_iterator|collections._deque_reverse_iterator dequeiterobject T@3.12+ deque=deque
itertools.chain chainobject T@3.12+ iterables=source active=active
itertools.cycle cycleobject T@3.12+ iterator=it saved=saved
itertools.count countobject T@3.12+ count=long_cnt step=long_step
itertools.islice isliceobject T@3.12+ iterator=it
itertools.starmap starmapobject T@3.12+ iterator=it function=func
itertools.takewhile takewhileobject T@3.12+ iterator=it function=func
itertools.dropwhile dropwhileobject T@3.12+ iterator=it function=func
itertools.filterfalse filterfalseobject T@3.12+ iterator=it function=func
itertools.groupby groupbyobject T@3.12+ iterator=it keyfunc=keyfunc tgtkey=tgtkey currkey=currkey currvalue=currvalue
itertools._grouper _grouperobject T@3.12+ parent=parent tgtkey=tgtkey
itertools._tee teeobject T@3.12+ data=dataobj
itertools.product productobject T@3.12+ pools=pools result=result
itertools.combinations combinationsobject T@3.12+ pool=pool result=result
itertools.combinations_with_replacement cwrobject T@3.12+ pool=pool result=result
itertools.permutations permutationsobject T@3.12+ pool=pool result=result
itertools.accumulate accumulateobject T@3.12+ function=binop iterator=it total=total initial=initial
itertools.compress compressobject T@3.12+ data=data selectors=selectors
itertools.repeat repeatobject T@3.12+ element=element
itertools.zip_longest ziplongestobject T@3.12+ iterators=ittuple result=result fillvalue=fillvalue
itertools.pairwise pairwiseobject T@3.12+ iterator=it old=old result=result@3.13+
itertools.batched batchedobject T@3.12+ iterator=it
_thread.lock - T
_thread.RLock - T
array.array - T
re.Pattern PatternObject T groupindex=groupindex indexgroup=indexgroup pattern=pattern
re.Match MatchObject T string=string regs=regs pattern=pattern
typing.TypeVar typevarobject T@3.12+ name=name@3.14+ bound=bound evaluate_bound=evaluate_bound constraints=constraints \
 evaluate_constraints=evaluate_constraints default=default_value@3.13+ evaluate_default=evaluate_default@3.13+ M
typing.ParamSpec paramspecobject T@3.12+ name=name@3.14+ bound=bound default=default_value@3.13+ evaluate_default=evaluate_default@3.13+ M
typing.TypeVarTuple typevartupleobject T@3.12+ name=name@3.14+ bound=bound@3.15+ default=default_value@3.13+ evaluate_default=evaluate_default@3.13+ M
typing.TypeAliasType typealiasobject name=name@3.14+ qualname=qualname@3.15+ __type_params__=type_params compute_value=compute_value value=value __module__=module
"""

GDB = r'''
import gdb, json, os
names = os.environ['NAMES'].split()
def flat(t, base, prefix, depth, out):
    for f in t.strip_typedefs().fields():
        if not hasattr(f, 'bitpos'):
            continue
        off, name, ft = base + f.bitpos // 8, prefix + (f.name or ''), f.type.strip_typedefs()
        out.setdefault(name, off)
        if ft.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION) and depth:
            flat(ft, off, name + '.' if f.name else prefix, depth - 1, out)
res = {}
for n in names:
    for k in (n, 'struct ' + n, 'struct _' + n, 'struct _Py' + n):
        try:
            t = gdb.lookup_type(k)
        except gdb.error:
            continue
        out = {'sizeof': t.strip_typedefs().sizeof}
        flat(t, 0, '', 5, out)
        res[n] = out
        break
json.dump(res, open(os.environ['OUT'], 'w'))
'''


def parse_fields():
    words = FIELDS.split()
    assert len(words) % 2 == 0, words
    return [(words[i], words[i + 1].split('|')) for i in range(0, len(words), 2)]


def parse_simple():
    out = []
    for line in SIMPLE.strip().split('\n'):
        words = line.split()
        out.append((words[0], words[1].split('|'), words[2:]))
    return out


def dwarf(path, structs):
    with tempfile.TemporaryDirectory() as d:
        script, result = os.path.join(d, 'x.py'), os.path.join(d, 'out.json')
        with open(script, 'w') as f:
            f.write(GDB)
        subprocess.run(['gdb', '-nx', '-batch', '-x', script, path], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=dict(os.environ, NAMES=' '.join(sorted(structs)), OUT=result))
        with open(result) as f:
            return json.load(f)


def applies(condition, version):
    if not condition:
        return True
    if condition.endswith('+'):
        return version >= tuple(map(int, condition[:-1].split('.')))
    first, last = condition.split('-')
    return (not first or version >= tuple(map(int, first.split('.')))) and version <= tuple(map(int, last.split('.')))


def ops_of(name, entries, layout, version):
    """The C initialisers of one simple visitor, or None when this version lacks its struct."""
    _, structs, words = entries[name]
    struct = next((s for s in structs if s in layout), None)
    if struct is None and structs != ['-']:
        return None, 0
    ops = []
    for word in words:
        word, _, condition = word.partition('@')
        if not applies(condition, version):
            continue
        if word == 'T':
            ops.append('{OURO_OP_TYPE, OURO_CLASS_TRAVERSED, 0, 0, 0, 0}')
            continue
        if word == 'T?':
            ops.append('{OURO_OP_TYPE, OURO_CLASS_TRAVERSED, OURO_OP_IF_HEAP, 0, 0, 0}')
            continue
        if word.startswith('!'):
            ops.append('{OURO_OP_%s, OURO_CLASS_TRAVERSED, 0, 0, 0, 0}' % word[1:])
            continue
        if word == 'M':
            ops.append('{OURO_OP_MANAGED_DICT, OURO_CLASS_TRAVERSED, 0, 0, 0, 0}')
            continue
        if word.startswith('+'):
            base, _ = ops_of(word[1:], entries, layout, version)
            ops += base
            continue
        cls, flags = 'OURO_CLASS_TRAVERSED', '0'
        prefix = re.match(r'([chnw]):(.*)', word)
        if prefix:
            word = prefix.group(2)
            cls = {'c': 'OURO_CLASS_HIDDEN', 'h': 'OURO_CLASS_HIDDEN', 'w': 'OURO_CLASS_WEAK', 'n': cls}[prefix.group(1)]
            flags = {'n': 'OURO_OP_NAMESPACE', 'c': 'OURO_OP_IF_COROUTINE'}.get(prefix.group(1), '0')
        label, member = word.split('=')
        owner, _, member = ('%s::%s' % (struct, member)).rpartition('::')
        owner = owner.rpartition('::')[2]
        if member not in layout.get(owner, ()):
            raise SystemExit(f'{version}: {owner} has no {member}')
        ops.append('{OURO_OP_FIELD, %s, %s, %d, "%s", 0}' % (cls, flags, layout[owner][member], label))
    return ops, layout[struct]['sizeof'] if struct else 0


def changes(here, text, values):
    """What a debug build has elsewhere than the release, whose table must be there. A difference between two patch releases comes
    with it; what the runtime tells of itself stays out."""
    with open(os.path.join(here, 'layout_%s.c' % text[:-1].replace('.', '_'))) as f:
        there = set(f.read().split('\n'))
    fields = [v.strip(' .,').split(' = ') for v in values if v not in there]
    rows = [f'    {{offsetof(struct ouro_layout, {name}), {value}}},' for name, value in fields if name != 'gc_generations']
    return [f'/* Made by maint/layouts.py from the debug information of a debug build of CPython {text[:-1]}; do not edit. */',
            '#include "cpython/layout.h"', '',
            'const struct ouro_layout_change ouro_layout_%s[] = {' % text.replace('.', '_'), *rows, '    {SIZE_MAX, 0},', '};', '']


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    fields, simple = parse_fields(), parse_simple()
    entries = {s[0]: s for s in simple}
    structs = ({p.split('.')[0] for _, paths in fields for p in paths if p != '-'} | {s for e in simple for s in e[1]} |
               {s for e in simple for w in e[2] for s in re.findall(r'=(\w+)::', w)})
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib', 'cpython')
    header = ('/* Made by maint/layouts.py: the fields that a layout knows. */\n#define OURO_LAYOUT_FIELDS(X) \\\n' +
              ' \\\n'.join(f'    X({name}) /* {" or ".join(p for p in paths if p != "-")} */' for name, paths in fields) + '\n')
    with open(os.path.join(here, 'layout_fields.h')) as f:
        changed = f.read() != header
    there = {os.path.basename(p)[7:-2].replace('_', '.') for p in glob.glob(os.path.join(here, 'layout_3_*.c'))}
    missing = there - {argument.split('=', 1)[0] for argument in sys.argv[1:]}
    if changed and missing:
        # A table that doesn't name a field would have it at 0, not at -1.
        raise SystemExit(f'the list of fields has changed: make the tables of {", ".join(sorted(missing))} as well')
    with open(os.path.join(here, 'layout_fields.h'), 'w') as f:
        f.write(header)
    for argument in sys.argv[1:]:
        text, path = argument.split('=', 1)
        version = tuple(map(int, text.rstrip('d').split('.')))
        layout = dwarf(path, structs)
        tag = text.replace('.', '_')
        out = [f'/* Made by maint/layouts.py from the debug information of CPython {text}; do not edit. */',
               '#include "cpython/layout.h"', '', '#include "cpython/ops.h"', '']
        rows = []
        for name, entry in entries.items():
            ops, size = ops_of(name, entries, layout, version)
            if ops is None:
                continue
            ident = 'ops_%s_%s' % (tag, re.sub(r'\W', '_', name))
            out.append('static const struct ouro_op %s[] = {\n    %s,\n};' % (ident, ',\n    '.join(ops)))
            rows.append('    {"%s", %d, %s, %d},' % (name, size, ident, len(ops)))
        out.append('static const struct ouro_simple simple_%s[] = {\n%s\n};' % (tag, '\n'.join(rows)))
        values = []
        for name, paths in fields:
            offset = -1
            for p in paths:
                struct, _, member = p.partition('.')
                if p != '-' and struct in layout and member in layout[struct]:
                    offset = layout[struct][member]
                    break
            values.append(f'    .{name} = {offset},')
        if text.endswith('d'):
            out = changes(here, text, values)
        else:
            out.append('const struct ouro_layout ouro_layout_%s = {\n    .minor = %d,\n    .simple = simple_%s,\n'
                       '    .simple_count = sizeof simple_%s / sizeof *simple_%s,\n%s\n};\n' % (tag, version[1], tag, tag, tag, '\n'.join(values)))
        with open(os.path.join(here, f'layout_{tag}.c'), 'w') as f:
            f.write('\n'.join(out))
        print('wrote', f.name)


main()
