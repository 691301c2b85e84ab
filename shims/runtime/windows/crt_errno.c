/* errno: the first 34 are Unix's; above, each system went its own way (errno.h of the UCRT). */
#include <errno.h>

#include "crt.h"

static int crt_errno;
static DWORD dos_errno;

static int number_of(int error) {
    switch (error) {
    case EDEADLK:
        return 36;
    case ENAMETOOLONG:
        return 38;
    case ENOLCK:
        return 39;
    case ENOSYS:
        return 40;
    case ENOTEMPTY:
        return 41;
    case EILSEQ:
        return CRT_EILSEQ;
    case ELOOP:
        return 114;
    case EOVERFLOW:
        return 132;
    default:
        return error <= 34 ? error : CRT_EINVAL;
    }
}

int fail_with(int number) {
    crt_errno = number;
    return -1;
}
int fail(void) { return fail_with(number_of(errno)); }

MS(int *, _errno, void) { return &crt_errno; }
MS(DWORD *, __doserrno, void) { return &dos_errno; }
MS(int, _get_errno, int *out) {
    *out = crt_errno;
    return 0;
}
MS(int, _set_errno, int number) {
    crt_errno = number;
    return 0;
}
