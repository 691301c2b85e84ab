/* Strings of bytes: musl's functions, called as Windows calls; those that only Microsoft has. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crt.h"

MS(void *, memcpy, void *to, const void *from, size_t size) { return memmove(to, from, size); }
MS(void *, memmove, void *to, const void *from, size_t size) { return memmove(to, from, size); }
MS(void *, memset, void *to, int unit, size_t size) { return memset(to, unit, size); }
MS(int, memcmp, const void *a, const void *b, size_t size) { return memcmp(a, b, size); }
MS(void *, memchr, const void *in, int unit, size_t size) { return memchr(in, unit, size); }
MS(size_t, strlen, const char *text) { return strlen(text); }
MS(size_t, strnlen, const char *text, size_t most) { return strnlen(text, most); }
MS(char *, strcpy, char *to, const char *from) { return strcpy(to, from); }
MS(char *, strncpy, char *to, const char *from, size_t size) { return strncpy(to, from, size); }
MS(char *, strcat, char *to, const char *from) { return strcat(to, from); }
MS(char *, strncat, char *to, const char *from, size_t size) { return strncat(to, from, size); }
MS(int, strcmp, const char *a, const char *b) { return strcmp(a, b); }
MS(int, strncmp, const char *a, const char *b, size_t size) { return strncmp(a, b, size); }
MS(int, strcoll, const char *a, const char *b) { return strcmp(a, b); }
MS(int, _stricmp, const char *a, const char *b) { return strcasecmp(a, b); }
MS(int, _strnicmp, const char *a, const char *b, size_t size) { return strncasecmp(a, b, size); }
MS(char *, strchr, const char *in, int unit) { return strchr(in, unit); }
MS(char *, strrchr, const char *in, int unit) { return strrchr(in, unit); }
MS(char *, strstr, const char *in, const char *what) { return strstr(in, what); }
MS(char *, strpbrk, const char *in, const char *units) { return strpbrk(in, units); }
MS(size_t, strspn, const char *in, const char *units) { return strspn(in, units); }
MS(size_t, strcspn, const char *in, const char *units) { return strcspn(in, units); }
MS(char *, _strdup, const char *text) { return strdup(text); }
MS(char *, strtok, char *text, const char *units) { return strtok(text, units); }
MS(char *, strtok_s, char *text, const char *units, char **state) { return strtok_r(text, units, state); }
MS(char *, strerror, int number) { return strerror(number <= 34 ? number : EINVAL); }

MS(int, strcpy_s, char *to, size_t room, const char *from) {
    size_t size = strlen(from) + 1;
    if (size > room) {
        if (room)
            *to = 0;
        return CRT_ERANGE;
    }
    memcpy(to, from, size);
    return 0;
}

MS(int, strcat_s, char *to, size_t room, const char *from) {
    size_t size = strnlen(to, room);
    return ms_strcpy_s(to + size, room - size, from);
}

MS(char *, _strlwr, char *text) {
    for (char *at = text; *at; at++)
        *at = tolower((BYTE)*at);
    return text;
}
MS(char *, _strupr, char *text) {
    for (char *at = text; *at; at++)
        *at = toupper((BYTE)*at);
    return text;
}

#define KIND(name) MS(int, name, int unit) { return name(unit); }
KIND(isalpha)
KIND(isupper)
KIND(islower)
KIND(isdigit)
KIND(isxdigit)
KIND(isspace)
KIND(ispunct)
KIND(isalnum)
KIND(isprint)
KIND(isgraph)
KIND(iscntrl)
KIND(toupper)
KIND(tolower)

/* --- numbers: long has 32 bits --- */

MS(int64_t, _strtoi64, const char *text, char **end, int base) {
    errno = 0;
    int64_t value = strtoll(text, end, base);
    if (errno)
        fail();
    return value;
}
MS(int64_t, strtoll, const char *text, char **end, int base) { return ms__strtoi64(text, end, base); }
MS(QWORD, strtoull, const char *text, char **end, int base) {
    errno = 0;
    QWORD value = strtoull(text, end, base);
    if (errno)
        fail();
    return value;
}
MS(QWORD, _strtoui64, const char *text, char **end, int base) { return ms_strtoull(text, end, base); }

MS(LONG, strtol, const char *text, char **end, int base) {
    int64_t value = ms__strtoi64(text, end, base);
    if (value != (LONG)value) {
        fail_with(CRT_ERANGE);
        return value < 0 ? INT32_MIN : INT32_MAX;
    }
    return value;
}

MS(DWORD, strtoul, const char *text, char **end, int base) {
    QWORD value = ms_strtoull(text, end, base), size = value >> 63 ? -value : value;
    if (size > UINT32_MAX) {
        fail_with(CRT_ERANGE);
        return UINT32_MAX;
    }
    return value;
}

MS(double, strtod, const char *text, char **end) {
    errno = 0;
    double value = strtod(text, end);
    if (errno)
        fail();
    return value;
}
MS(float, strtof, const char *text, char **end) { return strtof(text, end); }
MS(int, atoi, const char *text) { return ms_strtol(text, 0, 10); }
MS(LONG, atol, const char *text) { return ms_strtol(text, 0, 10); }
MS(int64_t, atoll, const char *text) { return ms__strtoi64(text, 0, 10); }
MS(int64_t, _atoi64, const char *text) { return ms__strtoi64(text, 0, 10); }
MS(double, atof, const char *text) { return ms_strtod(text, 0); }
MS(int, abs, int x) { return x < 0 ? -x : x; }
MS(LONG, labs, LONG x) { return x < 0 ? -x : x; }

static DWORD seed = 1;
MS(void, srand, DWORD start) { seed = start; }
MS(int, rand, void) { return (seed = seed * 214013 + 2531011) >> 16 & 0x7fff; }
