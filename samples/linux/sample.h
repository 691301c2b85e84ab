/* What every sample shares: say() prints a line with one write, CHECK and FAILS print "ok" or "FAIL".
 *
 * Output must be the same on every CPU and every run: no addresses, pids, times; errors by name, since
 * their numbers differ between CPUs. finish() gives the exit status: 0, or 1 after any FAIL.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static int failures;

static const struct { int number; const char *name; } error_names[] = {
#define E(name) { name, #name }
    E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD),
    E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV),
    E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC),
    E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOSYS),
    E(ENOTEMPTY), E(ELOOP), E(ENODATA), E(EOVERFLOW), E(ENOTSOCK), E(EOPNOTSUPP), E(ETIMEDOUT), E(ESTALE),
#undef E
};

UNUSED static const char *error_name(int number)
{
    if (!number)
        return "0";
    for (unsigned i = 0; i < sizeof error_names / sizeof *error_names; i++)
        if (error_names[i].number == number)
            return error_names[i].name;
    return "another error";
}

/* Digits of value in base, written so that they end before end; answers where they begin. */
static char *digits(char *end, unsigned long long value, unsigned base)
{
    do
        *--end = "0123456789abcdef"[value % base];
    while (value /= base);
    return end;
}

/* A small vsnprintf: %s %c %d %u %x, %ld %lu %lx for long, %Ld %Lu %Lx for long long, no widths; no end is added. */
static size_t form(char *text, size_t room, const char *format, va_list rest)
{
    char number[24];
    size_t used = 0;
    for (; *format && used < room; format++) {
        if (*format != '%') {
            text[used++] = *format;
            continue;
        }
        int size = 0;
        format++;
        if (*format == 'l' || *format == 'L')
            size = *format++;
        char *part = number;
        size_t length;
        if (*format == 's') {
            part = va_arg(rest, char *);
            length = strlen(part);
        } else if (*format == 'c') {
            *part = (char)va_arg(rest, int);
            length = 1;
        } else {
            unsigned long long value;
            int is_signed = *format == 'd', minus;
            if (size == 'L')
                value = va_arg(rest, unsigned long long);
            else if (size == 'l')
                value = is_signed ? (unsigned long long)va_arg(rest, long) : va_arg(rest, unsigned long);
            else
                value = is_signed ? (unsigned long long)va_arg(rest, int) : va_arg(rest, unsigned);
            minus = is_signed && (long long)value < 0;
            char *end = number + sizeof number;
            part = digits(end, minus ? -value : value, *format == 'x' ? 16 : 10);
            if (minus)
                *--part = '-';
            length = end - part;
        }
        if (length > room - used)
            length = room - used;
        memcpy(text + used, part, length);
        used += length;
    }
    return used;
}

/* Print one line with one write. */
UNUSED static void say(const char *format, ...)
{
    char text[600];
    va_list rest;
    va_start(rest, format);
    size_t used = form(text, sizeof text - 1, format, rest);
    va_end(rest);
    text[used++] = '\n';
    for (size_t done = 0; done < used;) {
        ssize_t wrote = write(1, text + done, used - done);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            _exit(99);
        done += wrote > 0 ? wrote : 0;
    }
}

/* Write into text, which has room for it. */
UNUSED static void form_into(char *text, const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    text[form(text, 500, format, rest)] = 0;
    va_end(rest);
}

UNUSED static int check(const char *what, int true_)
{
    int error = errno;
    if (true_)
        say("ok   %s", what);
    else {
        say("FAIL %s (errno %s)", what, error_name(error));
        failures++;
    }
    return true_;
}

/* The condition must hold. */
#define CHECK(what, condition) (errno = 0, check(what, condition))

UNUSED static void fails(const char *what, long answer, int error, const char *name)
{
    if (answer == -1 && errno == error)
        say("ok   %s: %s", what, name);
    else {
        say("FAIL %s: %s expected, answer %ld, errno %s (%d)", what, name, answer, error_name(errno), errno);
        failures++;
    }
}

/* The call must answer -1 with that error. */
#define FAILS(what, call, error) (errno = 0, fails(what, (long)(call), error, #error))

UNUSED static int finish(void)
{
    if (failures)
        say("%d failed", failures);
    else
        say("all ok");
    return failures != 0;
}

static char fresh_directory[] = "sample.XXXXXX";

/* Go into a new folder under the current one. */
UNUSED static void enter_fresh_directory(void)
{
    if (!mkdtemp(fresh_directory) || chdir(fresh_directory)) {
        say("FAIL no fresh directory: %s", error_name(errno));
        exit(1);
    }
}

/* The folder must be empty by now. */
UNUSED static void leave_fresh_directory(void)
{
    CHECK("the folder is empty at the end", chdir("..") == 0 && rmdir(fresh_directory) == 0);
}

#endif
