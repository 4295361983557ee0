/* A window: an image whose pages are read from the process when they are touched, and forgotten again when there are too many.
 *
 * Address space is reserved for all pages; what is not there can't be accessed. The fault of whoever touches it is caught: the
 * chunk of pages around is read from the source (process_vm_readv, or the file of pages that were never written) beside, and
 * moved into place at once, so other threads see all of it or fault too. Pointers into the image stay good: what was forgotten
 * comes again. But a system call that is given such a pointer may fail with EFAULT instead: copy first.
 *
 * The source must not change while it is read: stopped, or a copy that the kernel made.
 *
 * Of the chunks that are there, the older third is inaccessible but kept: who touches one of these makes it young again at the
 * cost of a fault; else the oldest goes. So types, small numbers and other things that everybody refers to stay.
 *
 * What can't be read is zeroes, and counted (unreadable_bytes). When the source ends, all the rest is zeroes, and
 * ouro_window_check says so. Memory beside the chunks: 12 bytes a chunk, 2 bits a page. Any thread may use the image. */
#ifndef OURO_TARGET_WINDOW_H
#define OURO_TARGET_WINDOW_H

#include "target/image.h"

#define OURO_WINDOW_BYTES_MIN ((size_t)4 << 20) /* with less it would bring the same chunks again and again */

struct ouro_window;

/* For the program's handler of SIGSEGV, since the library sets none: whether what was touched is of a window, and is there now. Only to be
 * called for a fault of that thread's own, outside of libc: then it is as safe as any call. Keeps no errno. */
bool ouro_window_bring(const void *touched);
/* The program says that it has such a handler. A thread that blocks SIGSEGV must not touch an image. */
void ouro_window_allow(void);
/* Whether that was done. */
bool ouro_window_is_possible(void);

/* Makes image->window of an image whose pages are listed and whose place is reserved, inaccessible; at most `bytes` of it will be there at a
 * time. from_file: a bit for each page, set if its file has it, or NULL; taken. source: whose memory it is.
 * OURO_UNSUPPORTED: nobody catches faults; OURO_NOMEM. */
enum ouro_status ouro_window_open(struct ouro_image *image, pid_t source, size_t bytes, uint64_t *from_file,
                                  struct ouro_err *err);
void ouro_window_close(struct ouro_window *window);
/* Changes how much may be there; gives back what is too much. */
void ouro_window_resize(struct ouro_window *window, size_t bytes);
/* Calls pace(context, 0) before every few chunks that are read: to resize, for instance. By whichever thread reads, in a handler of a signal. */
void ouro_window_set_pace(struct ouro_window *window, void (*pace)(void *context, size_t more), void *context);
/* Calls it now: so many bytes are going to be taken for something else. NULL allowed: nothing. */
void ouro_window_make_room(struct ouro_window *window, size_t bytes);
/* How much is there now. */
size_t ouro_window_there_bytes(const struct ouro_window *window);

/* Whether the byte at an offset is there now, as far as can be told without asking who changes that. */
bool ouro_window_has(const struct ouro_window *window, uint64_t offset);
/* OURO_GONE when the source has ended; OURO_NOMEM when a chunk found no memory. NULL allowed: OURO_OK. */
enum ouro_status ouro_window_check(struct ouro_window *window, struct ouro_err *err);
/* Whether one of both was noticed already; NULL allowed: false. */
bool ouro_window_failed(const struct ouro_window *window);
uint64_t ouro_window_unreadable_bytes(const struct ouro_window *window);
/* Chunks that were read so far, and what a chunk is. */
uint64_t ouro_window_load_count(const struct ouro_window *window);
size_t ouro_window_chunk_bytes(const struct ouro_window *window);

#endif
