/* An import that compat has not written: harmless until it is called. */
#include <stdio.h>
#include <windows.h>

__declspec(dllimport) int WINAPI GetNumaHighestNodeNumber(ULONG *highest);

int main(int argc, char **argv) {
    ULONG highest = 0;
    printf("%d\n", argc);
    fflush(stdout);
    if (argc > 1)
        printf("%d\n", GetNumaHighestNodeNumber(&highest));
    for (int k = 1; k < argc; k++)
        printf("[%s]\n", argv[k]);
    return 5;
}
