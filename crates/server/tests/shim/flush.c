/*
 * A disk that forgets: loaded into a process with LD_PRELOAD, this library keeps a mirror of a folder that holds only what
 * was flushed. After the process is killed, the mirror is what a disk would hold after a power cut at that moment.
 *
 *   USHER_SHIM_FOLDER          the folder whose files are watched; those below it as well
 *   USHER_SHIM_DURABLE         the mirror: when the process starts it holds the same as the folder. Without it, none is kept
 *   USHER_SHIM_FLUSH_DELAY_US  every flush takes so many microseconds longer; needs no folder
 *   USHER_SHIM_FAIL_FLUSH      while a file of this name exists, no flush of a watched file comes through: EIO
 *
 * The rules of the mirror:
 *   - A write, or a change of length, is remembered as a dirty range of the file, whichever descriptor it came by.
 *   - fsync and fdatasync of a file copy its dirty ranges into the mirror's file, and its length. A new file's name becomes
 *     durable with the file's first flush, as journals of file systems have it.
 *   - A removed or changed name becomes durable when a folder is flushed, or when a file that now has one of the names is.
 *   - Nothing else reaches the mirror. Writes through a memory map are not seen; SQLite writes only its index of the log that
 *     way, which it makes anew after a crash.
 *
 * The system is called directly: whatever goes through these functions must not come back to them.
 */
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8 && sizeof(long) == 8, "positions are handed to the system in one register");

/* Bytes that were written and not flushed: from `start` up to and without `end`. */
struct range {
    off_t start, end;
};

/* A watched file. Its descriptors come and go, its inode stays. */
struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    struct range *dirty;
    size_t count, capacity;
};

