/* The C runtime's own parts. */
#ifndef CRT_H
#define CRT_H

#include "runtime.h"

/* crt_errno.c */
int fail(void); /* errno of the host half as the CRT's; -1 */
int fail_with(int number);
enum { CRT_EBADF = 9, CRT_ENOMEM = 12, CRT_EINVAL = 22, CRT_ERANGE = 34, CRT_EILSEQ = 42 };

/* crt_files.c: files by descriptor, text mode done. */
int file_open(const char *path, int flags, int mode);
int file_read(int fd, char *out, size_t size);
int file_write(int fd, const char *text, size_t size);
int file_close(int fd);
int file_is_text(int fd);
int file_is_console(int fd);
char *unix_path(const char *path);
enum { O_MS_WRONLY = 1, O_MS_RDWR = 2, O_MS_APPEND = 8, O_MS_CREAT = 0x100, O_MS_TRUNC = 0x200, O_MS_EXCL = 0x400 };
enum { O_MS_TEXT = 0x4000, O_MS_BINARY = 0x8000 };

/* crt_streams.c */
struct stream;
struct stream *standard_stream(unsigned index);
void stream_write(struct stream *stream, const char *text, size_t size);
int stream_result(struct stream *stream, int made); /* after a call: what unbuffered streams hold is written out */
void flush_streams(void);

/* crt_format.c */
struct sink {
    void (*put)(struct sink *sink, const void *units, size_t count); /* bytes, or 16-bit units of a wide sink */
    int wide;
    size_t made;
};
int format(struct sink *sink, QWORD options, const void *text, char *arguments);

#endif
