/* The ouro command: finds the subcommand and owns what a library must not touch (signals, standard output, exit). */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "faults.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    bool cancellable; /* looks at ouro_interrupted */
    const char *arguments, *summary;
} commands[] = {
    {"dump", ouro_cmd_dump, true, "PID", "captures a running CPython process into a snapshot"},
    {"doctor", ouro_cmd_doctor, true, "PID", "what ouro recognises in a process, type by type"},
    {"info", ouro_cmd_info, false, "SNAPSHOT", "one page: process, collector, totals, findings"},
    {"types", ouro_cmd_types, false, "SNAPSHOT [TYPE]", "histogram by type: count, shallow, retained size"},
    {"objects", ouro_cmd_objects, false, "SNAPSHOT", "lists objects by type, size, value and so on"},
    {"show", ouro_cmd_show, false, "SNAPSHOT OBJECT", "one object: value, sizes, referents, referrers"},
    {"stack", ouro_cmd_stack, false, "SNAPSHOT", "where each thread stands, deadlocks first"},
    {"path", ouro_cmd_path, false, "SNAPSHOT OBJECT", "shortest paths from roots, as Python expressions"},
    {"refs", ouro_cmd_refs, false, "SNAPSHOT OBJECT", "what objects refer to, as objgraph draws it"},
    {"backrefs", ouro_cmd_backrefs, false, "SNAPSHOT OBJECT", "what refers to objects, as objgraph draws it"},
    {"chain", ouro_cmd_chain, false, "SNAPSHOT OBJECT", "shortest chains from modules, or to a type"},
    {"cycles", ouro_cmd_cycles, false, "SNAPSHOT", "reference cycles, folded into patterns"},
    {"garbage", ouro_cmd_garbage, false, "SNAPSHOT", "what the collector would find, can't or won't free"},
    {"dominators", ouro_cmd_dominators, false, "SNAPSHOT", "what keeps how much alive, from the top down"},
    {"diff", ouro_cmd_diff, false, "A B [C ...]", "what grew between snapshots, and who holds it"},
    {"leaks", ouro_cmd_leaks, false, "SNAPSHOT", "leak suspects of one snapshot, and what is wasted"},
    {"watch", ouro_cmd_watch, true, "PID", "snapshots from time to time, then what grew"},
    {"export", ouro_cmd_export, true, "SNAPSHOT", "writes all objects for other programs (ndjson)"},
    {"verify", ouro_cmd_verify, false, "SNAPSHOT", "checks a file block by block"},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static int print_help(void)
{
    struct ouro_buf text = {0};
    ouro_buf_add_text(&text, "usage: ouro COMMAND [OPTIONS] ARGUMENTS\n\n"
                             "Captures the object graph of a CPython process from outside and answers\n"
                             "questions about it offline.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        ouro_buf_addf(&text, "  %-10s %-16s %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
    ouro_buf_add_text(&text, "\n  ouro COMMAND -h   explains a command\n"
                             "  ouro --version    prints the version\n"
                             "  -q, --quiet       no notes and no progress on standard error\n\n"
                             "Exit status: 0 done; 1 done, and a --fail-on condition holds; 2 usage; 3 the\n"
                             "target can't be read; 4 the snapshot can't be read; 5 anything else.\n");
    return ouro_command_print(&text);
}

static int print_version(void)
{
    struct ouro_buf text = {0};
    ouro_buf_add_text(&text, PACKAGE_NAME " " PACKAGE_VERSION "\n");
    return ouro_command_print(&text);
}

volatile sig_atomic_t ouro_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    ouro_interrupted = 1;
}

/* The first signal asks a command that would leave something behind to stop; a second one ends it. */
static void catch_interruptions(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND};
    struct sigaction old;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(signals[i], &action, NULL);
}

/* Without 0, 1 and 2 open, a snapshot might become standard output. Writing to these fails, as it should. */
static void occupy_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            _exit(OURO_EXIT_OTHER);
}

static int run(int argc, char **argv)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        const char *option = argv[at];
        if (!strcmp(option, "-h") || !strcmp(option, "--help"))
            return print_help();
        if (!strcmp(option, "--version"))
            return print_version();
        if (strcmp(option, "-q") && strcmp(option, "--quiet")) {
            ouro_command_complain("%s is not an option (ouro -h explains)", option);
            return OURO_EXIT_USAGE;
        }
        ouro_quiet = true;
    }
    if (at == argc) {
        ouro_command_complain("usage: ouro COMMAND [OPTIONS] ARGUMENTS (ouro -h lists the commands)");
        return OURO_EXIT_USAGE;
    }
    if (!strcmp(argv[at], "help"))
        return print_help();
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(argv[at], commands[i].name)) {
            if (commands[i].cancellable) {
                catch_interruptions();
                ouro_faults_catch();
            }
            return commands[i].run(argc - at, argv + at);
        }
    ouro_command_complain("\"%s\" is not a command (ouro -h lists them)", argv[at]);
    return OURO_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    occupy_standard_files();
    /* A reader that goes away is an error of write, told in words, and no sudden death. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes likewise */
    return run(argc, argv);
}
