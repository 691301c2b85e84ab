/* printf as Microsoft has it: I64, I32 and w sizes, %S and %C, strings of either width, long of 32 bits.
   Source: "Format specification syntax: printf and wprintf functions". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crt.h"

enum { LEGACY_WIDE = 4, THREE_DIGITS = 16 };
enum { LEFT = 1, SIGN = 2, BLANK = 4, ALTERNATE = 8, ZERO = 16 };
enum size { PLAIN, CHAR, SHORT, LONG_, LONGLONG };

struct spec {
    int flags, width, precision, conversion;
    enum size size;
};

static DWORD unit_at(const void *text, int wide, size_t index) {
    return wide ? ((const WCHAR *)text)[index] : ((const BYTE *)text)[index];
}

static void put(struct sink *sink, const void *units, size_t count) {
    if (count)
        sink->put(sink, units, count);
    sink->made += count;
}

static void put_narrow(struct sink *sink, const char *text, size_t size) {
    if (!sink->wide) {
        put(sink, text, size);
        return;
    }
    WCHAR units[64];
    for (size_t at = 0, part; at < size; at += part) {
        part = size - at < 32 ? size - at : 32;
        while (at + part < size && part && ((BYTE)text[at + part] & 0xc0) == 0x80)
            part--;
        if (!part)
            part = 1;
        put(sink, units, wide_from_utf8(text + at, part, units, 64));
    }
}

static void pad(struct sink *sink, int count, char with) {
    for (; count > 0; count--)
        put_narrow(sink, &with, 1);
}

static void put_field(struct sink *sink, struct spec *spec, const void *units, size_t count) {
    int missing = spec->width > (int)count ? spec->width - count : 0;
    if (!(spec->flags & LEFT))
        pad(sink, missing, spec->flags & ZERO ? '0' : ' ');
    put(sink, units, count);
    if (spec->flags & LEFT)
        pad(sink, missing, ' ');
}

/* A string of the other width is converted whole, then cut. */
static void put_string(struct sink *sink, struct spec *spec, const void *text, int wide, size_t known) {
    size_t most = spec->precision < 0 ? (size_t)-1 : spec->precision, count = 0;
    if (!text) {
        text = wide ? (const void *)u"(null)" : "(null)";
        known = 0;
    }
    if (wide == sink->wide) {
        count = known;
        while (!known && count < most && unit_at(text, wide, count))
            count++;
        put_field(sink, spec, text, count);
        return;
    }
    while (!known && count < most && unit_at(text, wide, count))
        count++;
    count = known ? known : count;
    size_t units = wide ? utf8_from_wide(text, count, 0, 0) : wide_from_utf8(text, count, 0, 0);
    char *made = malloc(2 * units + 2);
    if (!made)
        return;
    if (wide)
        utf8_from_wide(text, count, made, units);
    else
        wide_from_utf8(text, count, (WCHAR *)made, units);
    while (wide && units > most)
        for (units--; units && ((BYTE)made[units] & 0xc0) == 0x80;)
            units--; /* no part of a character */
    put_field(sink, spec, made, units < most ? units : most);
    free(made);
}

/* musl formats numbers; *integer* or *real* by the conversion. */
static void put_number(struct sink *sink, struct spec *spec, QWORD integer, double real) {
    char pattern[16] = "%", room[512], *at = pattern + 1, *made = room;
    const char *flags = "-+ #0";
    for (int k = 0; k < 5; k++)
        if (spec->flags >> k & 1)
            *at++ = flags[k];
    int is_real = strchr("aAeEfFgG", spec->conversion) != 0;
    strcpy(at, is_real ? "*.*" : "*.*ll");
    at += strlen(at);
    *at++ = spec->conversion;
    *at = 0;
    int size = is_real ? snprintf(room, sizeof room, pattern, spec->width, spec->precision, real)
                       : snprintf(room, sizeof room, pattern, spec->width, spec->precision, integer);
    if (size >= (int)sizeof room && (made = malloc(size + 1))) {
        if (is_real)
            snprintf(made, size + 1, pattern, spec->width, spec->precision, real);
        else
            snprintf(made, size + 1, pattern, spec->width, spec->precision, integer);
    }
    if (made)
        put_narrow(sink, made, size);
    if (made != room)
        free(made);
}

static void put_pointer(struct sink *sink, struct spec *spec, QWORD value) {
    char text[20];
    spec->flags &= ~ZERO;
    put_narrow(sink, text, 0);
    int size = snprintf(text, sizeof text, "%016llX", (unsigned long long)value);
    int missing = spec->width - size;
    if (!(spec->flags & LEFT))
        pad(sink, missing, ' ');
    put_narrow(sink, text, size);
    if (spec->flags & LEFT)
        pad(sink, missing, ' ');
}

static QWORD sized(QWORD value, enum size size, int is_signed) {
    switch (size) {
    case LONGLONG:
        return value;
    case SHORT:
        return is_signed ? (QWORD)(int16_t)value : (WORD)value;
    case CHAR:
        return is_signed ? (QWORD)(int8_t)value : (BYTE)value;
    default:
        return is_signed ? (QWORD)(int32_t)value : (DWORD)value;
    }
}

