/* UTF-8 and UTF-16. Broken UTF-8 becomes U+FFFD, as MultiByteToWideChar has it; a lone surrogate does, too. */
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

enum { REPLACEMENT = 0xfffd };

size_t wide_length(const WCHAR *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

/* The code point at *at, which moves behind it; REPLACEMENT for what is none. */
static DWORD next_point(const BYTE **at, const BYTE *end) {
    DWORD first = *(*at)++;
    if (first < 0x80)
        return first;
    int more = first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xc2 && first < 0xe0 ? 1 : 0;
    DWORD point = first & (0x3f >> more);
    for (int k = 0; k < more; k++) {
        DWORD next = *at < end ? **at : 0;
        DWORD least = k ? 0x80 : first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        DWORD most = k ? 0xbf : first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (next < least || next > most)
            return REPLACEMENT;
        point = point << 6 | (next & 0x3f);
        (*at)++;
    }
    return more ? point : REPLACEMENT;
}

size_t wide_from_utf8(const char *text, size_t size, WCHAR *out, size_t room) {
    const BYTE *at = (const BYTE *)text, *end = at + size;
    size_t made = 0;
    while (at < end) {
        DWORD point = next_point(&at, end);
        size_t units = point > 0xffff ? 2 : 1;
        if (room && made + units <= room) {
            if (units == 2) {
                out[made] = 0xd7c0 + (point >> 10);
                out[made + 1] = 0xdc00 | (point & 0x3ff);
            } else
                out[made] = point;
        }
        made += units;
    }
    return made;
}

static DWORD next_wide(const WCHAR **at, const WCHAR *end) {
    DWORD unit = *(*at)++;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit > 0xdbff || *at == end || **at < 0xdc00 || **at > 0xdfff)
        return REPLACEMENT;
    return 0x10000 + ((unit & 0x3ff) << 10 | (*(*at)++ & 0x3ff));
}

size_t utf8_from_wide(const WCHAR *text, size_t size, char *out, size_t room) {
    const WCHAR *end = text + size;
    size_t made = 0;
    while (text < end) {
        DWORD point = next_wide(&text, end);
        int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
        if (room && made + more < room) {
            static const BYTE firsts[] = {0, 0xc0, 0xe0, 0xf0};
            for (int k = more; k > 0; k--, point >>= 6)
                out[made + k] = 0x80 | (point & 0x3f);
            out[made] = firsts[more] | point;
        }
        made += more + 1;
    }
    return made;
}

WCHAR *new_wide(const char *text) {
    size_t size = strlen(text) + 1, units = wide_from_utf8(text, size, 0, 0);
    WCHAR *made = malloc(2 * units);
    if (made)
        wide_from_utf8(text, size, made, units);
    return made;
}

char *new_narrow(const WCHAR *text) {
    size_t size = wide_length(text) + 1, bytes = utf8_from_wide(text, size, 0, 0);
    char *made = malloc(bytes);
    if (made)
        utf8_from_wide(text, size, made, bytes);
    return made;
}

int fold(int letter) { return letter >= 'A' && letter <= 'Z' ? letter + 32 : letter; }

int wide_compare_folded(const WCHAR *a, const WCHAR *b, size_t most) {
    for (size_t k = 0; k < most; k++) {
        int difference = fold(a[k]) - fold(b[k]);
        if (difference || !a[k])
            return difference;
    }
    return 0;
}
