/* What a doctor found, as text and JSON. */
#ifndef OURO_SRC_PAGE_DOCTOR_H
#define OURO_SRC_PAGE_DOCTOR_H

#include "capture/doctor.h"
#include "render/out.h"

/* As far as the doctor came. limit: types, threads and problems at most; 0: all. width: columns of the medium, 0: any. */
void ouro_page_doctor_text(struct ouro_out *out, const struct ouro_doctor *doctor, uint64_t limit, size_t width);
/* error: why it came no further; NULL: it came to its end. All types. */
void ouro_page_doctor_json(struct ouro_out *out, const struct ouro_doctor *doctor, const char *error);

#endif
