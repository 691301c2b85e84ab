/* FILE: a buffer over a descriptor. A program sees only its address. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crt.h"

enum { MOST_STREAMS = 512, ROOM = 4096, END = -1 };
enum { OPEN = 1, READS = 2, WRITES = 4, AT_END = 8, BROKEN = 16, UNBUFFERED = 32, OWN_BUFFER = 64, LINES = 128 };

struct stream {
    int fd, flags;
    char *buffer;
    size_t room, start, end; /* of what was read and not yet taken, or with start = 0 of what is to be written */
    int reading;
};

static struct stream streams[MOST_STREAMS] = {
    {.fd = 0, .flags = OPEN | READS},
    {.fd = 1, .flags = OPEN | WRITES},
    {.fd = 2, .flags = OPEN | WRITES | UNBUFFERED},
};

struct stream *standard_stream(unsigned index) {
    struct stream *stream = &streams[index < 3 ? index : 2];
    if (index == 1 && !stream->buffer && file_is_console(1))
        stream->flags |= UNBUFFERED;
    return stream;
}

static int flush(struct stream *stream) {
    if (stream->reading || !stream->end)
        return 0;
    size_t size = stream->end;
    stream->end = 0;
    if (file_write(stream->fd, stream->buffer, size) < 0) {
        stream->flags |= BROKEN;
        return END;
    }
    return 0;
}

void flush_streams(void) {
    for (struct stream *each = streams; each < streams + MOST_STREAMS; each++)
        if (each->flags & OPEN)
            flush(each);
}

static int give_buffer(struct stream *stream) {
    if (stream->buffer)
        return 0;
    stream->buffer = malloc(ROOM);
    stream->room = ROOM;
    stream->flags |= OWN_BUFFER;
    return stream->buffer ? 0 : fail_with(CRT_ENOMEM);
}

static int begin_writing(struct stream *stream) {
    if (!(stream->flags & WRITES) || give_buffer(stream)) {
        stream->flags |= BROKEN;
        return fail_with(CRT_EBADF);
    }
    if (stream->reading) {
        stream->reading = 0;
        stream->start = stream->end = 0;
    }
    return 0;
}

void stream_write(struct stream *stream, const char *text, size_t size) {
    if (begin_writing(stream))
        return;
    while (size) {
        size_t part = stream->room - stream->end < size ? stream->room - stream->end : size;
        memcpy(stream->buffer + stream->end, text, part);
        stream->end += part;
        text += part;
        size -= part;
        if (stream->end == stream->room && flush(stream))
            return;
    }
}

int stream_result(struct stream *stream, int made) {
    if (stream->flags & UNBUFFERED)
        flush(stream);
    return stream->flags & BROKEN ? END : made;
}

/* The next byte, which stays there; END at the end or without one. */
static int peek(struct stream *stream) {
    if (!stream->reading) {
        if (flush(stream) || !(stream->flags & READS) || give_buffer(stream)) {
            stream->flags |= BROKEN;
            return END;
        }
        stream->reading = 1;
        stream->start = stream->end = 0;
    }
    if (stream->start == stream->end) {
        if (stream == &streams[0])
            flush_streams(); /* a prompt is to be seen */
        int count = file_read(stream->fd, stream->buffer, stream->room);
        if (count <= 0) {
            stream->flags |= count ? BROKEN : AT_END;
            return END;
        }
        stream->start = 0;
        stream->end = count;
    }
    return (BYTE)stream->buffer[stream->start];
}

static int next(struct stream *stream) {
    int unit = peek(stream);
    if (unit != END)
        stream->start++;
    return unit;
}

/* --- opening --- */

static int flags_of(const char *mode, int *stream_flags) {
    int flags = 0;
    *stream_flags = OPEN;
    switch (*mode) {
    case 'r':
        *stream_flags |= READS;
        break;
    case 'w':
        *stream_flags |= WRITES;
        flags = O_MS_WRONLY | O_MS_CREAT | O_MS_TRUNC;
        break;
    case 'a':
        *stream_flags |= WRITES;
        flags = O_MS_WRONLY | O_MS_CREAT | O_MS_APPEND;
        break;
    default:
        return -1;
    }
    for (mode++; *mode && *mode != ','; mode++) {
        if (*mode == '+') {
            *stream_flags |= READS | WRITES;
            flags = flags & ~O_MS_WRONLY | O_MS_RDWR;
        } else if (*mode == 'b')
            flags |= O_MS_BINARY;
        else if (*mode == 't')
            flags |= O_MS_TEXT;
        else if (*mode == 'x')
            flags |= O_MS_EXCL;
    }
    return flags;
}

