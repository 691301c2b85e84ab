/* Modules: the loader's lists, exports found by name and by walking, thread-local storage, environment, arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

extern IMAGE_DOS_HEADER __ImageBase;
static __thread int own = 41;
static int callbacks;

static void NTAPI on_tls(void *base, DWORD reason, void *reserved) { callbacks += reason == DLL_PROCESS_ATTACH; }
__attribute__((section(".CRT$XLC"), used)) static PIMAGE_TLS_CALLBACK callback = on_tls;

static void list(void) {
    PEB *peb = NtCurrentTeb()->ProcessEnvironmentBlock;
    LIST_ENTRY *head = &peb->Ldr->InMemoryOrderModuleList;
    for (LIST_ENTRY *at = head->Flink; at != head; at = at->Flink) {
        LDR_DATA_TABLE_ENTRY *entry = CONTAINING_RECORD(at, LDR_DATA_TABLE_ENTRY, InMemoryOrderLinks);
        WCHAR *name = wcsrchr(entry->FullDllName.Buffer, '\\');
        printf("%ls %d\n", name ? name + 1 : entry->FullDllName.Buffer, *(WORD *)entry->DllBase == IMAGE_DOS_SIGNATURE);
    }
}

/* What packers do: read the export directory themselves. */
static void *walk(char *base, const char *name) {
    IMAGE_NT_HEADERS *headers = (void *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    IMAGE_EXPORT_DIRECTORY *exports = (void *)(base + headers->OptionalHeader.DataDirectory[0].VirtualAddress);
    DWORD *names = (void *)(base + exports->AddressOfNames), *functions = (void *)(base + exports->AddressOfFunctions);
    WORD *ordinals = (void *)(base + exports->AddressOfNameOrdinals);
    for (DWORD k = 0; k < exports->NumberOfNames; k++)
        if (!strcmp(base + names[k], name))
            return base + functions[ordinals[k]];
    return NULL;
}

int main(void) {
    list();
    HMODULE kernel = GetModuleHandleA("KERNEL32");
    printf("%d %d\n", kernel == LoadLibraryW(L"kernel32.dll"), (void *)GetModuleHandleW(NULL) == &__ImageBase);
    DWORD(WINAPI *get)(void) = (void *)GetProcAddress(kernel, "GetCurrentProcessId");
    printf("%d %d\n", get() == GetCurrentProcessId(), walk((char *)kernel, "GetCurrentProcessId") == (void *)get);
    printf("%d %lu\n", GetProcAddress(kernel, "NoSuchFunction") == NULL, GetLastError());
    printf("%d %lu\n", LoadLibraryA("no_such_library") == NULL, GetLastError());
    printf("%d\n", LoadLibraryA("api-ms-win-crt-heap-l1-1-0.dll") == LoadLibraryA("ucrtbase"));
    printf("%d %d\n", ++own, callbacks);

    WCHAR path[260];
    DWORD length = GetModuleFileNameW(NULL, path, 260);
    printf("%d %lu %lu\n", length > 3 && path[1] == ':' && path[2] == '\\', GetModuleFileNameW(NULL, path, 3), GetLastError());
    SetEnvironmentVariableW(L"Some_Name", L"some value");
    printf("%lu %ls\n", GetEnvironmentVariableW(L"SOME_NAME", path, 260), path);
    SetEnvironmentVariableW(L"SOME_name", NULL);
    printf("%lu %lu\n", GetEnvironmentVariableW(L"SOME_NAME", path, 260), GetLastError());
    printf("%s\n", getenv("systemroot"));
    DWORD slot = TlsAlloc();
    TlsSetValue(slot, &slot);
    printf("%d %d\n", TlsGetValue(slot) == &slot, TlsFree(slot));
    CRITICAL_SECTION section;
    InitializeCriticalSection(&section);
    EnterCriticalSection(&section);
    printf("%d\n", TryEnterCriticalSection(&section));
    LeaveCriticalSection(&section);
    LeaveCriticalSection(&section);
    printf("%ld %ld\n", section.LockCount, section.RecursionCount);
    WCHAR wide[8];
    char narrow[8];
    int units = MultiByteToWideChar(CP_UTF8, 0, "\xc3\xa9\xf0\x9f\x98\x80", -1, wide, 8);
    int bytes = WideCharToMultiByte(CP_UTF8, 0, wide, units, narrow, 8, NULL, NULL);
    printf("%d %x %x %x %d %s\n", units, wide[0], wide[1], wide[2], bytes, narrow);
    volatile unsigned *shared = (void *)0x7ffe0000;
    printf("%u.%u\n", shared[0x26c / 4], shared[0x260 / 4]);
    return 0;
}
