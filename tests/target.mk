# Tests of lib/target.
