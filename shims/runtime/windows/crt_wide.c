/* Strings of 16-bit units. */
#include <stdlib.h>
#include <string.h>

#include "crt.h"

MS(size_t, wcslen, const WCHAR *text) { return wide_length(text); }
MS(size_t, wcsnlen, const WCHAR *text, size_t most) {
    size_t length = 0;
    while (length < most && text[length])
        length++;
    return length;
}
MS(WCHAR *, wcscpy, WCHAR *to, const WCHAR *from) { return memcpy(to, from, 2 * wide_length(from) + 2); }
MS(WCHAR *, wcscat, WCHAR *to, const WCHAR *from) {
    ms_wcscpy(to + wide_length(to), from);
    return to;
}
MS(int, wcsncmp, const WCHAR *a, const WCHAR *b, size_t most) {
    for (size_t k = 0; k < most; k++)
        if (a[k] != b[k] || !a[k])
            return a[k] < b[k] ? -1 : a[k] > b[k];
    return 0;
}
MS(int, wcscmp, const WCHAR *a, const WCHAR *b) { return ms_wcsncmp(a, b, (size_t)-1); }
MS(int, _wcsicmp, const WCHAR *a, const WCHAR *b) { return wide_compare_folded(a, b, (size_t)-1); }
MS(int, _wcsnicmp, const WCHAR *a, const WCHAR *b, size_t most) { return wide_compare_folded(a, b, most); }
MS(WCHAR *, wcschr, const WCHAR *in, WCHAR unit) {
    for (;; in++) {
        if (*in == unit)
            return (WCHAR *)in;
        if (!*in)
            return 0;
    }
}
MS(WCHAR *, wcsrchr, const WCHAR *in, WCHAR unit) {
    for (const WCHAR *at = in + wide_length(in);; at--) {
        if (*at == unit)
            return (WCHAR *)at;
        if (at == in)
            return 0;
    }
}
MS(WCHAR *, wcsstr, const WCHAR *in, const WCHAR *what) {
    size_t length = wide_length(what);
    for (;; in++) {
        if (!ms_wcsncmp(in, what, length))
            return (WCHAR *)in;
        if (!*in)
            return 0;
    }
}
MS(WCHAR *, _wcsdup, const WCHAR *text) {
    size_t size = 2 * wide_length(text) + 2;
    WCHAR *made = malloc(size);
    return made ? memcpy(made, text, size) : made;
}
