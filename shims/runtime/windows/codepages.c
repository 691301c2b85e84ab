/* Code pages: UTF-8 is the only one, as where a program's manifest or the system asks for it. */
#include <string.h>

#include "runtime.h"

enum { UTF8 = 65001, STRICT = 8 };

MS(DWORD, GetACP, void) { return UTF8; }
MS(DWORD, GetOEMCP, void) { return UTF8; }
MS(DWORD, GetConsoleCP, void) { return UTF8; }
MS(DWORD, GetConsoleOutputCP, void) { return UTF8; }
MS(BOOL, SetConsoleCP, DWORD page) { return page == UTF8; }
MS(BOOL, SetConsoleOutputCP, DWORD page) { return page == UTF8; }
MS(BOOL, IsValidCodePage, DWORD page) { return page == UTF8; }

static BOOL known(DWORD page) {
    if (page == UTF8 || page <= 3) /* CP_ACP, CP_OEMCP, CP_MACCP, CP_THREAD_ACP */
        return 1;
    set_last_error(ERROR_INVALID_PARAMETER);
    return 0;
}

static int result(size_t made, int room) {
    if (!room || made <= (size_t)room)
        return made;
    set_last_error(ERROR_INSUFFICIENT_BUFFER);
    return 0;
}

MS(int, MultiByteToWideChar, DWORD page, DWORD flags, const char *text, int size, WCHAR *out, int room) {
    if (!known(page))
        return 0;
    if (!text || !size || room < 0) {
        set_last_error(ERROR_INVALID_PARAMETER);
        return 0;
    }
    size_t bytes = size < 0 ? strlen(text) + 1 : size;
    return result(wide_from_utf8(text, bytes, out, room), room);
}

MS(int, WideCharToMultiByte, DWORD page, DWORD flags, const WCHAR *text, int size, char *out, int room,
   const char *instead, BOOL *used) {
    if (!known(page))
        return 0;
    if (!text || !size || room < 0) {
        set_last_error(ERROR_INVALID_PARAMETER);
        return 0;
    }
    size_t units = size < 0 ? wide_length(text) + 1 : size;
    if (used)
        *used = 0;
    return result(utf8_from_wide(text, units, out, room), room);
}

MS(int, lstrlenW, const WCHAR *text) { return text ? wide_length(text) : 0; }
MS(int, lstrlenA, const char *text) { return text ? strlen(text) : 0; }
