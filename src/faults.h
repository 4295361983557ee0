/* The handler of SIGSEGV that images with a window need (target/window.h): what is touched and not there is brought. */
#ifndef OURO_SRC_FAULTS_H
#define OURO_SRC_FAULTS_H

/* From now on; other faults go to who caught them before. Where that can't be had, memory can't be limited. */
void ouro_faults_catch(void);

#endif
