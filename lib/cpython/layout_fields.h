/* Made by maint/layouts.py: the fields that a layout knows. */
#define OURO_LAYOUT_FIELDS(X) \
    X(ob_refcnt) /* PyObject.ob_refcnt */ \
    X(ob_type) /* PyObject.ob_type */ \
    X(ob_size) /* PyVarObject.ob_size */ \
    X(tp_name) /* PyTypeObject.tp_name */ \
    X(tp_basicsize) /* PyTypeObject.tp_basicsize */ \
    X(tp_itemsize) /* PyTypeObject.tp_itemsize */ \
    X(tp_flags) /* PyTypeObject.tp_flags */ \
    X(tp_traverse) /* PyTypeObject.tp_traverse */ \
    X(tp_members) /* PyTypeObject.tp_members */ \
    X(tp_base) /* PyTypeObject.tp_base */ \
    X(tp_dict) /* PyTypeObject.tp_dict */ \
    X(tp_dictoffset) /* PyTypeObject.tp_dictoffset */ \
    X(tp_weaklistoffset) /* PyTypeObject.tp_weaklistoffset */ \
    X(tp_bases) /* PyTypeObject.tp_bases */ \
    X(tp_mro) /* PyTypeObject.tp_mro */ \
    X(tp_cache) /* PyTypeObject.tp_cache */ \
    X(tp_subclasses) /* PyTypeObject.tp_subclasses */ \
    X(tp_del) /* PyTypeObject.tp_del */ \
    X(tp_finalize) /* PyTypeObject.tp_finalize */ \
    X(tp_is_gc) /* PyTypeObject.tp_is_gc */ \
    X(type_sizeof) /* PyTypeObject.sizeof */ \
    X(tp_methods) /* PyTypeObject.tp_methods */ \
    X(tp_getset) /* PyTypeObject.tp_getset */ \
    X(ht_name) /* PyHeapTypeObject.ht_name */ \
    X(ht_slots) /* PyHeapTypeObject.ht_slots */ \
    X(ht_qualname) /* PyHeapTypeObject.ht_qualname */ \
    X(ht_cached_keys) /* PyHeapTypeObject.ht_cached_keys */ \
    X(ht_module) /* PyHeapTypeObject.ht_module */ \
    X(heap_type_sizeof) /* PyHeapTypeObject.sizeof */ \
    X(ascii_length) /* PyASCIIObject.length */ \
    X(ascii_state) /* PyASCIIObject.state */ \
    X(ascii_sizeof) /* PyASCIIObject.sizeof */ \
    X(ascii_wstr) /* PyASCIIObject.wstr */ \
    X(compact_sizeof) /* PyCompactUnicodeObject.sizeof */ \
    X(compact_utf8) /* PyCompactUnicodeObject.utf8 */ \
    X(compact_utf8_length) /* PyCompactUnicodeObject.utf8_length */ \
    X(compact_wstr_length) /* PyCompactUnicodeObject.wstr_length */ \
    X(unicode_data) /* PyUnicodeObject.data */ \
    X(unicode_sizeof) /* PyUnicodeObject.sizeof */ \
    X(bytes_sval) /* PyBytesObject.ob_sval */ \
    X(bytearray_alloc) /* PyByteArrayObject.ob_alloc */ \
    X(float_fval) /* PyFloatObject.ob_fval */ \
    X(complex_cval) /* PyComplexObject.cval */ \
    X(long_digits) /* PyLongObject.ob_digit */ \
    X(long_tag) /* PyLongObject.long_value.lv_tag */ \
    X(long_tag_digits) /* PyLongObject.long_value.ob_digit */ \
    X(tuple_items) /* PyTupleObject.ob_item */ \
    X(list_items) /* PyListObject.ob_item */ \
    X(list_allocated) /* PyListObject.allocated */ \
    X(dict_used) /* PyDictObject.ma_used */ \
    X(dict_keys) /* PyDictObject.ma_keys */ \
    X(dict_values) /* PyDictObject.ma_values */ \
    X(keys_refcnt) /* PyDictKeysObject.dk_refcnt */ \
    X(keys_log2_size) /* PyDictKeysObject.dk_log2_size */ \
    X(keys_log2_index_bytes) /* PyDictKeysObject.dk_log2_index_bytes */ \
    X(keys_kind) /* PyDictKeysObject.dk_kind */ \
    X(keys_size) /* PyDictKeysObject.dk_size */ \
    X(keys_lookup) /* PyDictKeysObject.dk_lookup */ \
    X(keys_usable) /* PyDictKeysObject.dk_usable */ \
    X(keys_nentries) /* PyDictKeysObject.dk_nentries */ \
    X(keys_indices) /* PyDictKeysObject.dk_indices */ \
    X(values_values) /* PyDictValues.values */ \
    X(values_capacity) /* PyDictValues.capacity */ \
    X(values_embedded) /* PyDictValues.embedded */ \
    X(values_valid) /* PyDictValues.valid */ \
    X(set_mask) /* PySetObject.mask */ \
    X(set_table) /* PySetObject.table */ \
    X(set_smalltable) /* PySetObject.smalltable */ \
    X(setentry_sizeof) /* setentry.sizeof */ \
    X(set_used) /* PySetObject.used */ \
    X(deque_leftblock) /* dequeobject.leftblock */ \
    X(deque_rightblock) /* dequeobject.rightblock */ \
    X(deque_leftindex) /* dequeobject.leftindex */ \
    X(deque_rightindex) /* dequeobject.rightindex */ \
    X(block_data) /* block.data */ \
    X(block_rightlink) /* block.rightlink */ \
    X(block_sizeof) /* block.sizeof */ \
    X(odict_first) /* PyODictObject.od_first */ \
    X(odict_fast_nodes_size) /* PyODictObject.od_fast_nodes_size */ \
    X(odict_inst_dict) /* PyODictObject.od_inst_dict */ \
    X(odict_node_key) /* _ODictNode.key */ \
    X(odict_node_next) /* _ODictNode.next */ \
    X(odict_node_sizeof) /* _ODictNode.sizeof */ \
    X(lru_root_next) /* lru_cache_object.root.next */ \
    X(lru_root) /* lru_cache_object.root */ \
    X(lru_elem_type) /* lru_cache_object.lru_list_elem_type */ \
    X(lru_link_next) /* lru_list_elem.next */ \
    X(lru_link_key) /* lru_list_elem.key */ \
    X(lru_link_result) /* lru_list_elem.result */ \
    X(cfunction_ml) /* PyCFunctionObject.m_ml */ \
    X(cmethod_class) /* PyCMethodObject.mm_class */ \
    X(methoddef_flags) /* PyMethodDef.ml_flags */ \
    X(methoddef_name) /* PyMethodDef.ml_name */ \
    X(methoddef_meth) /* PyMethodDef.ml_meth */ \
    X(descr_method) /* PyMethodDescrObject.d_method */ \
    X(descr_type) /* PyMethodDescrObject.d_common.d_type */ \
    X(getset_name) /* PyGetSetDef.name */ \
    X(getset_get) /* PyGetSetDef.get */ \
    X(getset_closure) /* PyGetSetDef.closure */ \
    X(getset_sizeof) /* PyGetSetDef.sizeof */ \
    X(code_stacksize) /* PyCodeObject.co_stacksize */ \
    X(code_firstlineno) /* PyCodeObject.co_firstlineno */ \
    X(code_filename) /* PyCodeObject.co_filename */ \
    X(code_name) /* PyCodeObject.co_name */ \
    X(code_qualname) /* PyCodeObject.co_qualname or PyCodeObject.co_name */ \
    X(code_nlocalsplus) /* PyCodeObject.co_nlocalsplus */ \
    X(code_localsplusnames) /* PyCodeObject.co_localsplusnames */ \
    X(code_linetable) /* PyCodeObject.co_linetable or PyCodeObject.co_lnotab */ \
    X(code_adaptive) /* PyCodeObject.co_code_adaptive or PyCodeObject.sizeof */ \
    X(code_framesize) /* PyCodeObject.co_framesize */ \
    X(code_extra) /* PyCodeObject.co_extra */ \
    X(code_flags) /* PyCodeObject.co_flags */ \
    X(code_nlocals) /* PyCodeObject.co_nlocals */ \
    X(code_varnames) /* PyCodeObject.co_varnames */ \
    X(code_cellvars) /* PyCodeObject.co_cellvars */ \
    X(code_freevars) /* PyCodeObject.co_freevars */ \
    X(code_cell2arg) /* PyCodeObject.co_cell2arg */ \
    X(code_code) /* PyCodeObject.co_code */ \
    X(code_opcache) /* PyCodeObject.co_opcache */ \
    X(code_opcache_size) /* PyCodeObject.co_opcache_size */ \
    X(opcache_sizeof) /* _PyOpcache.sizeof */ \
    X(function_code) /* PyFunctionObject.func_code */ \
    X(function_qualname) /* PyFunctionObject.func_qualname */ \
    X(function_name) /* PyFunctionObject.func_name */ \
    X(iframe_func) /* _PyInterpreterFrame.f_func or _PyInterpreterFrame.f_funcobj */ \
    X(iframe_code) /* _PyInterpreterFrame.f_code or _PyInterpreterFrame.f_executable or PyFrameObject.f_code */ \
    X(iframe_locals) /* _PyInterpreterFrame.f_locals */ \
    X(iframe_object) /* _PyInterpreterFrame.frame_obj */ \
    X(iframe_previous) /* _PyInterpreterFrame.previous */ \
    X(iframe_instr) /* _PyInterpreterFrame.prev_instr or _PyInterpreterFrame.instr_ptr */ \
    X(iframe_stacktop) /* _PyInterpreterFrame.stacktop */ \
    X(iframe_owner) /* _PyInterpreterFrame.owner */ \
    X(iframe_localsplus) /* _PyInterpreterFrame.localsplus */ \
    X(frame_back) /* PyFrameObject.f_back */ \
    X(frame_localsplus) /* PyFrameObject.f_localsplus */ \
    X(frame_valuestack) /* PyFrameObject.f_valuestack */ \
    X(frame_stacktop) /* PyFrameObject.f_stacktop */ \
    X(frame_stackdepth) /* PyFrameObject.f_stackdepth */ \
    X(frame_lasti) /* PyFrameObject.f_lasti */ \
    X(frame_gen) /* PyFrameObject.f_gen */ \
    X(frame_sizeof) /* PyFrameObject.sizeof */ \
    X(frame_frame) /* PyFrameObject.f_frame */ \
    X(frame_data) /* PyFrameObject._f_frame_data */ \
    X(gen_frame_state) /* PyGenObject.gi_frame_state */ \
    X(gen_iframe) /* PyGenObject.gi_iframe */ \
    X(gen_code) /* PyGenObject.gi_code */ \
    X(gen_exc_value) /* PyGenObject.gi_exc_state.exc_value */ \
    X(gen_qualname) /* PyGenObject.gi_qualname */ \
    X(module_dict) /* PyModuleObject.md_dict */ \
    X(module_def) /* PyModuleObject.md_def */ \
    X(module_state) /* PyModuleObject.md_state */ \
    X(module_name) /* PyModuleObject.md_name */ \
    X(moduledef_traverse) /* PyModuleDef.m_traverse */ \
    X(moduledef_size) /* PyModuleDef.m_size */ \
    X(weakref_object) /* PyWeakReference.wr_object */ \
    X(weakref_next) /* PyWeakReference.wr_next */ \
    X(memberdef_name) /* PyMemberDef.name */ \
    X(memberdef_type) /* PyMemberDef.type */ \
    X(memberdef_offset) /* PyMemberDef.offset */ \
    X(memberdef_sizeof) /* PyMemberDef.sizeof */ \
    X(tee_numread) /* teedataobject.numread */ \
    X(tee_values) /* teedataobject.values */ \
    X(tee_nextlink) /* teedataobject.nextlink */ \
    X(exceptiongroup_msg) /* PyBaseExceptionGroupObject.msg */ \
    X(runtime_interpreters) /* _PyRuntimeState.interpreters.head */ \
    X(runtime_main) /* _PyRuntimeState.interpreters.main */ \
    X(runtime_gil) /* _PyRuntimeState.ceval.gil */ \
    X(gil_holder) /* _gil_runtime_state.last_holder */ \
    X(gil_locked) /* _gil_runtime_state.locked */ \
    X(product_pools) /* productobject.pools */ \
    X(combinations_r) /* combinationsobject.r */ \
    X(cwr_r) /* cwrobject.r */ \
    X(permutations_r) /* permutationsobject.r */ \
    X(permutations_pool) /* permutationsobject.pool */ \
    X(interp_next) /* PyInterpreterState.next */ \
    X(interp_id) /* PyInterpreterState.id */ \
    X(interp_modules) /* PyInterpreterState.modules or PyInterpreterState.imports.modules */ \
    X(interp_modules_by_index) /* PyInterpreterState.modules_by_index or PyInterpreterState.imports.modules_by_index */ \
    X(interp_importlib) /* PyInterpreterState.importlib or PyInterpreterState.imports.importlib */ \
    X(interp_import_func) /* PyInterpreterState.import_func or PyInterpreterState.imports.import_func */ \
    X(interp_sysdict) /* PyInterpreterState.sysdict */ \
    X(interp_builtins) /* PyInterpreterState.builtins */ \
    X(interp_codec_search_path) /* PyInterpreterState.codec_search_path or PyInterpreterState.codecs.search_path */ \
    X(interp_codec_search_cache) /* PyInterpreterState.codec_search_cache or PyInterpreterState.codecs.search_cache */ \
    X(interp_codec_error_registry) /* PyInterpreterState.codec_error_registry or PyInterpreterState.codecs.error_registry */ \
    X(interp_dict) /* PyInterpreterState.dict */ \
    X(interp_builtins_copy) /* PyInterpreterState.builtins_copy */ \
    X(interp_sysdict_copy) /* PyInterpreterState.sysdict_copy */ \
    X(interp_before_forkers) /* PyInterpreterState.before_forkers */ \
    X(interp_after_forkers_parent) /* PyInterpreterState.after_forkers_parent */ \
    X(interp_after_forkers_child) /* PyInterpreterState.after_forkers_child */ \
    X(interp_warnings_filters) /* PyInterpreterState.warnings.filters */ \
    X(interp_warnings_once) /* PyInterpreterState.warnings.once_registry */ \
    X(interp_warnings_default) /* PyInterpreterState.warnings.default_action */ \
    X(interp_audit_hooks) /* PyInterpreterState.audit_hooks */ \
    X(interp_errnomap) /* PyInterpreterState.exc_state.errnomap */ \
    X(interp_exception_group) /* PyInterpreterState.exc_state.PyExc_ExceptionGroup */ \
    X(interp_objreduce) /* PyInterpreterState.cached_objects.objreduce */ \
    X(interp_slots_pname) /* PyInterpreterState.cached_objects.type_slots_pname */ \
    X(interp_str_replace_inf) /* PyInterpreterState.cached_objects.str_replace_inf */ \
    X(interp_gc) /* PyInterpreterState.gc */ \
    X(runtime_gc) /* _PyRuntimeState.gc */ \
    X(interp_threads) /* PyInterpreterState.threads.head or PyInterpreterState.tstate_head */ \
    X(interp_gil) /* PyInterpreterState.ceval.gil */ \
    X(interp_static_types) /* PyInterpreterState.types.builtins.initialized or PyInterpreterState.types.builtins */ \
    X(interp_static_extension_types) /* PyInterpreterState.types.for_extensions.initialized */ \
    X(static_type_sizeof) /* managed_static_type_state.sizeof or static_builtin_state.sizeof */ \
    X(static_type_type) /* managed_static_type_state.type or static_builtin_state.type */ \
    X(static_type_dict) /* managed_static_type_state.tp_dict or static_builtin_state.tp_dict */ \
    X(static_type_subclasses) /* managed_static_type_state.tp_subclasses or static_builtin_state.tp_subclasses */ \
    X(interp_pyexitmodule) /* PyInterpreterState.pyexitmodule */ \
    X(interp_atexit_callbacks) /* PyInterpreterState.atexit.callbacks */ \
    X(interp_atexit_count) /* PyInterpreterState.atexit.ncallbacks */ \
    X(atexit_func) /* atexit_callback.func or atexit_py_callback.func */ \
    X(thread_next) /* PyThreadState.next */ \
    X(thread_cframe) /* PyThreadState.cframe */ \
    X(thread_frame) /* PyThreadState.current_frame or PyThreadState.frame */ \
    X(cframe_frame) /* _PyCFrame.current_frame */ \
    X(thread_ident) /* PyThreadState.thread_id */ \
    X(thread_native) /* PyThreadState.native_thread_id */ \
    X(thread_exc_info) /* PyThreadState.exc_info */ \
    X(thread_exc_state) /* PyThreadState.exc_state.exc_value */ \
    X(thread_exc_type) /* PyThreadState.exc_state.exc_type */ \
    X(thread_exc_traceback) /* PyThreadState.exc_state.exc_traceback */ \
    X(thread_current_exception) /* PyThreadState.current_exception or PyThreadState.curexc_value */ \
    X(thread_curexc_type) /* PyThreadState.curexc_type */ \
    X(thread_curexc_traceback) /* PyThreadState.curexc_traceback */ \
    X(thread_dict) /* PyThreadState.dict */ \
    X(thread_context) /* PyThreadState.context */ \
    X(thread_async_exc) /* PyThreadState.async_exc */ \
    X(thread_firstiter) /* PyThreadState.async_gen_firstiter */ \
    X(thread_finalizer) /* PyThreadState.async_gen_finalizer */ \
    X(thread_profileobj) /* PyThreadState.c_profileobj */ \
    X(thread_traceobj) /* PyThreadState.c_traceobj */ \
    X(thread_local_key) /* PyThreadState.threading_local_key */ \
    X(thread_local_sentinel) /* PyThreadState.threading_local_sentinel */ \
    X(thread_running_loop) /* _PyThreadStateImpl.asyncio_running_loop */ \
    X(capsule_traverse) /* PyCapsule.traverse_func */ \
    X(exc_item_value) /* _PyErr_StackItem.exc_value */ \
    X(exc_item_previous) /* _PyErr_StackItem.previous_item */ \
    X(gc_generation0) /* _gc_runtime_state.generation0 */ \
    X(gc_enabled) /* _gc_runtime_state.enabled */ \
    X(gc_debug) /* _gc_runtime_state.debug */ \
    X(gc_generations) /* _gc_runtime_state.generations */ \
    X(gc_permanent) /* _gc_runtime_state.permanent_generation */ \
    X(gc_stats) /* _gc_runtime_state.generation_stats */ \
    X(gc_collecting) /* _gc_runtime_state.collecting */ \
    X(gc_garbage) /* _gc_runtime_state.garbage */ \
    X(gc_callbacks) /* _gc_runtime_state.callbacks */ \
    X(gc_long_lived_total) /* _gc_runtime_state.long_lived_total */ \
    X(gc_long_lived_pending) /* _gc_runtime_state.long_lived_pending */ \
    X(gc_generation_sizeof) /* gc_generation.sizeof */ \
    X(gc_generation_threshold) /* gc_generation.threshold */ \
    X(gc_generation_count) /* gc_generation.count */
