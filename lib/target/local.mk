# An address space: live process or core. Uses base.
noinst_LIBRARIES += libouro_target.a
libouro_target_a_SOURCES = \
	lib/target/image.h \
	lib/target/maps.h \
	lib/target/module.h \
	lib/target/process.h \
	lib/target/space.h