static size_t read_number(const void *text, int wide, size_t at, int *number, char **arguments) {
    if (unit_at(text, wide, at) == '*') {
        *number = *(int *)*arguments;
        *arguments += 8;
        return at + 1;
    }
    *number = 0;
    for (; unit_at(text, wide, at) - '0' < 10 && *number < 100000; at++)
        *number = 10 * *number + unit_at(text, wide, at) - '0';
    return at;
}

static size_t read_size(const void *text, int wide, size_t at, struct spec *spec) {
    for (;; at++) {
        switch (unit_at(text, wide, at)) {
        case 'h':
            spec->size = spec->size == SHORT ? CHAR : SHORT;
            break;
        case 'l':
            spec->size = spec->size == LONG_ ? LONGLONG : LONG_;
            break;
        case 'w':
            spec->size = LONG_;
            break;
        case 'L':
            break; /* long double is double */
        case 'j':
        case 'z':
        case 't':
            spec->size = LONGLONG;
            break;
        case 'I':
            spec->size = LONGLONG;
            if (unit_at(text, wide, at + 1) == '6' && unit_at(text, wide, at + 2) == '4')
                at += 2;
            else if (unit_at(text, wide, at + 1) == '3' && unit_at(text, wide, at + 2) == '2') {
                spec->size = PLAIN;
                at += 2;
            }
            break;
        default:
            return at;
        }
    }
}

static size_t read_spec(const void *text, int wide, size_t at, struct spec *spec, char **arguments) {
    *spec = (struct spec){.precision = -1};
    for (const char *flags = "-+ #0", *found;; at++) {
        DWORD unit = unit_at(text, wide, at);
        if (!unit || unit > 127 || !(found = strchr(flags, unit)))
            break;
        spec->flags |= 1 << (found - flags);
    }
    at = read_number(text, wide, at, &spec->width, arguments);
    if (spec->width < 0) {
        spec->flags |= LEFT;
        spec->width = -spec->width;
    }
    if (unit_at(text, wide, at) == '.')
        at = read_number(text, wide, at + 1, &spec->precision, arguments);
    at = read_size(text, wide, at, spec);
    spec->conversion = unit_at(text, wide, at);
    return spec->conversion ? at + 1 : at;
}

/* %s and %c mean the format's own width, but by ISO in wide formats the narrow one; %S and %C the other. */
static int is_wide(struct sink *sink, struct spec *spec, QWORD options) {
    if (spec->size == LONG_ || spec->size == LONGLONG)
        return 1;
    if (spec->size == SHORT || spec->size == CHAR)
        return 0;
    int own = sink->wide && options & LEGACY_WIDE;
    return spec->conversion == 's' || spec->conversion == 'c' ? own : sink->wide ? !own : 1;
}

static void convert(struct sink *sink, struct spec *spec, QWORD options, char **arguments) {
    QWORD value = 0;
    if (spec->conversion != '%') {
        value = *(QWORD *)*arguments;
        *arguments += 8;
    }
    switch (spec->conversion) {
    case 'd':
    case 'i':
        spec->conversion = 'd';
        put_number(sink, spec, sized(value, spec->size, 1), 0);
        break;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        put_number(sink, spec, sized(value, spec->size, 0), 0);
        break;
    case 'a':
    case 'A':
        spec->precision = spec->precision < 0 ? 13 : spec->precision; /* fallthrough */
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
        double real;
        memcpy(&real, &value, sizeof real);
        put_number(sink, spec, 0, real);
        break;
    }
    case 'p':
        put_pointer(sink, spec, value);
        break;
    case 'c':
    case 'C': {
        WCHAR wide_unit = value;
        char unit = value;
        int wide = is_wide(sink, spec, options);
        spec->precision = -1;
        put_string(sink, spec, wide ? (void *)&wide_unit : (void *)&unit, wide, 1);
        break;
    }
    case 's':
    case 'S':
        put_string(sink, spec, (void *)value, is_wide(sink, spec, options), 0);
        break;
    case 'n':
        break; /* disabled, as in the UCRT */
    default: {
        char unit = spec->conversion;
        put_narrow(sink, &unit, 1);
    }
    }
}

int format(struct sink *sink, QWORD options, const void *text, char *arguments) {
    size_t at = 0;
    struct spec spec;
    while (unit_at(text, sink->wide, at)) {
        size_t start = at;
        while (unit_at(text, sink->wide, at) && unit_at(text, sink->wide, at) != '%')
            at++;
        put(sink, (const char *)text + (start << sink->wide), at - start);
        if (unit_at(text, sink->wide, at)) {
            at = read_spec(text, sink->wide, at + 1, &spec, &arguments);
            if (spec.conversion)
                convert(sink, &spec, options, &arguments);
        }
    }
    return sink->made > 0x7fffffff ? -1 : (int)sink->made;
}
