/* Ends with a status of its own, after what was registered with atexit. */
#include "sample.h"

static void first(void)
{
    say("registered first, runs last");
}

static void second(void)
{
    say("registered second, runs first");
}

int main(void)
{
    atexit(first), atexit(second);
    say("leaving");
    exit(256 + 42);
}
