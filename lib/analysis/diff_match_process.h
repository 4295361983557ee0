/* Of ouro_diff_match_init: objects of one process at two times, by address and by more than that. */
#ifndef OURO_ANALYSIS_DIFF_MATCH_PROCESS_H
#define OURO_ANALYSIS_DIFF_MATCH_PROCESS_H

#include "analysis/diff_match.h"

/* Roots and frames are matched already, all else has no match. Sets verdicts. OURO_NOMEM. */
enum ouro_status ouro_diff_match_process(struct ouro_diff_match *match);

#endif
