/* A program without a C library: three imports and an entry point. */
typedef unsigned int DWORD;
typedef void *HANDLE;
__declspec(dllimport) HANDLE GetStdHandle(DWORD which);
__declspec(dllimport) int WriteFile(HANDLE file, const void *text, DWORD size, DWORD *done, void *overlapped);
__declspec(dllimport) void ExitProcess(DWORD code);

void start(void) {
    DWORD done = 0;
    int good = WriteFile(GetStdHandle(-11), "no C library\n", 13, &done, 0);
    ExitProcess(good && done == 13 ? 3 : 1);
}
