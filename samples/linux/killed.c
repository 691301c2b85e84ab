/* Ends by a fault that nobody handles: a shell shows 139, and what was printed before stays. */
#include "sample.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit none = { 0, 0 };
    char *volatile nowhere = (char *)16;
    setrlimit(RLIMIT_CORE, &none);
    say("before");
    *nowhere = 1;
    say("not reached");
    return 0;
}
