/* The machine, and handlers that nothing calls yet. */
#include <string.h>
#include <unistd.h>

#include "layouts.h"

struct system_info {
    WORD architecture, reserved;
    DWORD page;
    uintptr_t lowest, highest, mask;
    DWORD processors, type, granularity;
    WORD level, revision;
};

MS(void, GetSystemInfo, struct system_info *out) {
    *out = (struct system_info){9,      0, 4096, 0x10000, 0x7ffffffeffff, the_peb.affinity, the_peb.processors,
                                8664, 0x10000, 6,    0};
}
MS(void, GetNativeSystemInfo, struct system_info *out) { ms_GetSystemInfo(out); }

struct startup_info {
    DWORD size;
    void *reserved, *desktop, *title;
    DWORD numbers[8];
    WORD show, more;
    void *data;
    HANDLE standard[3];
};

MS(void, GetStartupInfoW, struct startup_info *out) {
    *out = (struct startup_info){.size = sizeof *out};
    memcpy(out->standard, the_peb.parameters->standard, sizeof out->standard);
}
MS(void, GetStartupInfoA, struct startup_info *out) { ms_GetStartupInfoW(out); }

MS(void *, SetUnhandledExceptionFilter, void *filter) {
    static void *current;
    void *old = current;
    current = filter;
    return old;
}
MS(void *, EncodePointer, void *pointer) { return pointer; }
MS(void *, DecodePointer, void *pointer) { return pointer; }
MS(DWORD, GetVersion, void) { return 0x4a65000a; }
MS(DWORD, SetHandleCount, DWORD count) { return count; }

/* The features of winnt.h (PF_*) that every x86-64 CPU of compat has. */
MS(BOOL, IsProcessorFeaturePresent, DWORD feature) {
    static const BYTE present[] = {2, 3, 6, 8, 10, 12, 13, 14, 23, 36, 37, 38};
    return memchr(present, feature < 256 ? feature : 0, sizeof present) != 0;
}

/* Nothing but the end of the process follows from Ctrl-C yet. */
MS(BOOL, SetConsoleCtrlHandler, void *handler, BOOL add) { return 1; }
