#include "snapshot/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"

static enum ouro_status exists(const struct ouro_output *output, struct ouro_err *err)
{
    return ouro_err_set(err, OURO_INVAL, "%s exists already", output->path);
}

static enum ouro_status no_memory(struct ouro_err *err)
{
    return ouro_err_set(err, OURO_NOMEM, "no memory for a file name");
}

static enum ouro_status open_folder(struct ouro_output *output, struct ouro_err *err)
{
    char *slash = strrchr(output->path, '/');
    output->name = slash ? slash + 1 : output->path;
    if (!*output->name || !strcmp(output->name, ".") || !strcmp(output->name, ".."))
        return ouro_err_set(err, OURO_INVAL, "%s is a folder, not a file's name", output->path);
    OURO_FREE char *folder = NULL;
    if (!slash)
        folder = strdup(".");
    else
        folder = slash == output->path ? strdup("/") : strndup(output->path, (size_t)(slash - output->path));
    if (!folder)
        return no_memory(err);
    output->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (output->dir_fd >= 0)
        return OURO_OK;
    if (errno == ENOENT)
        return ouro_err_set(err, OURO_GONE, "the folder %s does not exist", folder);
    if (errno == ENOTDIR)
        return ouro_err_set(err, OURO_GONE, "%s is not a folder", folder);
    return ouro_err_sys(err, errno, "can't open the folder %s", folder);
}

/* Opens a temporary name with `make`, which yields -1 and EEXIST for a name that is taken. */
static int with_temporary_name(struct ouro_output *output, int (*make)(struct ouro_output *, const char *temp))
{
    size_t size = strlen(output->name) + sizeof ".01234567.tmp";
    char *temp = malloc(size);
    if (!temp) {
        errno = ENOMEM;
        return -1;
    }
    for (int attempt = 0; attempt < 100; attempt++) {
        uint32_t random = 0;
        if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
            random = (uint32_t)getpid() * 100 + (uint32_t)attempt;
        snprintf(temp, size, "%s.%08x.tmp", output->name, random);
        int result = make(output, temp);
        if (result >= 0) {
            output->temp = temp;
            return result;
        }
        if (errno != EEXIST)
            break;
    }
    int saved = errno;
    free(temp);
    errno = saved;
    return -1;
}

