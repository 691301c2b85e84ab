/* What kinds of letters there are, and their other case: as musl's Unicode tables have it. */
#include <wctype.h>

#include "runtime.h"

enum { UPPER = 1, LOWER = 2, DIGIT = 4, SPACE = 8, PUNCT = 16, CNTRL = 32, BLANK = 64, XDIGIT = 128, ALPHA = 256 };
enum { DEFINED = 512, CT_CTYPE1 = 1, LCMAP_LOWERCASE = 0x100, LCMAP_UPPERCASE = 0x200, LCMAP_CASES = 0x300 };
enum { UTF8 = 65001, NORM_IGNORECASE = 1, LINGUISTIC_IGNORECASE = 16 };

static WORD kind_of(DWORD unit) {
    int letter = iswalpha(unit), digit = unit - '0' < 10;
    int space = iswspace(unit) || unit == 0xa0;
    return (iswupper(unit) ? UPPER : 0) | (iswlower(unit) ? LOWER : 0) | (digit ? DIGIT : 0) | (space ? SPACE : 0) |
           (iswpunct(unit) ? PUNCT : 0) | (iswcntrl(unit) ? CNTRL : 0) |
           (unit == ' ' || unit == '\t' || unit == 0xa0 ? BLANK : 0) | (unit < 128 && iswxdigit(unit) ? XDIGIT : 0) |
           (letter && !digit ? ALPHA : 0) | DEFINED;
}

MS(BOOL, GetStringTypeW, DWORD type, const WCHAR *text, int size, WORD *out) {
    size_t units = size < 0 ? wide_length(text) + 1 : size;
    if (type != CT_CTYPE1) {
        set_last_error(ERROR_INVALID_PARAMETER);
        return 0;
    }
    for (size_t k = 0; k < units; k++)
        out[k] = kind_of(text[k]);
    return 1;
}
MS(BOOL, GetStringTypeExW, DWORD locale, DWORD type, const WCHAR *text, int size, WORD *out) {
    return ms_GetStringTypeW(type, text, size, out);
}

MS(int, LCMapStringW, DWORD locale, DWORD flags, const WCHAR *text, int size, WCHAR *out, int room) {
    size_t units = size < 0 ? wide_length(text) + 1 : size;
    if (flags & ~(LCMAP_CASES | 0x1000000) || (flags & LCMAP_CASES) == LCMAP_CASES || room < 0) {
        set_last_error(ERROR_INVALID_PARAMETER); /* no sort keys, no kana */
        return 0;
    }
    if (!room)
        return units;
    if (units > (size_t)room) {
        set_last_error(ERROR_INSUFFICIENT_BUFFER);
        return 0;
    }
    for (size_t k = 0; k < units; k++)
        out[k] = flags & LCMAP_LOWERCASE ? towlower(text[k]) : flags & LCMAP_UPPERCASE ? towupper(text[k]) : text[k];
    return units;
}
MS(int, LCMapStringEx, const WCHAR *locale, DWORD flags, const WCHAR *text, int size, WCHAR *out, int room,
   void *version, void *reserved, uintptr_t handle) {
    return ms_LCMapStringW(0, flags, text, size, out, room);
}

/* By the numbers of letters: 1 less, 2 equal, 3 greater. */
MS(int, CompareStringOrdinal, const WCHAR *a, int a_size, const WCHAR *b, int b_size, BOOL ignore_case) {
    size_t a_units = a_size < 0 ? wide_length(a) : a_size, b_units = b_size < 0 ? wide_length(b) : b_size;
    for (size_t k = 0; k < a_units && k < b_units; k++) {
        DWORD x = ignore_case ? towupper(a[k]) : a[k], y = ignore_case ? towupper(b[k]) : b[k];
        if (x != y)
            return x < y ? 1 : 3;
    }
    return a_units < b_units ? 1 : a_units > b_units ? 3 : 2;
}

struct code_page {
    DWORD most;
    BYTE instead[2], leads[12];
};

MS(BOOL, GetCPInfo, DWORD page, struct code_page *out) {
    if (page != UTF8 && page > 3) {
        set_last_error(ERROR_INVALID_PARAMETER);
        return 0;
    }
    *out = (struct code_page){.most = 4, .instead = "?"};
    return 1;
}
