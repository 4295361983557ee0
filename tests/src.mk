# Tests of the command (src/).
