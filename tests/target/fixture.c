/* A small program at a fixed address (linked with -no-pie) that says where its parts are and waits for its input to
 * end. */
#include <stdio.h>

unsigned long fixture_word = 0x6f75726f; /* in .data */
unsigned long fixture_zero;              /* in .bss */
_Thread_local unsigned long fixture_tls = 1;

int fixture_function(void);

int fixture_function(void)
{
    return (int)(fixture_word + fixture_tls);
}

int main(void)
{
    printf("%p %p %p\n", (void *)&fixture_word, (void *)&fixture_zero, (void *)(unsigned long)fixture_function);
    fflush(stdout);
    while (getchar() != EOF)
        fixture_zero++;
    return 0;
}
