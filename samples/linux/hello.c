/* The smallest: one write and an exit. */
#include "sample.h"

int main(void)
{
    say("hello, world");
    return 0;
}
