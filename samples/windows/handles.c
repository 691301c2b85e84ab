/* Files by handle: opened, read, written, placed, and told apart by error. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

int main(void) {
    char text[32] = {0};
    DWORD done = 0;
    LARGE_INTEGER place, zero = {.QuadPart = 0};
    HANDLE file = CreateFileW(L"folder\\file", GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    printf("%d %lu\n", file == INVALID_HANDLE_VALUE, GetLastError());
    printf("%d\n", CreateDirectoryW(L"folder", NULL));
    printf("%d %lu\n", CreateDirectoryW(L"folder", NULL), GetLastError());
    file = CreateFileW(L"folder\\file", GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    printf("%d %d\n", file != INVALID_HANDLE_VALUE, ((size_t)file & 3) == 0);
    printf("%d", WriteFile(file, "0123456789", 10, &done, NULL));
    printf(" %lu\n", done);
    printf("%lu\n", SetFilePointer(file, 4, NULL, FILE_BEGIN));
    printf("%d", ReadFile(file, text, 3, &done, NULL));
    printf(" %lu %s\n", done, text);
    SetFilePointerEx(file, zero, &place, FILE_CURRENT);
    printf("%lld %lu\n", place.QuadPart, GetFileSize(file, NULL));
    printf("%d\n", SetEndOfFile(file));
    GetFileSizeEx(file, &place);
    printf("%lld\n", place.QuadPart);
    printf("%d", ReadFile(file, text, 3, &done, NULL));
    printf(" %lu\n", done);
    printf("%lu %d\n", GetFileType(file), FlushFileBuffers(file));
    printf("%d\n", CloseHandle(file));
    printf("%d %lu\n", CloseHandle(file), GetLastError());
    printf("%d\n", CreateFileA("no such file", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
    printf("%lu\n", GetLastError());
    printf("%d %lu\n", CreateFileA("folder", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE,
           GetLastError());
    printf("%lx %lx %lx\n", GetFileAttributesW(L"folder"), GetFileAttributesW(L"folder/file"), GetFileAttributesW(L"none"));
    printf("%d %lu\n", RemoveDirectoryW(L"folder"), GetLastError());
    printf("%d %d\n", DeleteFileW(L"folder\\file"), RemoveDirectoryW(L"folder"));
    return 0;
}
