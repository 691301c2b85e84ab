/* The heap, and virtual memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static const char *state(const void *place) {
    MEMORY_BASIC_INFORMATION info;
    static char text[64];
    if (VirtualQuery(place, &info, sizeof info) != sizeof info)
        return "?";
    sprintf(text, "state %lx protect %lx type %lx", info.State, info.State == MEM_COMMIT ? info.Protect : 0,
            info.State == MEM_FREE ? 0 : info.Type);
    return text;
}

int main(void) {
    char *block = malloc(10);
    strcpy(block, "kept");
    block = realloc(block, 100000);
    printf("%s %d\n", block, _msize(block) >= 100000);
    free(block);
    HANDLE heap = GetProcessHeap();
    char *zeros = HeapAlloc(heap, HEAP_ZERO_MEMORY, 5000);
    int sum = 0;
    for (int k = 0; k < 5000; k++)
        sum += zeros[k];
    zeros = HeapReAlloc(heap, HEAP_ZERO_MEMORY, zeros, 20000);
    printf("%d %d %d\n", sum, zeros[19999], HeapSize(heap, 0, zeros) >= 20000);
    printf("%d\n", HeapFree(heap, 0, zeros));

    char *place = VirtualAlloc(NULL, 0x30000, MEM_RESERVE, PAGE_NOACCESS);
    printf("reserved at a multiple of 64 KiB: %d, %s\n", ((size_t)place & 0xffff) == 0, state(place));
    printf("%d\n", VirtualAlloc(place + 0x1000, 0x2000, MEM_COMMIT, PAGE_READWRITE) == place + 0x1000);
    place[0x1000] = place[0x2fff] = 7;
    printf("%s\n", state(place + 0x1000));
    DWORD old = 0;
    printf("%d %lx\n", VirtualProtect(place + 0x1000, 1, PAGE_READONLY, &old), old);
    printf("%s\n", state(place + 0x1000));
    printf("%d\n", VirtualFree(place + 0x1000, 0x1000, MEM_DECOMMIT));
    printf("%s\n", state(place + 0x1000));
    printf("%d\n", VirtualFree(place, 1, MEM_RELEASE));
    printf("%d %lu\n", VirtualFree(place, 0, MEM_RELEASE), GetLastError());
    printf("%s\n", state(place));
    printf("%d %lu\n", VirtualAlloc(NULL, 0, MEM_COMMIT, PAGE_READWRITE) == NULL, GetLastError());

    unsigned char *code = VirtualAlloc(NULL, 64, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    memcpy(code, "\xb8\x2a\x00\x00\x00\xc3", 6); /* mov eax, 42; ret */
    printf("%d\n", ((int (*)(void))code)());
    printf("image: %s\n", state(GetModuleHandleW(NULL)));
    return 0;
}
