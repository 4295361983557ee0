/* Which objects of two processes' snapshots are alike: from the roots downwards, along references that are called the same. */
#ifndef OURO_ANALYSIS_DIFF_MATCH_SIMILAR_H
#define OURO_ANALYSIS_DIFF_MATCH_SIMILAR_H

#include "analysis/diff_match.h"

/* match: with to_after and to_before, in which roots and frames are joined; the rest is joined here. No verdicts. OURO_NOMEM. */
enum ouro_status ouro_diff_match_similar(struct ouro_diff_match *match);

#endif