/* A name that was changed or removed (`to` is empty) and not flushed. Names are those below the folder. */
struct change {
    struct change *next;
    char from[PATH_MAX], to[PATH_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static struct change *changes; /* oldest first */

static char folder[PATH_MAX]; /* empty: nothing is watched */
static char durable[PATH_MAX]; /* empty: no mirror is kept */
static const char *failing;
static long delay;

/* A proof whose tool is broken proves nothing, so it ends at once. */
static void give_up(const char *what)
{
    fprintf(stderr, "flush shim: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void *reserve(void *old, size_t size)
{
    void *memory = realloc(old, size);
    if (memory == NULL)
        give_up("memory");
    return memory;
}

static void read_folder(const char *variable, char *path)
{
    const char *value = getenv(variable);
    if (value != NULL && realpath(value, path) == NULL)
        give_up(variable);
}

__attribute__((constructor)) static void begin(void)
{
    read_folder("USHER_SHIM_FOLDER", folder);
    read_folder("USHER_SHIM_DURABLE", durable);
    const char *text = getenv("USHER_SHIM_FAIL_FLUSH");
    failing = text == NULL ? NULL : strdup(text);
    text = getenv("USHER_SHIM_FLUSH_DELAY_US");
    delay = text == NULL ? 0 : strtol(text, NULL, 10);
    /* The program knows nothing of these, and refuses variables of its prefix that it does not know. */
    static const char *const ours[] = {"FOLDER", "DURABLE", "FAIL_FLUSH", "FLUSH_DELAY_US"};
    for (size_t place = 0; place < sizeof ours / sizeof *ours; place++) {
        char variable[64];
        snprintf(variable, sizeof variable, "USHER_SHIM_%s", ours[place]);
        unsetenv(variable);
    }
}

/* ---- names ---- */

/* Gives the part of `path` below the folder: empty for the folder itself, NULL for what is elsewhere. */
static const char *below(const char *path)
{
    size_t length = strlen(folder);
    if (length == 0 || strncmp(path, folder, length) != 0)
        return NULL;
    if (path[length] == '\0')
        return path + length;
    return path[length] == '/' ? path + length + 1 : NULL;
}

/* Writes the present path of `descriptor`; of a removed file it ends in " (deleted)". */
static bool path_of(int descriptor, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return true;
}

/* Writes the name below the folder of what `path`, seen from the folder `at`, names. Its last part need not exist. */
static bool name_of(int at, const char *path, char *name)
{
    char whole[PATH_MAX] = "", parent[PATH_MAX], real[2 * PATH_MAX];
    if (path[0] != '/' && !(at == AT_FDCWD ? getcwd(whole, sizeof whole) != NULL : path_of(at, whole)))
        return false;
    if (snprintf(parent, sizeof parent, "%s/%s", whole, path) >= (int)sizeof parent)
        return false;
    char *last = strrchr(parent, '/');
    *last = '\0';
    if (realpath(parent[0] == '\0' ? "/" : parent, whole) == NULL)
        return false;
    snprintf(real, sizeof real, "%s/%s", whole, last + 1);
    const char *found = below(real);
    return found != NULL && snprintf(name, PATH_MAX, "%s", found) < PATH_MAX;
}

static void mirror_path(const char *name, char *path)
{
    if (snprintf(path, PATH_MAX, "%s/%s", durable, name) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        give_up(name);
    }
}

/* Makes the folders of the mirror that `path` is in. */
static void make_parents(char *path)
{
    for (char *slash = strchr(path + strlen(durable) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            give_up(path);
        *slash = '/';
    }
}

/* Opens the mirror's file `name`. */
static int open_mirror(const char *name)
{
    char path[PATH_MAX];
    mirror_path(name, path);
    make_parents(path);
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        give_up(path);
    return descriptor;
}

/* ---- what is dirty; the lock is held in all of these ---- */

static struct file *known(const struct stat *status)
{
    for (struct file *file = files; file != NULL; file = file->next)
        if (file->device == status->st_dev && file->inode == status->st_ino)
            return file;
    return NULL;
}

/* Gives the watched file behind `descriptor`, or NULL if it is none. */
static struct file *watched(int descriptor)
{
    struct stat status;
    char path[PATH_MAX];
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink == 0)
        return NULL;
    struct file *file = known(&status);
    if (file != NULL || !path_of(descriptor, path) || below(path) == NULL)
        return file;
    file = reserve(NULL, sizeof *file);
    *file = (struct file){.next = files, .device = status.st_dev, .inode = status.st_ino};
    files = file;
    return file;
}

/* Forgets a file whose last name is gone: its inode may become another's. */
static void forget(const struct stat *status)
{
    struct file *file = known(status);
    if (file == NULL || status->st_nlink > 1)
        return;
    struct file **place = &files;
    while (*place != file)
        place = &(*place)->next;
    *place = file->next;
    free(file->dirty);
    free(file);
}

static void mark(struct file *file, off_t start, off_t end)
{
    if (file == NULL || start >= end)
        return;
    struct range *last = file->count == 0 ? NULL : &file->dirty[file->count - 1];
    if (last != NULL && start <= last->end && end >= last->start) {
        last->start = start < last->start ? start : last->start;
        last->end = end > last->end ? end : last->end;
        return;
    }
    if (file->count == file->capacity) {
        file->capacity = file->capacity == 0 ? 64 : 2 * file->capacity;
        file->dirty = reserve(file->dirty, file->capacity * sizeof *file->dirty);
    }
    file->dirty[file->count++] = (struct range){start, end};
}

static void note_change(const char *from, const char *to)
{
    struct change *change = reserve(NULL, sizeof *change);
    change->next = NULL;
    snprintf(change->from, sizeof change->from, "%s", from);
    snprintf(change->to, sizeof change->to, "%s", to);
    struct change **place = &changes;
    while (*place != NULL)
        place = &(*place)->next;
    *place = change;
}

/* ---- what reaches the mirror; the lock is held ---- */

static void settle_change(const struct change *change)
{
    char from[PATH_MAX], to[PATH_MAX];
    mirror_path(change->from, from);
    mirror_path(change->to, to);
    if (change->to[0] == '\0') {
        if (syscall(SYS_unlinkat, AT_FDCWD, from, 0) != 0 && errno != ENOENT)
            give_up(from);
        return;
    }
    make_parents(to);
    if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) == 0)
        return;
    /* What was never flushed has no content to bring along. */
    if (errno != ENOENT)
        give_up(from);
    close(open_mirror(change->to));
    if (truncate(to, 0) != 0)
        give_up(to);
}

/* The newest change of a name that concerns `name`; of any name if that is NULL. */
static const struct change *newest_change(const char *name)
{
    const struct change *newest = NULL;
    for (const struct change *change = changes; change != NULL; change = change->next)
        if (name == NULL || strcmp(change->from, name) == 0 || strcmp(change->to, name) == 0)
            newest = change;
    return newest;
}

/* Makes the changes that concern `name` durable, and those before them: a journal keeps their order. */
static void settle(const char *name)
{
    const struct change *newest = newest_change(name);
    for (bool is_newest = newest == NULL; !is_newest;) {
        struct change *change = changes;
        is_newest = change == newest;
        changes = change->next;
        settle_change(change);
        free(change);
    }
}

static void copy(int from, int to, struct range range)
{
    static char buffer[1 << 16];
    while (range.start < range.end) {
        size_t wanted = range.end - range.start < (off_t)sizeof buffer ? (size_t)(range.end - range.start) : sizeof buffer;
        ssize_t got = syscall(SYS_pread64, from, buffer, wanted, range.start);
        if (got == 0)
            return; /* the file ends here */
        if (got < 0 || syscall(SYS_pwrite64, to, buffer, got, range.start) != got)
            give_up("copying");
        range.start += got;
    }
}

static void mirror_file(int descriptor, struct file *file, const char *name)
{
    settle(name);
    struct stat status;
    int mirror = open_mirror(name);
    /* Not opened anew unless it must be: closing any descriptor of a file drops the locks that SQLite has on it. */
    bool is_readable = (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_WRONLY;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    int source = is_readable ? descriptor : (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
    if (source < 0 || fstat(descriptor, &status) != 0)
        give_up(name);
    for (size_t place = 0; place < file->count; place++)
        copy(source, mirror, file->dirty[place]);
    file->count = 0;
    if (syscall(SYS_ftruncate, mirror, status.st_size) != 0)
        give_up(name);
    if (!is_readable)
        close(source);
    close(mirror);
}

/* ---- flushing ---- */

static void wait_for_the_disk(void)
{
    struct timespec left = {delay / 1000000, delay % 1000000 * 1000};
    while (delay > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static int flush(long call, int descriptor)
{
    char path[PATH_MAX];
    const char *name = path_of(descriptor, path) ? below(path) : NULL;
    if (name != NULL && failing != NULL && access(failing, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    wait_for_the_disk();
    int result = (int)syscall(call, descriptor);
    if (result != 0 || name == NULL || durable[0] == '\0')
        return result;
    pthread_mutex_lock(&lock);
    struct stat status;
    struct file *file = watched(descriptor);
    if (file != NULL)
        mirror_file(descriptor, file, name);
    else if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
        settle(NULL);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int descriptor)
{
    return flush(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return flush(SYS_fdatasync, descriptor);
}

/* ---- writing ---- */

/* Whether writes to `descriptor` may matter. Sockets and pipes do not, and may block, so they stay clear of the lock. */
static bool may_be_watched(int descriptor)
{
    struct stat status;
    return durable[0] != '\0' && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

static ssize_t write_here(int descriptor, const struct iovec *parts, int count)
{
    if (!may_be_watched(descriptor))
        return syscall(SYS_writev, descriptor, parts, count);
    pthread_mutex_lock(&lock);
    ssize_t written = syscall(SYS_writev, descriptor, parts, count);
    off_t end = lseek(descriptor, 0, SEEK_CUR);
    if (written > 0)
        mark(watched(descriptor), end - written, end);
    pthread_mutex_unlock(&lock);
    return written;
}

static ssize_t write_at(int descriptor, const void *bytes, size_t count, off_t position)
{
    if (!may_be_watched(descriptor))
        return syscall(SYS_pwrite64, descriptor, bytes, count, position);
    pthread_mutex_lock(&lock);
    ssize_t written = syscall(SYS_pwrite64, descriptor, bytes, count, position);
    struct stat status;
    /* A descriptor that appends does so whatever the position. */
    if ((fcntl(descriptor, F_GETFL) & O_APPEND) != 0 && written > 0 && fstat(descriptor, &status) == 0)
        position = status.st_size - written;
    if (written > 0)
        mark(watched(descriptor), position, position + written);
    pthread_mutex_unlock(&lock);
    return written;
}

static int set_length(int descriptor, off_t length)
{
    struct stat before;
    if (!may_be_watched(descriptor))
        return (int)syscall(SYS_ftruncate, descriptor, length);
    pthread_mutex_lock(&lock);
    bool is_known = fstat(descriptor, &before) == 0;
    int result = (int)syscall(SYS_ftruncate, descriptor, length);
    if (result == 0 && is_known)
        mark(watched(descriptor), length, before.st_size); /* what was cut off is zero if it ever comes back */
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    struct iovec part = {(void *)bytes, count};
    return write_here(descriptor, &part, 1);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    return write_here(descriptor, parts, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t position)
{
    return write_at(descriptor, bytes, count, position);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t position)
{
    return write_at(descriptor, bytes, count, position);
}

int ftruncate(int descriptor, off_t length)
{
    return set_length(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length)
{
    return set_length(descriptor, length);
}

/* ---- opening: only one that empties the file changes anything ---- */

static int open_file(int at, const char *path, int flags, mode_t mode)
{
    struct stat before;
    bool empties = durable[0] != '\0' && (flags & O_TRUNC) != 0 && fstatat(at, path, &before, 0) == 0;
    if (!empties)
        return (int)syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    int descriptor = (int)syscall(SYS_openat, at, path, flags, mode);
    if (descriptor >= 0)
        mark(watched(descriptor), 0, before.st_size);
    pthread_mutex_unlock(&lock);
    return descriptor;
}

/* Reads the mode, which is there only if `flags` can make a file. */
#define MODE(flags, mode)                                                       \
    mode_t mode = 0;                                                            \
    if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) {       \
        va_list rest;                                                           \
        va_start(rest, flags);                                                  \
        mode = (mode_t)va_arg(rest, int);                                       \
        va_end(rest);                                                           \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_file(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_file(at, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_file(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return open_file(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* ---- names that change ---- */

static int remove_name(int at, const char *path, int flags)
{
    char name[PATH_MAX];
    struct stat before;
    bool is_ours = durable[0] != '\0' && name_of(at, path, name) && fstatat(at, path, &before, AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_ours)
        return (int)syscall(SYS_unlinkat, at, path, flags);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_unlinkat, at, path, flags);
    if (result == 0 && S_ISREG(before.st_mode)) {
        forget(&before);
        note_change(name, "");
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int change_name(int from_at, const char *from, int to_at, const char *to)
{
    char from_name[PATH_MAX], to_name[PATH_MAX];
    struct stat replaced;
    bool is_ours = durable[0] != '\0' && name_of(from_at, from, from_name) && name_of(to_at, to, to_name);
    if (!is_ours)
        return (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
    pthread_mutex_lock(&lock);
    bool replaces = fstatat(to_at, to, &replaced, AT_SYMLINK_NOFOLLOW) == 0;
    int result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
    if (result == 0) {
        if (replaces)
            forget(&replaced);
        note_change(from_name, to_name);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path)
{
    return remove_name(AT_FDCWD, path, 0);
}

int unlinkat(int at, const char *path, int flags)
{
    return remove_name(at, path, flags);
}

int rename(const char *from, const char *to)
{
    return change_name(AT_FDCWD, from, AT_FDCWD, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return change_name(from_at, from, to_at, to);
}
