/* Of ouro_diff_match_init: objects of one process at two times, by address and by more than that. */
#ifndef OURO_ANALYSIS_DIFF_MATCH_PROCESS_H
#define OURO_ANALYSIS_DIFF_MATCH_PROCESS_H

#include "analysis/diff_match.h"

/* Roots and frames are matched already, all else has no match. Sets verdicts. OURO_NOMEM. */
enum ouro_status ouro_diff_match_process(struct ouro_diff_match *match);
/* Of survivors that are probable until then, those that nothing can have replaced. incremental: the collector is, and
 * moves objects between generations at any time. OURO_NOMEM. */
enum ouro_status ouro_diff_match_certain(struct ouro_diff_match *match, bool incremental);

static inline void ouro_diff_match_set(struct ouro_diff_match *match, ouro_node a, ouro_node b,
                                       enum ouro_diff_verdict verdict)
{
    match->before_verdict[a] = match->after_verdict[b] = verdict;
}

#endif