static struct stream *free_stream(void) {
    for (struct stream *each = streams + 3; each < streams + MOST_STREAMS; each++)
        if (!each->flags)
            return each;
    fail_with(24);
    return 0;
}

MS(struct stream *, fopen, const char *path, const char *mode) {
    int stream_flags, flags = flags_of(mode, &stream_flags);
    struct stream *stream = free_stream();
    if (flags < 0)
        fail_with(CRT_EINVAL);
    int fd = flags < 0 || !stream ? -1 : file_open(path, flags, 0600);
    if (fd < 0)
        return 0;
    *stream = (struct stream){.fd = fd, .flags = stream_flags};
    return stream;
}

MS(struct stream *, _wfopen, const WCHAR *path, const WCHAR *mode) {
    char *name = new_narrow(path), *how = new_narrow(mode);
    struct stream *stream = ms_fopen(name, how);
    free(name);
    free(how);
    return stream;
}

MS(int, fopen_s, struct stream **out, const char *path, const char *mode) {
    *out = ms_fopen(path, mode);
    return *out ? 0 : 2;
}

MS(struct stream *, _fdopen, int fd, const char *mode) {
    struct stream *stream = free_stream();
    int stream_flags;
    if (flags_of(mode, &stream_flags) < 0 || !stream)
        return 0;
    *stream = (struct stream){.fd = fd, .flags = stream_flags};
    return stream;
}

MS(int, fclose, struct stream *stream) {
    int failed = flush(stream) | file_close(stream->fd);
    if (stream->flags & OWN_BUFFER)
        free(stream->buffer);
    *stream = (struct stream){0};
    return failed ? END : 0;
}

MS(struct stream *, __acrt_iob_func, unsigned index) { return standard_stream(index); }
MS(int, _fileno, struct stream *stream) { return stream->fd; }

/* --- whole calls --- */

MS(int, fflush, struct stream *stream) {
    if (stream)
        return flush(stream);
    flush_streams();
    return 0;
}

MS(size_t, fwrite, const void *units, size_t size, size_t count, struct stream *stream) {
    if (!size || !count)
        return 0;
    stream_write(stream, units, size * count);
    return stream_result(stream, 0) ? 0 : count;
}

MS(int, fputs, const char *text, struct stream *stream) {
    stream_write(stream, text, strlen(text));
    return stream_result(stream, 0);
}

MS(int, puts, const char *text) {
    struct stream *out = standard_stream(1);
    stream_write(out, text, strlen(text));
    stream_write(out, "\n", 1);
    return stream_result(out, 0);
}

MS(int, fputc, int unit, struct stream *stream) {
    char byte = unit;
    stream_write(stream, &byte, 1);
    return stream_result(stream, (BYTE)byte);
}
MS(int, putc, int unit, struct stream *stream) { return ms_fputc(unit, stream); }
MS(int, putchar, int unit) { return ms_fputc(unit, standard_stream(1)); }

MS(size_t, fread, char *out, size_t size, size_t count, struct stream *stream) {
    size_t wanted = size * count, made = 0;
    while (made < wanted && peek(stream) != END) {
        size_t part = stream->end - stream->start;
        part = part < wanted - made ? part : wanted - made;
        memcpy(out + made, stream->buffer + stream->start, part);
        stream->start += part;
        made += part;
    }
    return size ? made / size : 0;
}

MS(char *, fgets, char *out, int room, struct stream *stream) {
    int made = 0, unit = 0;
    while (made < room - 1 && unit != '\n' && (unit = next(stream)) != END)
        out[made++] = unit;
    if (room > 0)
        out[made] = 0;
    return made ? out : 0;
}

