/* Small shared libraries that call each other, one for each PART:
 *
 *   one     comes before two, so that its ouro_interposed is everybody's; has an ouro_chosen that a resolver chooses
 *   two     has two versions of ouro_versioned
 *   base    needs a function of plugin, which needs base
 *   plugin  is loaded later, and needs base
 *   late    needs nobody by name: what it calls has to be visible already
 *   before  is preloaded, so that its ouro_interposed is everybody's
 *
 * Each other has ouro_PART_calls, which calls through every slot and returns what tells who was called. */
#define PART_ONE    1
#define PART_TWO    2
#define PART_BASE   3
#define PART_PLUGIN 4
#define PART_LATE   5
#define PART_BEFORE 6

int ouro_interposed(void);
int ouro_versioned(void);
int ouro_chosen(void);
int ouro_base_function(void);
int ouro_plugin_function(void);
int ouro_of_two_plugins(void);
int ouro_missing(void) __attribute__((weak));
int ouro_weak_of_base(void) __attribute__((weak));
extern int ouro_word;

#if PART == PART_BEFORE
int ouro_interposed(void)
{
    return 6;
}

#elif PART == PART_ONE
int ouro_word = 1;
int ouro_interposed(void)
{
    return 1;
}
static int chosen(void)
{
    return 11;
}
int (*ouro_chooser(void))(void);
int (*ouro_chooser(void))(void)
{
    return chosen;
}
int ouro_chosen(void) __attribute__((ifunc("ouro_chooser")));
int ouro_one_calls(void);
int ouro_one_calls(void)
{
    return ouro_interposed() + ouro_word;
}

#elif PART == PART_TWO
int ouro_first_versioned(void);
int ouro_second_versioned(void);
int ouro_two_calls(void);
int ouro_first_versioned(void)
{
    return 21;
}
int ouro_second_versioned(void)
{
    return 22;
}
__asm__(".symver ouro_first_versioned, ouro_versioned@OURO_1");
__asm__(".symver ouro_second_versioned, ouro_versioned@@OURO_2");
int ouro_word = 2;
int ouro_interposed(void)
{
    return 2;
}
int ouro_two_calls(void)
{
    return ouro_interposed() + ouro_chosen() + ouro_word;
}

#elif PART == PART_BASE
int ouro_base_calls(void);
int ouro_interposed(void)
{
    return 3;
}
int ouro_base_function(void)
{
    return 31;
}
int ouro_weak_of_base(void)
{
    return 32;
}
int ouro_of_two_plugins(void)
{
    return 33;
}
int ouro_base_calls(void)
{
    return ouro_interposed() + ouro_plugin_function();
}

#elif PART == PART_PLUGIN
int ouro_plugin_calls(void);
int ouro_plugin_function(void)
{
    return 41;
}
int ouro_of_two_plugins(void)
{
    return 43;
}
int ouro_plugin_calls(void)
{
    return ouro_interposed() + ouro_base_function() + ouro_of_two_plugins() + ouro_chosen() + ouro_word;
}

#elif PART == PART_LATE
int ouro_late_calls(int which);
int ouro_late_calls(int which)
{
    if (which == 1)
        return ouro_missing() + ouro_weak_of_base() + ouro_of_two_plugins();
    return ouro_interposed() + ouro_versioned() + (which ? ouro_base_function() : 0);
}
#endif
