#include "capture/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"

#define NS_PER_S UINT64_C(1000000000)
#define AMOUNT_MAX 1e18

/* Decimal digits with at most one point; false: none there. strtod would take "inf", "0x1p3" and a locale's comma. */
static bool parse_number(const char **text, double *value)
{
    const char *at = *text;
    double scale = 1;
    *value = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        *value = *value * 10 + (*at - '0');
    if (at == *text)
        return false;
    if (*at == '.' && at[1] >= '0' && at[1] <= '9')
        for (at++; *at >= '0' && *at <= '9'; at++)
            *value += (*at - '0') * (scale /= 10);
    *text = at;
    return true;
}

static enum ouro_status wrong(const char *text, const char *at, size_t *place, struct ouro_err *err, const char *what)
{
    *place = (size_t)(at - text);
    return ouro_err_set(err, OURO_INVAL, "%s", what);
}

enum ouro_status ouro_watch_duration_parse(const char *text, uint64_t least_ns, uint64_t *ns, size_t *place,
                                           struct ouro_err *err)
{
    static const struct { const char *name; double seconds; } units[] = {
        {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}; /* ms before m */
    const char *at = text;
    double value;
    if (!parse_number(&at, &value))
        return wrong(text, at, place, err, "a number is missing: durations are written 10s, 5m or 1h");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(at, units[i].name, length))
            continue;
        if (at[length])
            return wrong(text, at + length, place, err, "nothing can follow the unit");
        value *= units[i].seconds;
        if (value * (double)NS_PER_S + 0.5 < (double)least_ns || value > 3660 * 86400.0) {
            *place = 0;
            return ouro_err_set(err, OURO_INVAL, "from %g s to ten years", (double)least_ns / (double)NS_PER_S);
        }
        *ns = (uint64_t)(value * (double)NS_PER_S + 0.5);
        return OURO_OK;
    }
    return wrong(text, at, place, err, *at ? "no unit of time: ms, s, m, h or d" : "the unit is missing: ms, s, m, h or d");
}

enum ouro_status ouro_watch_line_parse(const char *text, struct ouro_watch_line *line, size_t *place, struct ouro_err *err)
{
    static const char units[] = "KMGT";
    const char *at = text + strspn(text, " ");
    memset(line, 0, sizeof *line);
    if (strncmp(at, "rss", 3))
        return wrong(text, at, place, err, "only rss is known: rss>2G, rss+500M or rss+20%");
    at += 3 + strspn(at + 3, " ");
    if (*at != '>' && *at != '+')
        return wrong(text, at, place, err, "> or + is missing: rss>2G, rss+500M or rss+20%");
    line->kind = *at == '>' ? OURO_WATCH_ABOVE : OURO_WATCH_GROWN_BYTES;
    at += 1 + strspn(at + 1, " ");
    const char *number = at;
    if (!parse_number(&at, &line->amount))
        return wrong(text, at, place, err, "a number is missing: rss>2G, rss+500M or rss+20%");
    if (*at == '%' && line->kind == OURO_WATCH_ABOVE)
        return wrong(text, at, place, err, "per cent of what? rss+20% is more than at the last snapshot by a fifth");
    if (*at == '%') {
        line->kind = OURO_WATCH_GROWN_PERCENT;
        at++;
    } else if (*at && strchr(units, *at)) {
        for (const char *unit = units; unit <= strchr(units, *at); unit++)
            line->amount *= 1024;
        at++;
        at += !strncmp(at, "iB", 2) ? 2 : *at == 'B';
    } else if (*at == 'B') {
        at++;
    }
    at += strspn(at, " ");
    if (*at)
        return wrong(text, at, place, err, "K, M, G, T or % can follow the number, and nothing behind it");
    if (!(line->amount > 0) || line->amount > AMOUNT_MAX)
        return wrong(text, number, place, err, "no such amount of memory");
    return OURO_OK;
}

/* Looks at each line, also when there is another reason already: what is crossed now is told now. */
static bool crosses(struct ouro_watch *watch, uint64_t rss_bytes)
{
    bool any = false;
    for (size_t i = watch->line_count; i--;) {
        struct ouro_watch_line *line = &watch->lines[i];
        double rss = (double)rss_bytes, last = (double)watch->last_rss;
        bool now;
        if (line->kind == OURO_WATCH_ABOVE) {
            now = !line->crossed && rss > line->amount;
            if (rss > line->amount)
                line->crossed = true;
            else if (rss < line->amount * 0.95)
                line->crossed = false;
        } else {
            double more = line->kind == OURO_WATCH_GROWN_BYTES ? line->amount : last * line->amount / 100;
            now = watch->taken && rss >= last + more;
        }
        if (now)
            watch->line = i;
        any |= now;
    }
    return any;
}

enum ouro_watch_reason ouro_watch_decide(struct ouro_watch *watch, uint64_t now_ns, uint64_t rss_bytes)
{
    bool line = crosses(watch, rss_bytes);
    if (watch->count && watch->taken >= watch->count)
        return OURO_WATCH_ENOUGH;
    if (!watch->taken)
        return OURO_WATCH_FIRST;
    if (line)
        return OURO_WATCH_LINE;
    if (watch->every_ns && now_ns >= watch->next_ns)
        return OURO_WATCH_INTERVAL;
    return watch->every_ns || watch->line_count ? OURO_WATCH_WAIT : OURO_WATCH_ENOUGH;
}

void ouro_watch_taken(struct ouro_watch *watch, uint64_t now_ns, uint64_t rss_bytes)
{
    watch->last_rss = rss_bytes;
    if (watch->every_ns && !watch->taken)
        watch->next_ns = now_ns + watch->every_ns;
    else if (watch->every_ns && now_ns >= watch->next_ns)
        watch->next_ns += ((now_ns - watch->next_ns) / watch->every_ns + 1) * watch->every_ns;
    watch->taken++;
}

enum ouro_status ouro_watch_look(pid_t pid, struct ouro_watch_look *look, struct ouro_err *err)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (size < 0 && errno != ENOENT && errno != ESRCH)
        return ouro_err_sys(err, errno, "can't read %s", path);
    text[size > 0 ? size : 0] = 0;
    char *at = strrchr(text, ')'); /* a name may hold anything, also ")" */
    if (!at || at[1] != ' ' || strchr("ZXx", at[2]))
        return ouro_err_set(err, OURO_GONE, "there is no process %d, or it has ended", (int)pid);
    at += 2;
    for (int field = 3; field < 22 && at; field++) { /* the state is field 3 */
        at = strchr(at, ' ');
        at += at != NULL;
    }
    if (!at)
        return ouro_err_set(err, OURO_BADDATA, "%s is not as it should be", path);
    look->start_ticks = strtoull(at, &at, 10);
    strtoull(at, &at, 10); /* vsize */
    long pages = strtol(at, NULL, 10), page_bytes = sysconf(_SC_PAGESIZE);
    look->rss_bytes = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
    return OURO_OK;
}
