# Tests of lib/cpython.