static int create_named(struct ouro_output *output, const char *temp)
{
    return openat(output->dir_fd, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Gives the nameless file a name that is not taken. The first way needs /proc, the second a capability. */
static int link_nameless(struct ouro_output *output, const char *name)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", output->fd);
    if (!linkat(AT_FDCWD, self, output->dir_fd, name, AT_SYMLINK_FOLLOW))
        return 0;
    int first_errno = errno;
    if (first_errno != EEXIST && !linkat(output->fd, "", output->dir_fd, name, AT_EMPTY_PATH))
        return 0;
    errno = first_errno;
    return -1;
}

enum ouro_status ouro_output_open(struct ouro_output *output, const char *path, bool overwrite, struct ouro_err *err)
{
    struct stat st;
    *output = (struct ouro_output){.fd = -1, .dir_fd = -1, .overwrite = overwrite};
    /* What a symbolic link points at is replaced, not the link. */
    if (overwrite && !lstat(path, &st) && S_ISLNK(st.st_mode)) {
        output->path = realpath(path, NULL);
        if (!output->path)
            return ouro_err_sys(err, errno, "can't follow the link %s", path);
    } else {
        output->path = strdup(path);
        if (!output->path)
            return no_memory(err);
    }
    OURO_TRY(open_folder(output, err));
    if (!fstatat(output->dir_fd, output->name, &st, AT_SYMLINK_NOFOLLOW)) {
        if (S_ISDIR(st.st_mode))
            return ouro_err_set(err, OURO_INVAL, "%s is a folder", path);
        if (!overwrite)
            return exists(output, err);
        if (!S_ISREG(st.st_mode))
            return ouro_err_set(err, OURO_INVAL, "%s is not a regular file", path);
    }
    output->fd = openat(output->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (output->fd < 0)
        output->fd = with_temporary_name(output, create_named);
    if (output->fd < 0)
        return ouro_err_sys(err, errno, "can't create a file in the folder of %s", path);
    /* The umask may have taken away what we need; it never adds. */
    if (fchmod(output->fd, 0600) < 0)
        return ouro_err_sys(err, errno, "can't set the mode of %s", path);
    return OURO_OK;
}

enum ouro_status ouro_output_open_memory(struct ouro_output *output, struct ouro_err *err)
{
    *output = (struct ouro_output){.fd = -1, .dir_fd = -1, .in_memory = true};
    output->path = strdup("a snapshot in memory");
    if (!output->path)
        return no_memory(err);
    output->fd = memfd_create("ouro snapshot", MFD_CLOEXEC);
    return output->fd < 0 ? ouro_err_sys(err, errno, "no memory for a snapshot") : OURO_OK;
}

int ouro_output_spool(struct ouro_output *output)
{
    int fd = output->in_memory ? memfd_create("ouro lists", MFD_CLOEXEC)
                               : openat(output->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || output->in_memory)
        return fd;
    struct ouro_output other = {.fd = -1, .dir_fd = output->dir_fd, .name = output->name};
    fd = with_temporary_name(&other, create_named);
    if (fd >= 0)
        unlinkat(output->dir_fd, other.temp, 0);
    free(other.temp);
    return fd;
}

void ouro_output_close(struct ouro_output *output)
{
    if (output->temp)
        unlinkat(output->dir_fd, output->temp, 0);
    if (output->fd >= 0)
        close(output->fd);
    if (output->dir_fd >= 0)
        close(output->dir_fd);
    free(output->temp);
    free(output->path);
    *output = (struct ouro_output){.fd = -1, .dir_fd = -1};
}

static enum ouro_status write_failed(const struct ouro_output *output, int sys_errno, struct ouro_err *err)
{
    if (sys_errno == ENOSPC || sys_errno == EDQUOT || sys_errno == EFBIG)
        return ouro_err_sys(err, sys_errno, "no space for %s: %llu bytes fitted", output->path,
                            (unsigned long long)output->size_bytes);
    return ouro_err_sys(err, sys_errno, "can't write %s", output->path);
}

enum ouro_status ouro_output_write(struct ouro_output *output, const void *bytes, size_t size, struct ouro_err *err)
{
    const unsigned char *from = bytes;
    while (size) {
        ssize_t put = write(output->fd, from, size);
        if (put < 0) {
            if (errno == EINTR)
                continue;
            return write_failed(output, errno, err);
        }
        from += put;
        size -= (size_t)put;
        output->size_bytes += (uint64_t)put;
    }
    return OURO_OK;
}

/* Without overwrite: a link, which fails when the name is taken, however late. */
static int publish_new(struct ouro_output *output)
{
    if (!output->temp)
        return link_nameless(output, output->name);
    if (!renameat2(output->dir_fd, output->temp, output->dir_fd, output->name, RENAME_NOREPLACE)) {
        free(output->temp);
        output->temp = NULL;
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return linkat(output->dir_fd, output->temp, output->dir_fd, output->name, 0); /* close removes the other name */
}

static int publish_over(struct ouro_output *output)
{
    if (!output->temp && with_temporary_name(output, link_nameless) < 0)
        return -1;
    if (renameat(output->dir_fd, output->temp, output->dir_fd, output->name) < 0)
        return -1;
    free(output->temp);
    output->temp = NULL;
    return 0;
}

enum ouro_status ouro_output_commit(struct ouro_output *output, struct ouro_err *err)
{
    if (output->in_memory)
        return OURO_OK;
    /* File systems without fsync (some FUSE ones) say EINVAL; others report here what writing met. */
    if (fsync(output->fd) < 0 && errno != EINVAL && errno != ENOSYS)
        return write_failed(output, errno, err);
    int result = output->overwrite ? publish_over(output) : publish_new(output);
    if (result < 0) {
        if (errno == EEXIST && !output->overwrite)
            return exists(output, err);
        return ouro_err_sys(err, errno, "can't give the snapshot its name %s", output->path);
    }
    /* The name too should survive a crash; that it can't be synced does no harm to the file. */
    (void)!fsync(output->dir_fd);
    return OURO_OK;
}
