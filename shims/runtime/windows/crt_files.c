/* Files by descriptor. In text mode a line feed is written as two bytes and read back as one, and ^Z ends a file. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crt.h"

enum { MOST_FILES = 2048, CTRL_Z = 26 };
enum { BINARY = 1, ENDED = 2, APPEND = 4 };

static BYTE modes[MOST_FILES];
static int default_mode = O_MS_TEXT;

int file_is_text(int fd) { return (unsigned)fd < MOST_FILES && !(modes[fd] & BINARY); }

int file_is_console(int fd) {
    struct stat state;
    return !fstat(fd, &state) && S_ISCHR(state.st_mode);
}

char *unix_path(const char *path) {
    if ((path[0] | 32) == 'z' && path[1] == ':')
        path += 2;
    char *made = strdup(path);
    for (char *at = made; at && *at; at++)
        if (*at == '\\')
            *at = '/';
    return made;
}

int file_open(const char *path, int flags, int mode) {
    int wanted = flags & O_MS_RDWR ? O_RDWR : flags & O_MS_WRONLY ? O_WRONLY : O_RDONLY;
    wanted |= (flags & O_MS_APPEND ? O_APPEND : 0) | (flags & O_MS_CREAT ? O_CREAT : 0) |
              (flags & O_MS_TRUNC ? O_TRUNC : 0) | (flags & O_MS_EXCL ? O_EXCL : 0);
    char *name = unix_path(path);
    int fd = open(name, wanted, mode & 0200 || !(flags & O_MS_CREAT) ? 0666 : 0444);
    free(name);
    if (fd < 0)
        return fail();
    if (fd >= MOST_FILES) {
        close(fd);
        return fail_with(24);
    }
    int kind = flags & (O_MS_BINARY | O_MS_TEXT);
    modes[fd] = (kind ? kind : default_mode) & O_MS_BINARY ? BINARY : 0;
    return fd;
}

/* Drops the CR of each CR LF in place; a CR at the end looks one byte further. */
static int from_text(int fd, char *text, int size) {
    int made = 0;
    for (int k = 0; k < size; k++) {
        char next = k + 1 < size ? text[k + 1] : 0;
        if (text[k] == CTRL_Z) {
            modes[fd] |= ENDED;
            break;
        }
        if (text[k] == '\r' && k + 1 == size && read(fd, &next, 1) == 1 && next != '\n')
            lseek(fd, -1, SEEK_CUR);
        if (text[k] == '\r' && next == '\n') {
            text[made++] = '\n';
            k++;
        } else
            text[made++] = text[k];
    }
    return made;
}

int file_read(int fd, char *out, size_t size) {
    if ((unsigned)fd >= MOST_FILES)
        return fail_with(CRT_EBADF);
    if (modes[fd] & ENDED)
        return 0;
    int count = read(fd, out, size < 0x7fffffff ? size : 0x7fffffff);
    if (count < 0)
        return fail();
    return file_is_text(fd) ? from_text(fd, out, count) : count;
}

static int write_all(int fd, const char *text, size_t size) {
    while (size) {
        ssize_t count = write(fd, text, size);
        if (count < 0)
            return fail();
        text += count;
        size -= count;
    }
    return 0;
}

int file_write(int fd, const char *text, size_t size) {
    if ((unsigned)fd >= MOST_FILES)
        return fail_with(CRT_EBADF);
    if (!file_is_text(fd))
        return write_all(fd, text, size) ? -1 : (int)size;
    char room[2048];
    size_t made = 0;
    for (size_t k = 0; k < size; k++) {
        if (text[k] == '\n')
            room[made++] = '\r';
        room[made++] = text[k];
        if (made >= sizeof room - 2 || k + 1 == size) {
            if (write_all(fd, room, made))
                return -1;
            made = 0;
        }
    }
    return size;
}

int file_close(int fd) {
    if ((unsigned)fd < MOST_FILES)
        modes[fd] = 0;
    return close(fd) < 0 ? fail() : 0;
}

MS(int, _open, const char *path, int flags, int mode) { return file_open(path, flags, mode); }
MS(int, _read, int fd, void *out, unsigned size) { return file_read(fd, out, size); }
MS(int, _write, int fd, const void *text, unsigned size) { return file_write(fd, text, size); }
MS(int, _close, int fd) { return file_close(fd); }
MS(int, _isatty, int fd) { return file_is_console(fd) ? 64 : 0; }

MS(int64_t, _lseeki64, int fd, int64_t offset, int whence) {
    int64_t place = lseek(fd, offset, whence);
    if ((unsigned)fd < MOST_FILES)
        modes[fd] &= ~ENDED;
    return place < 0 ? fail() : place;
}
MS(LONG, _lseek, int fd, LONG offset, int whence) { return ms__lseeki64(fd, offset, whence); }

MS(int, _setmode, int fd, int mode) {
    if ((unsigned)fd >= MOST_FILES)
        return fail_with(CRT_EBADF);
    int old = file_is_text(fd) ? O_MS_TEXT : O_MS_BINARY;
    modes[fd] = mode == O_MS_BINARY ? modes[fd] | BINARY : modes[fd] & ~BINARY;
    return old;
}

MS(int *, __p__fmode, void) { return &default_mode; }
MS(int, _set_fmode, int mode) {
    default_mode = mode;
    return 0;
}

static int path_call(int (*call)(const char *), const char *path) {
    char *name = unix_path(path);
    int done = call(name);
    free(name);
    return done < 0 ? fail() : 0;
}
MS(int, remove, const char *path) { return path_call(unlink, path); }
MS(int, _unlink, const char *path) { return path_call(unlink, path); }
MS(int, _rmdir, const char *path) { return path_call(rmdir, path); }
MS(int, _chdir, const char *path) { return path_call(chdir, path); }
