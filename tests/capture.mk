# Tests of lib/capture.
