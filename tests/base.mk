# Tests of lib/base.
