# Tests of lib/snapshot.