MS(int, fgetc, struct stream *stream) { return next(stream); }
MS(int, getc, struct stream *stream) { return next(stream); }
MS(int, getchar, void) { return next(standard_stream(0)); }

MS(int, ungetc, int unit, struct stream *stream) {
    if (unit == END || (peek(stream), !stream->reading || !stream->buffer))
        return END;
    if (!stream->start) {
        if (stream->end == stream->room)
            return END;
        memmove(stream->buffer + 1, stream->buffer, stream->end++);
        stream->start = 1;
    }
    stream->buffer[--stream->start] = unit;
    stream->flags &= ~AT_END;
    return (BYTE)unit;
}

MS(int, feof, struct stream *stream) { return !!(stream->flags & AT_END); }
MS(int, ferror, struct stream *stream) { return !!(stream->flags & BROKEN); }
MS(void, clearerr, struct stream *stream) { stream->flags &= ~(AT_END | BROKEN); }

MS(int, setvbuf, struct stream *stream, char *buffer, int mode, size_t size) {
    if (stream->end || mode == 4) { /* _IONBF */
        stream->flags = mode == 4 ? stream->flags | UNBUFFERED : stream->flags;
        return 0;
    }
    stream->flags &= ~UNBUFFERED;
    if (buffer && size > 1) {
        if (stream->flags & OWN_BUFFER)
            free(stream->buffer);
        stream->flags &= ~OWN_BUFFER;
        stream->buffer = buffer;
        stream->room = size;
    }
    return 0;
}
MS(void, setbuf, struct stream *stream, char *buffer) { ms_setvbuf(stream, buffer, buffer ? 0 : 4, 512); }

/* --- places --- */

/* Bytes of the file that the unread part of the buffer took: in text mode each line feed came from two. */
static int64_t unread(struct stream *stream) {
    int64_t size = stream->end - stream->start;
    for (size_t k = stream->start; file_is_text(stream->fd) && k < stream->end; k++)
        size += stream->buffer[k] == '\n';
    return size;
}

MS(int64_t, _ftelli64, struct stream *stream) {
    int64_t place = lseek(stream->fd, 0, SEEK_CUR);
    if (place < 0)
        return fail();
    if (stream->reading)
        return place - unread(stream);
    for (size_t k = 0; file_is_text(stream->fd) && k < stream->end; k++)
        place += stream->buffer[k] == '\n';
    return place + stream->end;
}

MS(int, _fseeki64, struct stream *stream, int64_t offset, int whence) {
    if (stream->reading && whence == SEEK_CUR)
        offset -= unread(stream);
    if (flush(stream) || lseek(stream->fd, offset, whence) < 0)
        return fail();
    stream->reading = 0;
    stream->start = stream->end = 0;
    stream->flags &= ~AT_END;
    return 0;
}
MS(LONG, ftell, struct stream *stream) { return ms__ftelli64(stream); }
MS(int, fseek, struct stream *stream, LONG offset, int whence) { return ms__fseeki64(stream, offset, whence); }
MS(void, rewind, struct stream *stream) {
    ms__fseeki64(stream, 0, SEEK_SET);
    stream->flags &= ~BROKEN;
}

/* --- printf --- */

struct stream_sink {
    struct sink sink;
    struct stream *stream;
};

static void put_narrow(struct sink *sink, const void *units, size_t count) {
    stream_write(((struct stream_sink *)sink)->stream, units, count);
}

static void put_wide(struct sink *sink, const void *units, size_t count) {
    char *text = malloc(3 * count);
    if (text)
        stream_write(((struct stream_sink *)sink)->stream, text, utf8_from_wide(units, count, text, 3 * count));
    free(text);
}

MS(int, __stdio_common_vfprintf, QWORD options, struct stream *stream, const char *text, void *locale, char *arguments) {
    struct stream_sink sink = {{put_narrow, 0, 0}, stream};
    return stream_result(stream, format(&sink.sink, options, text, arguments));
}

MS(int, __stdio_common_vfwprintf, QWORD options, struct stream *stream, const WCHAR *text, void *locale,
   char *arguments) {
    struct stream_sink sink = {{put_wide, 1, 0}, stream};
    return stream_result(stream, format(&sink.sink, options, text, arguments));
}
