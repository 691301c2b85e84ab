/* No libc: a program of a few hundred bytes that has TLS (where the CPU needs no helper for it), BSS and a string. */
#if defined(__arm__) || defined(__mips64) || defined(SHARED)
#define THREAD
#else
#define THREAD __thread
#endif
THREAD int counter = 7;
char room[64];
const char text[] = "hello\n";
int other(int);
#ifndef SHARED
int other(int x) { return x; }
#endif
void _start(void)
{
    counter += other(text[0]);
    room[1] = (char)counter;
    for (;;) { }
}
