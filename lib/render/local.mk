# Text, JSON, DOT. Uses analysis.
noinst_LIBRARIES += libouro_render.a
libouro_render_a_SOURCES =
