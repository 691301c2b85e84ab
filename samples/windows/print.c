/* printf and its kin: what Microsoft has of its own, and what every C library has. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static int compare(const void *a, const void *b) { return strcmp(*(const char **)a, *(const char **)b); }

static void last(void) { puts("at exit"); }

int main(int argc, char **argv) {
    char text[32];
    const char *words[] = {"pear", "apple", "fig"};
    atexit(last);
    printf("%d %i %u %x %X %o %c %s %%\n", -5, 7, 4000000000u, 0xbeef, 0xbeef, 8, 'c', "text");
    printf("[%5d][%-5d][%05d][%+d][% d][%.3d][%*d]\n", 42, 42, 42, 42, 42, 7, 4, 9);
    printf("%lld %I64d %I64x %I32d %hd %hhd %ld %zu\n", -(1LL << 40), 1LL << 40, 1LL << 40, -3, 70000, 300, -4L, sizeof text);
    printf("%f %.2e %g %G %8.3f|%-9.1f| %a\n", 3.5, 12345.678, 1e-5, 1e20, 2.0 / 3, 2.25, 1.0);
    printf("%f %f %5.1f\n", (double)INFINITY, -(double)INFINITY, 0.05);
    printf("%ls %S %hs [%6.2ls] %lc %s\n", L"wide", L"\u00e9\u20ac\U0001f600", "narrow", L"cut", L'\u00fc', (char *)NULL);
    printf("%p %10.3s| %-6s|\n", (void *)0x1234abcd, "abcdef", "ab");
    wprintf(L"wide %ls %d %hs\n", L"string", 5, "narrow");
    printf("%d %s\n", snprintf(text, 8, "%s", "0123456789"), text);
    printf("%d\n", snprintf(NULL, 0, "%d", 12345));
    wchar_t wide[16];
    printf("%d %ls\n", swprintf(wide, 16, L"%d-%ls", 3, L"x"), wide);
    qsort(words, 3, sizeof *words, compare);
    printf("%s %s %s\n", words[0], words[1], words[2]);
    printf("%ld %lu %d %.3f\n", strtol("-99", NULL, 10), strtoul("ffffffff", NULL, 16), atoi("12x"), strtod("1e3", NULL));
    printf("%.4f %.4f %.4f\n", sin(1), pow(2, 0.5), fmod(7.5, 2));
    printf("%d %d\n", argc, strstr(argv[0], "print") != NULL);
    fprintf(stderr, "to stderr\n");
    fflush(stdout);
    return 300 & 0xff;
}
