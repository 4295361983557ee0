# Tests of lib/render.
