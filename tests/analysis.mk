# Tests of lib/analysis.
